"""The reference experiment: a published one done again, on this machine, with this service.

In: settings and a `ReferencePlan`. Out: a `Reference`: the latency of the service and, beside it,
of the baseline app (`service.baseline_app`), which is what the same stack takes to answer anything
at all; on HBase also of the bare reads (`webrec.storage.hbase_bare`); and whether the answers were
right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from service.paths import RECOMMENDATIONS
from webrec.bench import workspace
from webrec.bench.checks import check
from webrec.bench.interleaving import Pace, Runner, interleave
from webrec.bench.ledger import Ledger
from webrec.bench.load import http_request, send, wall_s
from webrec.bench.machine import machine
from webrec.bench.reference.result import (
    AGAINST,
    BASELINE,
    SERVICE,
    Level,
    Reference,
    bare_of,
    is_worse,
    level_of,
)
from webrec.bench.responder import responder
from webrec.bench.server_process import ServerProcess, baseline_app, service
from webrec.config import Settings
from webrec.formats.requests import RequestDocument, parse_request
from webrec.storage import open_store
from webrec.synthetic.requests import requests
from webrec.synthetic.spec import WorldSpec
from webrec.tables.tables import Tables

_WARM_UP, _WARM_UP_AT_ONCE = 2_000, 10
_BARE_REQUESTS = 3_000
_NO_READ = (0.0, 0.0)
_FIRST = {"url": "https://first.example/", "track": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePlan:
    """What is done.

    Attributes:
        folder: where world, store and log are, or will be.
        checked: answers to hold against the oracle.
        seed: of which answers those are; the world has its own.
        against: a checkout of webrec whose service is measured beside ours.
    """

    folder: Path
    spec: WorldSpec
    pace: Pace
    checked: int = 300
    seed: int = 1
    against: Path | None = None


def run(
    settings: Settings, plan: ReferencePlan, open_progress: workspace.OpenProgress
) -> Reference:
    """Do the experiment.

    Args:
        settings: the service's, but for where its data is.
        open_progress: opens a display.

    Raises:
        UsageError: the folder or the store holds what is not ours to touch.
        WebrecError: something failed; all that was started has ended.
    """
    with ExitStack() as stack:
        stack.enter_context(workspace.locked(plan.folder))
        world = workspace.make_world(plan.folder, plan.spec, open_progress)
        ours = workspace.load(world, settings)
        theirs = workspace.load(world, settings, plan.against) if plan.against else None
        progress = stack.enter_context(open_progress())
        every = list(requests(world.spec, plan.pace.in_all + _WARM_UP))
        documents, warming = every[: plan.pace.in_all], every[plan.pace.in_all :]
        asked = [parse_request(document, world.spec.now_ms) for document in documents]
        ledger = Ledger(asked, plan.checked, plan.seed)
        with _sides(ours, theirs, plan, warming, ledger) as (runners, body_bytes):
            bare_s: list[list[tuple[float, float]]] = [[] for _ in range(plan.pace.repeats)]
            sent = [_encoded(document) for document in documents]
            beside = _bare_reads(ours, asked, plan.pace, bare_s)
            interleave(list(runners.values()), sent, plan.pace, progress, beside)
            levels = _levels(runners, plan.pace, _bare_rates(sent, body_bytes, plan.pace))
            memory = runners[SERVICE].server.memory()
        return Reference(
            world=_numbers(world.spec),
            pace=plan.pace,
            machine=machine(ours),
            body_bytes=body_bytes,
            levels=levels,
            checked=check(ours, asked, ledger, progress),
            memory=memory,
            bare=bare_of(levels, bare_s),
            worse=[level.at_once for level in levels if is_worse(level)],
        )


def _encoded(document: Mapping[str, Any]) -> bytes:
    return http_request(RECOMMENDATIONS, orjson.dumps(document))


@contextmanager
def _sides(
    ours: Settings,
    theirs: Settings | None,
    plan: ReferencePlan,
    others: Sequence[Mapping[str, Any]],
    ledger: Ledger,
) -> Iterator[tuple[dict[str, Runner], int]]:
    """All servers, warmed up, and the mean size of the service's answers in bytes.

    Args:
        others: requests that will not be measured.
    """
    # none of these leaves a visit behind
    warming = [_encoded({**document, "track": False}) for document in others]

    with ExitStack() as stack:

        def warmed_up(server: ServerProcess, on_block: Callable[..., None]) -> tuple[Runner, int]:
            runner = Runner(server, on_block, _encoded(_FIRST))
            sent = runner.warm_up(warming, _WARM_UP_AT_ONCE)
            return runner, round(float(np.mean([len(each.body) for each in sent])))

        runners = {}
        started = stack.enter_context(service(ours))
        runners[SERVICE], body_bytes = warmed_up(started, ledger.add)
        started = stack.enter_context(baseline_app(ours, body_bytes))
        runners[BASELINE], _ = warmed_up(started, _ignore)
        if theirs is not None:
            started = stack.enter_context(service(theirs, plan.against))
            runners[AGAINST], _ = warmed_up(started, _ignore)
        yield runners, body_bytes


def _ignore(_first: int, _sent: object) -> None:
    """Do nothing: these answers are not checked."""


def _levels(
    runners: Mapping[str, Runner], pace: Pace, bare_rates: Mapping[int, float]
) -> list[Level]:
    return [
        level_of(
            at_once,
            {name: runner.laps[at_once] for name, runner in runners.items()},
            bare_rates[at_once],
        )
        for at_once in pace.levels
    ]


def _bare_rates(sent: Sequence[bytes], body_bytes: int, pace: Pace) -> dict[int, float]:
    """Requests in a second to the bare responder, by level."""
    some = sent[:_BARE_REQUESTS]
    with responder(body_bytes) as address:
        return {n: len(some) / wall_s(send(address, some, n)) for n in pace.levels}


def _bare_reads(
    settings: Settings,
    asked: Sequence[RequestDocument],
    pace: Pace,
    into: list[list[tuple[float, float]]],
) -> Callable[[int, range], None]:
    """What is done beside each block: the driver reads the rows of its visitors; else nothing.

    Args:
        into: gets, by repeat, the seconds of the reads of recent and profile for each request; an
            anonymous one reads nothing, in no time.
    """
    if not settings.store:
        return lambda _at_once, _block: None
    from webrec.storage.hbase_bare import bare_reader  # the driver loads only when it is wanted

    generation = _active(settings)

    def beside(at_once: int, block: range) -> None:
        if at_once == 1:
            laps = into[block.start // (pace.requests * len(pace.levels))]
            visitors = (each.visitor for each in asked[block.start : block.stop])
            with bare_reader(settings.store_uri, generation) as reader:
                laps.extend(_NO_READ if v is None else reader.read(v) for v in visitors)

    return beside


def _active(settings: Settings) -> str:
    store = open_store(settings.store_uri)
    try:
        generation = Tables(store).generations.active()
        assert generation is not None  # noqa: S101 - the workspace made one
        return generation.id
    finally:
        store.close()


def _numbers(spec: WorldSpec) -> dict[str, int]:
    """The world's numbers, but for what is no part of it."""
    return {k: v for k, v in asdict(spec).items() if k not in ("now_ms", "requests")}
