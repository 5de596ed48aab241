"""[5] WebR.Sp.Default: any ad that may be recommended at all."""

from __future__ import annotations

from algorithms.signals import Signals
from algorithms.step import Best, Built


def sponsored_default(signals: Signals, best: Best) -> Built:
    """``L = adUrls ∩ recL``; may be empty."""
    candidates = signals.ads_in_rec_all()
    return Built(best(candidates), candidates)
