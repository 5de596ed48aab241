"""Scaling measured end to end on tiny worlds; how long anything takes is no matter here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from hbase_schema.families import Family
from tests.support.thrift_gateway import ThriftGateway
from webrec.bench.figures import Spread
from webrec.bench.scaling.batch import measure_batch, measure_command
from webrec.bench.scaling.chart import draw
from webrec.bench.scaling.requests import AXES, measure_axis
from webrec.bench.scaling.result import AxisScaling, BatchPoint, Cost, Point, Scaling, ScalingPace
from webrec.bench.synthetic_model import SyntheticModelSpec
from webrec.config import load
from webrec.domain.progress import no_progress
from webrec.errors import UsageError, WebrecError
from webrec.storage import open_store

BASE = SyntheticModelSpec(urls=200, users=30, ads=20, profile_urls=5, categories=5, communities=2)
PACE = ScalingPace(requests=20, block=8, repeats=3, warm_up=4)
SPREAD = Spread(2.0, 1.0, 3.0)


def point(size: int) -> Point:
    """A size that took no time to measure."""
    return Point(
        size=size,
        requests=60,
        median_ms=SPREAD,
        p95_ms=SPREAD,
        p99_ms=SPREAD,
        ratio=SPREAD,
        over_baseline_ms=SPREAD,
        cpu_ms=SPREAD,
        memory=[],
        degraded=0,
        written_s=1.0,
        ready_s=1.0,
    )


def is_in_order(spread: Spread) -> bool:
    """Whether the median is between the least and the most."""
    return spread.low <= spread.median <= spread.high


@pytest.mark.slow
@pytest.mark.parametrize("on_hbase", [False, True])
def test_an_axis_is_measured_at_every_size(tmp_path: Path, on_hbase: bool) -> None:
    """The baseline app and two sizes answer in turn, and nothing of their worlds is left."""
    with ThriftGateway() as gateway:
        uri = gateway.store_uri("growth")
        settings = load(home=tmp_path / "mine", store=uri if on_hbase else "", tmax=60_000)
        found = measure_axis(
            "urls",
            tmp_path / "worlds",
            no_progress,
            sizes=(200, 400),
            base=BASE,
            pace=PACE,
            settings=settings,
        )
        for size in (200, 400):
            store = open_store(f"{uri}-urls-{size}")
            assert store.tables() == []
            store.close()
    assert list((tmp_path / "worlds").iterdir()) == []
    assert not (tmp_path / "mine").exists()
    assert (found.axis, found.base, found.pace) == ("urls", BASE, PACE)
    assert [each.size for each in found.points] == [200, 400]
    assert is_in_order(found.growth)
    for each in found.points:
        spreads = (each.median_ms, each.p95_ms, each.p99_ms, each.ratio, each.cpu_ms)
        assert all(is_in_order(spread) and spread.low >= 0 for spread in spreads)
        assert each.median_ms.low > 0
        assert each.requests == PACE.repeats * PACE.requests
        assert each.p99_ms.high >= each.p95_ms.low
        assert is_in_order(each.over_baseline_ms)
        assert len(each.memory) == 3
        assert all(held.private > 1 << 20 for held in each.memory)
    document = Scaling(axes=[found], batch=[]).document()
    (axis,) = orjson.loads(orjson.dumps(document))["axes"]
    assert axis["points"][1]["size"] == 400
    assert {"floor_ms", "growth", "base", "pace"} <= axis.keys()
    assert {"over_floor_ms", "grown_s", "ready_s"} <= axis["points"][1].keys()


@pytest.mark.slow
def test_sizes_are_compared_within_a_repeat(tmp_path: Path) -> None:
    """With one repeat, everything follows from the medians of the sizes and of the baseline app."""
    pace = replace(PACE, repeats=1)
    found = measure_axis("ads", tmp_path, no_progress, sizes=(5, 10, 20), base=BASE, pace=pace)
    baseline, (smallest, _, largest) = found.baseline_ms.median, found.points
    assert found.growth.median == largest.median_ms.median / smallest.median_ms.median
    for each in found.points:
        assert each.ratio.median == each.median_ms.median / baseline
        assert each.over_baseline_ms.median == each.median_ms.median - baseline


@pytest.mark.slow
def test_a_batch_is_measured_command_by_command(tmp_path: Path) -> None:
    """A world is made, loaded and clustered; nothing of it is left."""
    found = measure_batch(300, tmp_path, no_progress, categories=5, communities=3)
    assert (found.urls, found.users, found.visits) == (300, 15, 600)
    for cost in (found.world, found.ingest, found.batch):
        assert cost.cpu_s > 0
        assert cost.wall_s > 0
        assert cost.peak_bytes > 1 << 20
    assert found.pages_per_s == 300 / found.batch.wall_s
    assert list(tmp_path.iterdir()) == []


def test_the_peak_of_a_command_is_its_own(tmp_path: Path) -> None:
    """It does not count what the process holds that has it measured."""
    ballast = np.ones(1 << 29, np.uint8)
    numbers = ("--urls", "50", "--users", "10", "--requests", "0", "--campaigns", "0")
    cost = measure_command(["world", *numbers, "--out", str(tmp_path)], load(home=tmp_path))
    assert cost.peak_bytes < len(ballast)


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    """Its own message is in the error."""
    with pytest.raises(WebrecError, match="categories must be at most urls"):
        measure_command(["world", "--urls", "1", "--out", str(tmp_path)], load(home=tmp_path))


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    """A folder or a store of a world's name may be a user's: it is not taken away."""
    with ThriftGateway() as gateway:
        uri = gateway.store_uri("mine")
        other = open_store(f"{uri}-batch-300")
        other.create_table("precious", (Family("m"),))
        with pytest.raises(UsageError, match="holds tables already"):
            measure_batch(
                300, tmp_path / "new", no_progress, settings=load(home=tmp_path, store=uri)
            )
        assert other.tables() == ["precious"]
        other.close()
    mine = load(home=tmp_path, store=f"sqlite:///{tmp_path}/mine")
    with pytest.raises(UsageError, match="leave --store"):
        measure_batch(300, tmp_path / "new", no_progress, settings=mine)
    (tmp_path / "batch-300").mkdir()
    (tmp_path / "batch-300" / "precious").touch()
    with pytest.raises(UsageError, match="cannot be made"):
        measure_batch(300, tmp_path, no_progress)
    assert (tmp_path / "batch-300" / "precious").exists()


@pytest.mark.slow
def test_the_chart_shows_every_axis_and_is_the_same_every_time(tmp_path: Path) -> None:
    """Two panels for each axis and for the batch, in the same bytes for the same numbers."""
    axes = [
        AxisScaling(
            axis=axis,
            base=BASE,
            pace=PACE,
            baseline_ms=SPREAD,
            points=[point(size) for size in sizes],
            growth=SPREAD,
        )
        for axis, sizes in AXES.items()
    ]
    cost = Cost(wall_s=1.0, cpu_s=2.0, peak_bytes=1 << 30)
    batch = [
        BatchPoint(
            urls=urls, users=9, visits=9, world=cost, ingest=cost, batch=cost, pages_per_s=9.0
        )
        for urls in (100, 1_000)
    ]
    document = orjson.loads(orjson.dumps(Scaling(axes=axes, batch=batch).document()))
    for name in ("one.svg", "same.svg"):
        draw(document, tmp_path / name)
    drawn = (tmp_path / "one.svg").read_text()
    assert drawn == (tmp_path / "same.svg").read_text()
    assert drawn.count('<g id="axes_') == 2 * (len(AXES) + 1)
    assert "users: 2.00 times (1.00–3.00)" in drawn
    assert drawn.count("1.3 times the smallest") >= len(AXES)
    draw({"axes": [], "batch": document["batch"]}, tmp_path / "batch.svg")
    assert (tmp_path / "batch.svg").read_text().count('<g id="axes_') == 2
