"""[5] The algorithms: signals of one request in, an ordered list out; pure.

No I/O, no clock, no randomness: what a request needs to know it asks of its `Signals`, and only
when a step needs it. A module that is put into this package is imported with it, so that the
algorithm it registers is there (`algorithms.registry`).
"""

from algorithms.candidates import UNCATEGORISED, Candidate, Candidates, Run, candidate
from algorithms.chain import Part, RankedList, recommend
from algorithms.ranking import Item, rank
from algorithms.registry import algorithms_of, discover, filters, first_algorithm
from algorithms.scorers import NO_SCORES, PageScores, Reason, Scorer, Weights
from algorithms.signals import Signals
from algorithms.step import Passed

__all__ = [
    "NO_SCORES",
    "UNCATEGORISED",
    "Candidate",
    "Candidates",
    "Item",
    "PageScores",
    "Part",
    "Passed",
    "RankedList",
    "Reason",
    "Run",
    "Scorer",
    "Signals",
    "Weights",
    "algorithms_of",
    "candidate",
    "filters",
    "first_algorithm",
    "rank",
    "recommend",
]

discover(__name__, __path__)
