"""What came of an evaluation, ready for a table, a chart and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MEASURES = ("rank_score", "precision", "recall", "f1", "ndcg", "mrr", "novelty")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure, and the interval that holds it with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How good one way to recommend is.

    Attributes:
        is_product: ours; else a baseline.
        answered: the share of questions with a list that is not empty.
        measures: see `webrec.evaluation.measures`; None where nothing could be measured.
        coverage: the share of the candidates that stand among the first 10 of anybody.
        steps: of the answers with fallbacks, the share that each algorithm built.
    """

    name: str
    is_product: bool
    answered: float
    measures: dict[str, Estimate | None]
    coverage: float
    steps: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All ways to recommend over the same questions.

    Attributes:
        mode: ``related`` or ``sponsored``.
        questions, visitors: how many were asked, about how many visitors; accepts not counted.
        accepts: how many questions are about what was accepted next.
        candidates: pages that may be recommended.
        unknown: the share of wanted pages that the training part does not know.
        rows: empty where ``reason`` says why.
    """

    mode: str
    questions: int = 0
    visitors: int = 0
    accepts: int = 0
    candidates: int = 0
    unknown: float = 0.0
    rows: list[Row] = field(default_factory=list)
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One protocol, or one point of the learning curve.

    Attributes:
        given: pages (of *curve*: visits) given with each question; None where that differs.
        learnt: how much the training part holds: visitors, pages, visits, categories,
            communities.
        repeats_left_out: see `webrec.evaluation.protocols.Split`.
        baselines: how the baselines that have parameters were set.
        left_out: baselines that are missing, and why.
    """

    protocol: str
    given: int | None
    learnt: dict[str, int]
    repeats_left_out: int
    baselines: dict[str, dict[str, float]]
    left_out: dict[str, str]
    tables: list[Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All of it.

    Attributes:
        limit: length of the lists; a page past it counts as missed.
        settings, plan: those that answers depend on.
        skipped: protocols that the log is not enough for, and why.
    """

    seed: int
    limit: int
    settings: dict[str, Any]
    plan: dict[str, Any]
    sections: list[Section]
    skipped: dict[str, str]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)
