"""[3] Table names and columns: what is kept where.

| table | row key | cells |
|---|---|---|
| `META` | fixed names | counters, the pointer to the active generation, the batch's lease |
| `GENERATIONS` | generation id | ``m:info``: what the generation is (JSON) |
| `CAMPAIGNS` | campaign id | ``m:doc``: the document (JSON), or which ``p:<version>/`` hold it |
| `LABELS` | category id | ``m:label``: the name a person gave |
| `RECENT` | visitor | ``e:<segment>:<URL>``: counts; ``m:forgotten``: since when they count |
| `FORGOTTEN` | visitor | ``m:at``: since when the visitor is forgotten, for the next batch |
| `EVENTS` | event id | ``m:at``: the position in the log that holds this event |
| `NEW_PAGES` | URL | ``m:said/<segment>``: the newest page text that a segment has (JSON) |
| ``g<id>.pages`` | URL | ``m:page``: URL, number, category, visits, accepts |
| ``g<id>.categories`` | category | ``urls``: its list; ``m:info``: keywords, value (JSON) |
| ``g<id>.communities`` | community | the four parts; ``m:info``: number of members |
| ``g<id>.profiles`` | visitor | the four parts; ``m:community``; ``last``: pages visited last |
| ``g<id>.spaces`` | learner, array, number | ``m:part``: a part of an array that it learned |

What a learner learned of pages, users and similar pages is kept as arrays, so that new pages and
users can be put into a cluster between batches by the measure of the batch.

The four parts of a profile are ``urls``, ``cats``, ``rUrls`` and ``rCats``, each packed into cells
``m:<part>/00000``, ``m:<part>/00001``, …: they are read together, so they share a family.

Inside a generation a page stands as its number, counted in the order of the URLs, and a category
or community as its number, counted in the order of the generation's lists of them: a profile is
some bytes per URL, and the order of numbers is the order of URLs.
"""

from __future__ import annotations

META = "meta"
GENERATIONS = "generations"
CAMPAIGNS = "campaigns"
LABELS = "labels"
RECENT = "recent"
FORGOTTEN = "forgotten"
EVENTS = "events"
NEW_PAGES = "newpages"
FIXED = (META, GENERATIONS, CAMPAIGNS, LABELS, RECENT, FORGOTTEN, EVENTS, NEW_PAGES)

ACTIVE = b"active"
LEASE = b"lease"
CAMPAIGNS_VERSION = b"version:campaigns"
LABELS_VERSION = b"version:labels"
NEXT_GENERATION = b"next:generation"
NEXT_CATEGORY = b"next:category"
NEXT_COMMUNITY = b"next:community"

VALUE = b"m:value"
INFO = b"m:info"
DOCUMENT = b"m:doc"
LABEL = b"m:label"
AT = b"m:at"
FORGOTTEN_AT = b"m:forgotten"
PAGE = b"m:page"
COMMUNITY = b"m:community"
URLS = b"m:urls/"
CATS = b"m:cats/"
ACCEPTED_URLS = b"m:rUrls/"
ACCEPTED_CATS = b"m:rCats/"
LAST = b"m:last/"
PART = b"p:"
EVENT = b"e:"
ARRAY_PART = b"m:part"
PAGE_TEXT = b"m:said/"

KINDS = ("pages", "categories", "communities", "profiles", "spaces")


def generation_table(generation: str, kind: str) -> str:
    """The name of one of a generation's tables; ``kind`` is one of `KINDS`."""
    return f"g{generation}.{kind}"


def generation_of(table: str) -> str | None:
    """The generation that a table belongs to; None for a table of no generation.

    The inverse of `generation_table`.
    """
    generation, dot, kind = table.partition(".")
    return generation[1:] if dot and kind in KINDS and generation.startswith("g") else None
