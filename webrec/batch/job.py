"""[1] → [2] → [3] One batch: the raw log in, one more published generation out.

The order of its steps: take the lease, cut the log, read what the cut covers, let the learners
learn, check what came out, write and verify a generation, switch to it, clean up.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Sequence
from typing import NamedTuple

from webrec.batch import cleanup, publish
from webrec.batch.contents import Contents
from webrec.batch.history import replay
from webrec.batch.lease import Lease
from webrec.batch.log_cut import LogCut
from webrec.batch.options import BatchOptions
from webrec.batch.publish import Written
from webrec.batch.steps import Learner, learn_all
from webrec.config import Settings
from webrec.domain.progress import Progress, step
from webrec.rawlog import Log
from webrec.recording.recorder import Recorder
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables

CUT_WAIT_S = 30.0
"""Seconds that a cut waits for the writers to go on in new segments: longer than any that works
takes. What a stalled one holds is the next batch's."""


class Published(NamedTuple):
    """What a batch published.

    Attributes:
        generation: which is the active one now.
        written: what the batch brought into the store.
    """

    generation: Generation
    written: Written


def run(
    tables: Tables,
    log: Log,
    recorder: Recorder,
    settings: Settings,
    learners: Sequence[Learner],
    options: BatchOptions,
    progress: Progress,
) -> Published:
    """Run one batch and publish its generation.

    Args:
        recorder: closes what dead writers left behind, and this process's own segments.
        learners: learn one after the other.
        options: of these the seed and whether a gate may refuse the result; what is for a learner
            the learner has.
        progress: called with what is being done.

    Raises:
        LeaseLost: another batch is running, or took over.
        ResultRefused: the result failed a gate; the active generation stays.
    """
    tables.create()
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    with Lease(tables, owner) as lease:
        pointer = tables.meta.versions().active
        last = tables.generations.active()
        progress("cutting the log", 0, 0)
        cut = _cut(tables, log, recorder)
        campaigns = tables.campaigns.all()
        history = replay(cut, campaigns, step(progress, "reading the log"))
        found = learn_all(learners, history, options.seed, progress)
        if not options.force:
            publish.check(publish.counts_of(history, found), last)
        lease.renew()
        generation = publish.describe(tables, history, found, last, settings.accept_weight)
        contents = Contents(generation, history, found, settings.profile_urls)
        written = publish.write(tables, contents, progress)
        progress("publishing", 0, 0)
        cleanup.forget_late(tables, history.cut)
        publish.switch(tables, lease, generation, None if pointer is None else pointer.decode())
        progress("cleaning up", 0, 0)
        cleanup.forget_in_log(tables, lease, history)
        cleanup.drop_old(tables, lease, generation, last, settings.keep_generations)
        return Published(generation, written)


def _cut(tables: Tables, log: Log, recorder: Recorder) -> LogCut:
    """Cut the log, and find out who is forgotten in what the cut covers."""
    # taken before the cut, so that what was received until then lies in segments it ends;
    # a visitor forgotten after it is the next batch's
    at_us = time.time_ns() // 1000
    watermark = recorder.cut(CUT_WAIT_S)
    forgotten = {v: us for v, us in tables.visitors.forgotten().items() if us <= at_us}
    return LogCut(log, watermark, at_us, forgotten)
