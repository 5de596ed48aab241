"""`webrec bench scaling`: how service and batch bear a world that grows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webrec.cli.bench import bench, spread_text
from webrec.cli.command import command
from webrec.cli.output import as_json, draw_chart, out, print_json, print_note, print_table
from webrec.cli.progress import progress_bar
from webrec.cli.settings import ANSWERS
from webrec.config import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from webrec.bench.scaling.chart import Document
    from webrec.bench.scaling.result import AxisScaling, BatchPoint

_MIB, _GIB = 1 << 20, 1 << 30
_BATCH = "batch"
_AXES = ("urls", "users", "ads", "profile_urls", _BATCH)
_READS = ("store", "threads", *(name for name in ANSWERS if name != "accept_weight"))
_NAMES = {"urls": "URLs", "profile_urls": "URLs of a profile"}


def _options(function: Callable[..., None]) -> Callable[..., None]:
    """The options of `webrec bench scaling`."""
    for option in (
        as_json,
        click.option(
            "--chart",
            type=Path,
            metavar="FILE",
            help="Write the chart to this SVG file; FOLDER/scaling.svg if left out.",
        ),
        click.option(
            "--folder",
            type=Path,
            default=Path("webrec-bench"),
            show_default=True,
            help="Keep the worlds in this folder until they are measured, and the chart.",
        ),
        click.option(
            "--largest",
            type=click.IntRange(1),
            help="Leave out larger sizes than this, where time or disk is short.",
        ),
        click.option(
            "--repeats",
            type=click.IntRange(1),
            default=5,
            show_default=True,
            help="Repeat everything this many times.",
        ),
        click.option(
            "--requests",
            type=click.IntRange(1),
            default=2_000,
            show_default=True,
            help="Send this many requests to each size in each repeat.",
        ),
        click.option(
            "--axis",
            "axes",
            type=click.Choice(_AXES),
            multiple=True,
            help="Let this grow, all else being equal; give it again for another one. All of them "
            "grow if left out.",
        ),
    ):
        function = option(function)
    return function


@command(
    bench,
    short="Measure how service and batch scale; it takes an hour.",
    reads=_READS,
    extra="batch",
)
@_options
def scaling(settings: Settings, **given: Any) -> None:
    """Measure how service and batch bear a world that grows; it takes an hour.

    One dimension grows at a time: URLs and users to a million, ads to 100,000, profiles to 2,000
    URLs. The services of all sizes run side by side and answer in turns. With --store
    hbase://host:9090/prefix each has tables of its own there, which are dropped at the end.
    """
    _run(settings, **given)


@command(short="Run `webrec bench scaling` by its former name.", reads=_READS, extra="batch")
@_options
def growth(settings: Settings, **given: Any) -> None:
    """Run `webrec bench scaling`: growth is the former name of that command."""
    print_note("`webrec growth` is called `webrec bench scaling` now")
    _run(settings, **given)


def _run(
    settings: Settings,
    *,
    axes: tuple[str, ...],
    requests: int,
    repeats: int,
    largest: int | None,
    folder: Path,
    chart: Path | None,
    as_json: bool,
) -> None:
    from webrec.bench.scaling.batch import BATCH_URLS, measure_batch
    from webrec.bench.scaling.requests import AXES, measure_axis
    from webrec.bench.scaling.result import Scaling, ScalingPace

    pace = ScalingPace(requests=requests, repeats=repeats)

    def of(sizes: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(size for size in sizes if largest is None or size <= largest)

    chosen = dict.fromkeys(axes or _AXES)
    where = folder / "scaling"
    with progress_bar() as progress:
        measured = [
            measure_axis(a, where, progress, sizes=of(AXES[a]), pace=pace, settings=settings)
            for a in chosen
            if a != _BATCH and of(AXES[a])
        ]
        batches = [
            measure_batch(urls, where, progress, settings=settings)
            for urls in (of(BATCH_URLS) if _BATCH in chosen else ())
        ]
    found = Scaling(axes=measured, batch=batches)
    if as_json:
        print_json(found.document())
    else:
        for axis in found.axes:
            _show_axis(axis)
        _show_batch(found.batch)
    draw_chart(_drawing, found.document(), chart or folder / "scaling.svg", "webrec[bench]")


def _show_axis(axis: AxisScaling) -> None:
    rows = [
        (
            point.size,
            spread_text(point.median_ms),
            spread_text(point.p99_ms),
            spread_text(point.ratio),
            spread_text(point.over_baseline_ms),
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
        "÷ baseline",
        "over baseline ms",
        "cpu ms",
        "MiB private+shared of master and workers",
        "ready s",
    )
    print_table(
        columns, rows, title=f"{name}; the baseline app takes {spread_text(axis.baseline_ms)} ms"
    )
    out.print(f"  from the smallest to the largest: {spread_text(axis.growth)} times\n")


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


def _drawing() -> Callable[[Document, Path], None]:
    from webrec.bench.scaling.chart import draw

    return draw
