"""How service and batch scale, as one picture: a `Scaling` document in, an SVG out.

Above what a request or a batch takes, below what that is to the baseline app, or in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from webrec import charts

Document: TypeAlias = Mapping[str, Any]

_COLUMN_IN, _HEIGHT_IN = 3.0, 5.6
_NAMES = {
    "urls": "URLs",
    "users": "users",
    "ads": "ads",
    "profile_urls": "URLs of a profile",
}
_GIB = 1 << 30


def draw(scaling: Document, file: Path) -> None:
    """Draw a column for each axis, and one for the batch if it was measured.

    Args:
        scaling: as `webrec.bench.scaling.result.Scaling.document` gives it.
        file: replaced, if it is there.

    Raises:
        OSError: it cannot be written.
    """
    axes, batch = scaling["axes"], scaling["batch"]
    columns = len(axes) + bool(batch)
    with charts.chart(file, _COLUMN_IN * max(columns, 1), _HEIGHT_IN) as figure:
        for column, axis in enumerate(axes):
            _draw_median(figure.add_subplot(2, columns, column + 1), axis)
            _draw_ratio(figure.add_subplot(2, columns, columns + column + 1), axis, scaling["aim"])
        if batch:
            _draw_seconds(figure.add_subplot(2, columns, columns), batch)
            _draw_memory(figure.add_subplot(2, columns, 2 * columns), batch)


def _draw_median(axes: charts.Axes, axis: Document) -> None:
    growth = axis["growth"]
    name = _NAMES[axis["axis"]]
    points = axis["points"]
    sizes = [point["size"] for point in points]
    _line(axes, sizes, [point["median_ms"] for point in points], "service", charts.OURS)
    _line(axes, sizes, [axis["floor_ms"]] * len(points), "baseline app", charts.BASELINE)
    charts.log_scale(axes, sizes)
    title = f"{name}: {growth['median']:.2f} times ({growth['low']:.2f}–{growth['high']:.2f})"
    charts.finish(axes, name, "median of a request, ms", title)
    axes.legend()


def _draw_ratio(axes: charts.Axes, axis: Document, aim: float) -> None:
    points = axis["points"]
    sizes = [point["size"] for point in points]
    _line(axes, sizes, [point["ratio"] for point in points], "service", charts.OURS)
    most = aim * points[0]["ratio"]["median"]
    axes.axhline(most, label=f"{aim} times the smallest", color=charts.LIMIT, linestyle=":")
    charts.log_scale(axes, sizes)
    charts.finish(axes, _NAMES[axis["axis"]], "median ÷ the baseline app's")
    axes.legend()


def _line(
    axes: charts.Axes, sizes: Sequence[int], spreads: Sequence[Document], label: str, colour: str
) -> None:
    """Medians with their range over the repeats."""
    charts.line(
        axes,
        sizes,
        [spread["median"] for spread in spreads],
        label=label,
        colour=colour,
        ranges=[(spread["low"], spread["high"]) for spread in spreads],
    )


def _draw_seconds(axes: charts.Axes, batch: Sequence[Document]) -> None:
    urls = [point["urls"] for point in batch]
    for name, colour in (("batch", charts.OURS), ("ingest", charts.OTHER)):
        charts.line(axes, urls, [p[name]["wall_s"] for p in batch], label=name, colour=colour)
    charts.log_scale(axes, urls, y=True)
    charts.finish(axes, _NAMES["urls"], "seconds", "the batch")
    axes.legend()


def _draw_memory(axes: charts.Axes, batch: Sequence[Document]) -> None:
    urls = [point["urls"] for point in batch]
    peaks = [point["batch"]["peak_bytes"] / _GIB for point in batch]
    charts.line(axes, urls, peaks, label="batch", colour=charts.OURS)
    charts.log_scale(axes, urls, y=True)
    charts.finish(axes, _NAMES["urls"], "peak memory, GiB")
    axes.legend()
