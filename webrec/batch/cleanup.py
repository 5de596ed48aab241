"""[3] → [1] A published generation in; what is of no use any more is gone from tables and log."""

from __future__ import annotations

import time

from webrec.batch.history import SiteHistory
from webrec.batch.lease import Lease
from webrec.batch.log_cut import LogCut
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables


def forget_late(tables: Tables, cut: LogCut) -> None:
    """Forget again who was forgotten before the cut but only written down after it was read.

    The generation still knows them; the later moment hides that.
    """
    for visitor, at_us in tables.visitors.forgotten().items():
        if at_us <= cut.at_us and cut.forgotten.get(visitor) != at_us:
            tables.visitors.forget(visitor, time.time_ns() // 1000)


def forget_in_log(tables: Tables, lease: Lease, history: SiteHistory) -> None:
    """Take the events of forgotten visitors out of the log.

    Raises:
        LeaseLost: another batch took over.
    """
    cut, forgotten = history.cut, history.cut.forgotten
    for segment in history.forgotten_in:
        lease.renew()
        cut.log.rewrite(segment, lambda r: r.received_us > forgotten.get(r.event.visitor or "", -1))
    if cut.watermark.is_complete:
        tables.visitors.forgotten_done(dict(forgotten))


def drop_old(
    tables: Tables, lease: Lease, generation: Generation, last: Generation | None, keep: int
) -> None:
    """Drop older generations that no operator can go back to, and what all the kept ones absorbed.

    Newer ones are another batch's, should this one have slept through its lease.

    Args:
        last: the one that was active before.
        keep: how many generations stay, this one included.

    Raises:
        LeaseLost: another batch took over.
    """
    listed = [g for g in tables.generations.all() if g.id <= generation.id]
    # workers may still read from the last one, and an operator may have just gone back to another
    kept = {g.id for g in listed[-keep:]} | {generation.id}
    if last is not None:
        kept.add(last.id)
    for old in sorted({g.id for g in listed} | tables.generations.with_tables()):
        lease.renew()
        pointer = tables.meta.versions().active
        is_active = pointer is not None and pointer.decode() == old
        if old < generation.id and old not in kept and not is_active:
            tables.generations.drop(old)
    oldest = tables.generations.all()[0]
    tables.visitors.clean_recent(oldest)
    tables.page_texts.clean(oldest)
