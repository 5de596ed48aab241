"""[1] → [2] → [3] One batch: the raw log in, one more published generation out."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustering.pages import labels as taxonomy
from clustering.pages.categories import PageClusters, cluster_pages
from clustering.pages.keywords import category_keywords
from clustering.pages.quality import agreement
from clustering.similar.learner import similar_pages
from clustering.users.communities import UserClusters, cluster_users
from hbase_schema import names as t
from webrec.batch import publish
from webrec.batch.cluster_ids import take_over_ids
from webrec.batch.history import Replayed, replay
from webrec.batch.lease import Lease
from webrec.batch.publish import Result, Written
from webrec.config import Settings
from webrec.domain.progress import Progress, step
from webrec.domain.types import Arrays
from webrec.errors import Conflict, NotFound, StoreUnavailable
from webrec.features.page_classifier import FeatureKind
from webrec.rawlog import Log, Watermark
from webrec.recording.recorder import Recorder
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables

CUT_WAIT_S = 30.0
_SWITCH_S, _SWITCH_ATTEMPTS = 5.0, 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What one batch is asked to do.

    Attributes:
        categories, communities: how many; None finds a number by rule.
        features: how pages are told apart.
        seed: the same log and the same seed give the same generation.
        force: publish whatever comes out.
        taxonomy: a file for suggested labels; None takes the packaged one.
        truth: labels of pages by URL, to judge the categories by.
    """

    categories: int | None = None
    communities: int | None = None
    features: FeatureKind = "semantic"
    seed: int = 0
    force: bool = False
    taxonomy: Path | None = None
    truth: Mapping[str, str] = field(default_factory=dict)


class Cut(NamedTuple):
    """What of the log a generation knows.

    Attributes:
        at_us: visitors forgotten until then (µs) are not in it.
    """

    at_us: int
    watermark: Watermark


def run(
    tables: Tables,
    log: Log,
    recorder: Recorder,
    settings: Settings,
    plan: Plan,
    report: Progress,
    wrote: Callable[[Written], None] = lambda _: None,
) -> Generation:
    """Run one batch and publish its generation.

    Args:
        recorder: closes what dead writers left behind, and this process's own segments.
        report: told what is being done.
        wrote: told what was written, once it is.

    Raises:
        LeaseLost: another batch is running, or took over.
        ResultRefused: the result failed a gate; the active generation stays.
    """
    names = taxonomy.load(plan.taxonomy)  # a wrong file is told before the work, not after
    tables.create()
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    with Lease(tables, owner) as lease:
        pointer = tables.meta.versions().active
        last = tables.generations.active()
        report("cutting the log", 0, 0)
        # taken before the cut, so that what was received until then lies in segments it ends;
        # a visitor forgotten after it is the next batch's
        cut_us = time.time_ns() // 1000
        watermark = recorder.cut(CUT_WAIT_S)
        forgotten = {
            v: at_us for v, at_us in tables.visitors.forgotten().items() if at_us <= cut_us
        }
        replayed = replay(
            log,
            watermark,
            forgotten,
            tables.campaigns.all(),
            step(report, "reading the log"),
        )
        result, quality = find(replayed, settings, plan, report)
        if not plan.force:
            publish.check(counts_of(result), last)
        lease.renew()
        cut = Cut(cut_us, watermark)
        generation = describe(tables, result, quality, cut, last, settings, names)
        wrote(publish.write(tables, generation, result, report))
        report("publishing", 0, 0)
        _forget_late(tables, forgotten, cut_us)
        _switch(tables, lease, generation, None if pointer is None else pointer.decode())
        report("cleaning up", 0, 0)
        _forget_in_log(tables, log, lease, generation, replayed, forgotten)
        _drop_old(tables, lease, generation, last, settings.keep_generations)
        return generation


def find(
    replayed: Replayed, settings: Settings, plan: Plan, report: Progress
) -> tuple[Result, dict[str, float]]:
    """Find categories, communities and similar pages in what the log says.

    Returns:
        What to write, and the figures of its quality.
    """
    clusters, users = _cluster(replayed, settings, plan, report)
    report("naming categories", 0, 0)
    keywords = _keywords(replayed, clusters)
    result = Result(
        replayed,
        clusters.labels,
        users.labels,
        keywords,
        settings.profile_urls,
        _spaces(clusters, users)
        | {
            "similar": similar_pages(
                replayed.visits, plan.seed, step(report, "finding similar pages")
            )
        },
    )
    return result, clusters.quality | _agreement(replayed, clusters, plan)


def describe(
    tables: Tables,
    result: Result,
    quality: dict[str, float],
    cut: Cut,
    last: Generation | None,
    settings: Settings,
    names: taxonomy.Taxonomy,
) -> Generation:
    """A new generation for a result: with a number of its own, and ids for its clusters.

    Args:
        last: whose ids are taken over by the clusters that overlap its own.
        names: for suggested labels.
    """
    return Generation(
        id=f"{tables.meta.next_number(t.NEXT_GENERATION):06d}",
        created_ms=cut.at_us // 1000,
        cut_us=cut.at_us,
        watermark=cut.watermark,
        accept_weight=settings.accept_weight,
        category_ids=tuple(_category_ids(tables, last, result)),
        community_ids=tuple(_community_ids(tables, last, result)),
        suggested_labels=tuple(names.suggest(result.keywords)),
        counts=counts_of(result),
        quality=quality,
    )


def _cluster(
    replayed: Replayed, settings: Settings, plan: Plan, report: Progress
) -> tuple[PageClusters, UserClusters]:
    n = len(replayed.pages)
    report("clustering pages", 0, n)
    clusters = cluster_pages(
        replayed.pages,
        k=plan.categories,
        seed=plan.seed,
        kind=plan.features,
        progress=step(report, "clustering pages"),
    )
    report("clustering users", 0, 0)
    users = cluster_users(
        replayed.visits,
        replayed.accepts,
        clusters.labels,
        k=plan.communities,
        seed=plan.seed,
        accept_weight=settings.accept_weight,
        min_visits=settings.min_visits,
    )
    return clusters, users


def _spaces(clusters: PageClusters, users: UserClusters) -> dict[str, Arrays]:
    """What the clusters were measured by, for what comes between two batches."""
    found = {"pages": clusters.space}
    return found if users.space is None else found | {"users": users.space.arrays()}


def _keywords(replayed: Replayed, clusters: PageClusters) -> list[list[str]]:
    with_text = np.flatnonzero(clusters.labels >= 0).tolist()
    return category_keywords(
        [clusters.texts[number] for number in with_text],
        clusters.labels[with_text],
        authored=[replayed.pages[number].keywords for number in with_text],
    )


def _agreement(replayed: Replayed, clusters: PageClusters, plan: Plan) -> dict[str, float]:
    """How well the categories agree with the labels that were given, if any were."""
    if not plan.truth:
        return {}
    given = [plan.truth.get(page.url) for page in replayed.pages]
    return agreement(given, clusters.labels)


def counts_of(result: Result) -> dict[str, int]:
    """What a generation says of its size."""
    replayed = result.replayed
    return replayed.counts | {
        "pages": len(replayed.pages),
        "categorised": int((result.category >= 0).sum()),
        "categories": len(result.keywords),
        "communities": int(result.community.max(initial=-1)) + 1,
        "profiles": len(replayed.visitors),
        "users_in_communities": int((result.community >= 0).sum()),
    }


def _category_ids(tables: Tables, last: Generation | None, result: Result) -> list[str]:
    old: dict[str, set[str]] = {}
    if last is not None:
        with suppress(NotFound):  # a generation that lost its tables has no names to hand on
            for page in tables.pages.all(last.id):
                if page.category >= 0:
                    old.setdefault(last.category_ids[page.category], set()).add(page.url)
    new = _members([page.url for page in result.replayed.pages], result.category)
    return take_over_ids(old, new, lambda: f"c{tables.meta.next_number(t.NEXT_CATEGORY)}")


def _community_ids(tables: Tables, last: Generation | None, result: Result) -> list[str]:
    old: dict[str, set[str]] = {}
    if last is not None:
        with suppress(NotFound):  # as above
            for visitor, community in tables.profiles.communities(last.id):
                if community is not None:
                    old.setdefault(last.community_ids[community], set()).add(visitor)
    new = _members(result.replayed.visitors, result.community)
    return take_over_ids(old, new, lambda: f"g{tables.meta.next_number(t.NEXT_COMMUNITY)}")


def _members(names: list[str], labels: NDArray[np.int32]) -> list[AbstractSet[str]]:
    clusters: list[set[str]] = [set() for _ in range(int(labels.max(initial=-1)) + 1)]
    for name, label in zip(names, labels.tolist(), strict=True):
        if label >= 0:
            clusters[label].add(name)
    return list(clusters)


def _forget_late(tables: Tables, forgotten: dict[str, int], cut_us: int) -> None:
    """Forget again who was forgotten before the cut but only written down after it was read.

    The generation still knows them; the later moment hides that.
    """
    for visitor, at_us in tables.visitors.forgotten().items():
        if at_us <= cut_us and forgotten.get(visitor) != at_us:
            tables.visitors.forget(visitor, time.time_ns() // 1000)


def _switch(tables: Tables, lease: Lease, generation: Generation, expected: str | None) -> None:
    """List the generation and point to it, or take it away again."""
    tables.generations.put(generation)
    try:
        # each attempt is over long before the lease is: whoever takes it after us finds either
        # our generation active, or nobody about to switch
        for _ in range(_SWITCH_ATTEMPTS - 1):
            lease.renew()
            with suppress(StoreUnavailable):
                return _activate(tables, generation, expected)
        lease.renew()
        _activate(tables, generation, expected)
    except Conflict:
        tables.generations.drop(generation.id)
        raise


def _activate(tables: Tables, generation: Generation, expected: str | None) -> None:
    if (
        tables.meta.versions().active != generation.id.encode()
    ):  # else an earlier attempt came through
        tables.generations.activate(generation.id, expected, _SWITCH_S)


def _forget_in_log(
    tables: Tables,
    log: Log,
    lease: Lease,
    generation: Generation,
    replayed: Replayed,
    forgotten: dict[str, int],
) -> None:
    """Take the events of forgotten visitors out of the log."""
    for segment in replayed.forgotten_in:
        lease.renew()
        log.rewrite(segment, lambda r: r.received_us > forgotten.get(r.event.visitor or "", -1))
    if generation.watermark.is_complete:
        tables.visitors.forgotten_done(forgotten)


def _drop_old(
    tables: Tables, lease: Lease, generation: Generation, last: Generation | None, keep: int
) -> None:
    """Drop older generations that nobody can go back to, and what all the kept ones absorbed.

    Newer ones are another batch's, should this one have slept through its lease.
    """
    listed = [g for g in tables.generations.all() if g.id <= generation.id]
    # workers may still read from the last one, and somebody may have just gone back to another
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
