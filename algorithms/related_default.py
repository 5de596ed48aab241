"""[5] WebR.Rel.Default: what is best for anybody."""

from __future__ import annotations

from algorithms.registry import register
from algorithms.signals import Signals
from algorithms.step import REL_DEFAULT, Best, Built


@register(REL_DEFAULT, "related")
def related_default(signals: Signals, best: Best) -> Built:
    """``L = recL``; empty only if that is."""
    candidates = signals.rec_all()
    return Built(best(candidates), candidates)
