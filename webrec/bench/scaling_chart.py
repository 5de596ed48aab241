"""The growth of the service and of the batch as one picture: a `Growth` document in, an SVG out.

Above what a request or a batch takes, below what that is to the floor, or in memory. The same
document gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Document: TypeAlias = Mapping[str, Any]

_SIZE = (3.0, 5.6)  # inches: of a column, and of the whole height
_SERVICE, _FLOOR, _OTHER = "#1f4e9c", "#8a8a8a", "#c25b12"
_NAMES = {
    "urls": "URLs",
    "users": "users",
    "ads": "ads",
    "profile_urls": "URLs of a profile",
}
_GIB = 1 << 30


def draw(growth: Document, path: Path) -> None:
    """Draw a column for each axis, and one for the batch if it was measured.

    Args:
        growth: as `webrec.bench.scaling.Growth.document` gives it.
        path: of the SVG.
    """
    axes, batch = growth["axes"], growth["batch"]
    columns = len(axes) + bool(batch)
    with mpl.rc_context(
        {"svg.hashsalt": "webrec", "svg.fonttype": "none", "font.size": 9, "axes.titlesize": 9}
    ):
        figure = Figure((_SIZE[0] * max(columns, 1), _SIZE[1]), layout="constrained")
        for column, axis in enumerate(axes):
            _draw_median(figure.add_subplot(2, columns, column + 1), axis)
            _draw_ratio(figure.add_subplot(2, columns, columns + column + 1), axis, growth["aim"])
        if batch:
            _draw_seconds(figure.add_subplot(2, columns, columns), batch)
            _draw_memory(figure.add_subplot(2, columns, 2 * columns), batch)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _draw_median(axes: Axes, axis: Document) -> None:
    growth = axis["growth"]
    name = _NAMES[axis["axis"]]
    axes.set_title(
        f"{name}: {growth['median']:.2f} times ({growth['low']:.2f}–{growth['high']:.2f})"
    )
    points = axis["points"]
    sizes = [point["size"] for point in points]
    _line(axes, sizes, [point["median_ms"] for point in points], "service", _SERVICE)
    _line(axes, sizes, [axis["floor_ms"] for _ in points], "floor", _FLOOR)
    _finish(axes, name, "median of a request, ms")


def _draw_ratio(axes: Axes, axis: Document, aim: float) -> None:
    points = axis["points"]
    sizes = [point["size"] for point in points]
    _line(axes, sizes, [point["ratio"] for point in points], "service ÷ floor", _SERVICE)
    most = aim * points[0]["ratio"]["median"]
    axes.axhline(most, label=f"{aim} times the smallest", color=_OTHER, linestyle=":")
    _finish(axes, _NAMES[axis["axis"]], "median ÷ the floor's")


def _line(
    axes: Axes, sizes: Sequence[int], spreads: Sequence[Document], label: str, colour: str
) -> None:
    """Medians with their range over the repeats."""
    middle = [spread["median"] for spread in spreads]
    below = [spread["median"] - spread["low"] for spread in spreads]
    above = [spread["high"] - spread["median"] for spread in spreads]
    axes.errorbar(sizes, middle, [below, above], label=label, color=colour, marker="o", capsize=3)


def _draw_seconds(axes: Axes, batch: Sequence[Document]) -> None:
    axes.set_title("the batch")
    urls = [point["urls"] for point in batch]
    for name, colour in (("batch", _SERVICE), ("ingest", _OTHER)):
        axes.plot(urls, [p[name]["wall_s"] for p in batch], label=name, color=colour, marker="o")
    axes.set_yscale("log")
    _finish(axes, _NAMES["urls"], "seconds")


def _draw_memory(axes: Axes, batch: Sequence[Document]) -> None:
    urls = [point["urls"] for point in batch]
    peaks = [point["batch"]["peak_bytes"] / _GIB for point in batch]
    axes.plot(urls, peaks, label="batch", color=_SERVICE, marker="o")
    axes.set_yscale("log")
    _finish(axes, _NAMES["urls"], "peak memory, GiB")


def _finish(axes: Axes, name: str, what: str) -> None:
    axes.set_xscale("log")
    axes.set_xlabel(name)
    axes.set_ylabel(what)
    if axes.get_yscale() == "linear":
        axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
