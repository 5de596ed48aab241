"""[5] WebR.Sp.Default: any ad that may be recommended at all."""

from __future__ import annotations

from algorithms.registry import register
from algorithms.signals import Signals
from algorithms.step import SP_DEFAULT, Best, Built


@register(SP_DEFAULT, "sponsored")
def sponsored_default(signals: Signals, best: Best) -> Built:
    """``L = adUrls ∩ recL``; may be empty."""
    candidates = signals.ads_in_rec_all()
    return Built(best(candidates), candidates)
