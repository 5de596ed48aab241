"""The six algorithms, slow and obviously right: what the fast ones are held against.

Written straight from the definitions, over whole lists and plain data, and sharing no code with
the product. Every step of a definition is a line here, in the definition's order; nothing is cut
before the one sort at the end. What depends on the world alone is worked out once a world.

Tests hold the fast ones against it, and so does `webrec bench`, under load.

In: a `World` (one generation, what happened since, the campaigns) and a `Request`.
Out: a `PlainAnswer`: every algorithm entered, and the ordered list, cut to the limit.
"""

from webrec.bench.oracle.algorithms import recommend
from webrec.bench.oracle.candidates import ad_urls, col_list, page_category, rec_list, rec_union
from webrec.bench.oracle.request import Item, PlainAnswer, Request
from webrec.bench.oracle.visitor import community_of, counts_of, nearest_community
from webrec.bench.oracle.world import (
    Campaign,
    Counts,
    NearestCentroid,
    Scores,
    World,
    add,
    best_first,
    number,
)

__all__ = [
    "Campaign",
    "Counts",
    "Item",
    "NearestCentroid",
    "PlainAnswer",
    "Request",
    "Scores",
    "World",
    "ad_urls",
    "add",
    "best_first",
    "col_list",
    "community_of",
    "counts_of",
    "nearest_community",
    "number",
    "page_category",
    "rec_list",
    "rec_union",
    "recommend",
]
