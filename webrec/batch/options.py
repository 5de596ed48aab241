"""[2] What one batch is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from webrec.features.page_classifier import FeatureKind


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What one batch is asked to do, beside what the settings say.

    Attributes:
        categories, communities: how many; None finds a number by rule.
        features: how pages are told apart.
        seed: the same log and the same seed give the same generation.
        force: publish the result even where a gate would refuse it.
        taxonomy: a file for suggested labels; None takes the packaged one.
        truth: labels of pages by URL, which people gave: the categories are compared with them.
    """

    categories: int | None = None
    communities: int | None = None
    features: FeatureKind = "semantic"
    seed: int = 0
    force: bool = False
    taxonomy: Path | None = None
    truth: Mapping[str, str] = field(default_factory=dict)
