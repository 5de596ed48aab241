"""`webrec growth`: how service and batch bear a world that grows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from webrec.cli.common import as_json, command, draw_chart, out, print_json, print_table, progress
from webrec.config import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from webrec.bench.figures import Spread
    from webrec.bench.scaling import AxisGrowth, BatchPoint
    from webrec.bench.scaling_chart import Document

_MIB, _GIB = 1 << 20, 1 << 30
_BATCH = "batch"
_AXES = ("urls", "users", "ads", "profile_urls", _BATCH)
_NAMES = {"urls": "URLs", "profile_urls": "URLs of a profile"}


@command(extra="batch")
@click.option(
    "--axis",
    "axes",
    type=click.Choice(_AXES),
    multiple=True,
    help="What grows, all else being equal; again for another. All of them if left out.",
)
@click.option("--requests", type=click.IntRange(1), default=2_000, show_default=True)
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True)
@click.option(
    "--largest", type=click.IntRange(1), help="Leave out larger sizes, where time or disk is short."
)
@click.option(
    "--folder",
    type=Path,
    default=Path("webrec-bench"),
    show_default=True,
    help="Where the worlds are, until they are measured, and the chart.",
)
@click.option("--chart", type=Path, metavar="FILE", help="SVG; FOLDER/growth.svg if left out.")
@as_json
def growth(
    settings: Settings,
    axes: tuple[str, ...],
    requests: int,
    repeats: int,
    largest: int | None,
    folder: Path,
    chart: Path | None,
    as_json: bool,
) -> None:
    """Measure how service and batch bear a world that grows; an hour for all of it.

    One dimension grows at a time: URLs and users to a million, ads to 100,000, profiles to 2,000
    URLs. The services of all sizes run side by side and answer in turns. With --store
    hbase://host:9090/prefix each has tables of its own there, which are dropped at the end.
    """
    from webrec.bench.scaling import AXES, BATCH_URLS, Growth, Pace, batch_growth, request_growth

    pace = Pace(requests=requests, repeats=repeats)

    def of(sizes: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(size for size in sizes if largest is None or size <= largest)

    chosen = dict.fromkeys(axes or _AXES)
    where = folder / "growth"
    with progress() as told:
        measured = [
            request_growth(a, where, told, sizes=of(AXES[a]), pace=pace, settings=settings)
            for a in chosen
            if a != _BATCH and of(AXES[a])
        ]
        batches = [
            batch_growth(urls, where, told, settings=settings)
            for urls in (of(BATCH_URLS) if _BATCH in chosen else ())
        ]
    found = Growth(axes=measured, batch=batches)
    if as_json:
        print_json(found.document())
    else:
        for axis in found.axes:
            _show_axis(axis)
        _show_batch(found.batch)
    draw_chart(_drawing, found.document(), chart or folder / "growth.svg", "webrec[bench]")


def _show_axis(axis: AxisGrowth) -> None:
    rows = [
        (
            point.size,
            _spread(point.median_ms),
            _spread(point.p99_ms),
            _spread(point.ratio),
            _spread(point.over_floor_ms),
            f"{point.cpu_ms.median:.2f}",
            " ".join(
                f"{each.private / _MIB:.0f}+{each.shared / _MIB:.0f}" for each in point.memory
            ),
            f"{point.ready_s:.1f}",
        )
        for point in axis.points
    ]
    name = _NAMES.get(axis.axis, axis.axis)
    columns = (
        name,
        "median ms",
        "p99 ms",
        "÷ floor",
        "over floor ms",
        "cpu ms",
        "MiB private+shared of master and workers",
        "ready s",
    )
    print_table(columns, rows, title=f"{name}; the floor takes {_spread(axis.floor_ms)} ms")
    out.print(f"  from the smallest to the largest: {_spread(axis.growth)} times\n")


def _show_batch(points: list[BatchPoint]) -> None:
    if not points:
        return
    rows = [
        (
            p.urls,
            p.users,
            p.visits,
            f"{p.ingest.wall_s:.1f}",
            f"{p.batch.wall_s:.1f}",
            f"{p.batch.cpu_s:.1f}",
            f"{p.batch.peak_bytes / _GIB:.2f}",
            round(p.pages_per_s),
        )
        for p in points
    ]
    columns = (
        "URLs", "users", "visits", "ingest s", "batch s", "batch cpu s", "batch GiB", "pages/s",
    )  # fmt: skip
    print_table(columns, rows, title="the batch")


def _spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})"


def _drawing() -> Callable[[Document, Path], None]:
    from webrec.bench.scaling_chart import draw

    return draw
