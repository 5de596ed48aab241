"""[5] The six algorithms: signals of one request in, an ordered list out; pure.

No I/O, no clock, no randomness: what a request needs to know it asks of its `Signals`, and only
when a step needs it.
"""

from algorithms.candidates import (
    NO_SIMILARITY,
    UNCATEGORISED,
    Candidate,
    Candidates,
    Run,
    SimilarityScores,
    candidate,
)
from algorithms.chain import Answer, Part, first_algorithm, recommend
from algorithms.ranking import Item, Weights, rank
from algorithms.signals import Signals
from algorithms.step import Passed

__all__ = [
    "NO_SIMILARITY",
    "UNCATEGORISED",
    "Answer",
    "Candidate",
    "Candidates",
    "Item",
    "Part",
    "Passed",
    "Run",
    "Signals",
    "SimilarityScores",
    "Weights",
    "candidate",
    "first_algorithm",
    "rank",
    "recommend",
]
