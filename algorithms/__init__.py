"""[5] The six algorithms: signals of one request in, an ordered list out; pure.

No I/O, no clock, no randomness: what a request needs to know it asks of its `Signals`, and only
when a step needs it.
"""

from algorithms.candidates import (
    NOTHING_NEAR,
    UNCATEGORISED,
    Candidate,
    Candidates,
    Near,
    Run,
    candidate,
)
from algorithms.chain import Answer, Part, first_algorithm, recommend
from algorithms.ranking import Item, Weights, rank
from algorithms.signals import Signals
from algorithms.step import Passed

__all__ = [
    "NOTHING_NEAR",
    "UNCATEGORISED",
    "Answer",
    "Candidate",
    "Candidates",
    "Item",
    "Near",
    "Part",
    "Passed",
    "Run",
    "Signals",
    "Weights",
    "candidate",
    "first_algorithm",
    "rank",
    "recommend",
]
