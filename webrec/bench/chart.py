"""The chart of the reference experiment: a `Reference` in, an SVG out, always the same one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from webrec.bench.result import AGAINST, BASELINE, SERVICE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from webrec.bench.result import Reference

_COLOURS = {SERVICE: "#1f5fa8", BASELINE: "#7a7a7a", AGAINST: "#c06a1b"}
_NAMES = {
    SERVICE: "service",
    BASELINE: "baseline app: Flask alone",
    AGAINST: "service, other checkout",
}
_LINES = {"median": "-", "p95": "--", "p99": ":"}


def draw(reference: Reference, file: Path) -> None:
    """Write the latencies against the number of requests at once.

    Args:
        file: replaced, if it is there.

    Raises:
        OSError: it cannot be written.
    """
    # random ids and the date would make each file another
    with mpl.rc_context({"svg.hashsalt": "webrec", "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(7.5, 4.8), layout="constrained")
        axes = figure.add_subplot()
        places = list(range(len(reference.levels)))
        _sides(axes, reference, places)
        _published(axes, reference)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_xticks(places, [str(level.at_once) for level in reference.levels])
        axes.set_xlabel("requests at once")
        axes.set_ylabel("latency (ms, logarithmic)")
        axes.grid(axis="y", which="major", color="#dddddd")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
        FigureCanvasSVG(figure)
        figure.savefig(file, format="svg", metadata={"Date": None})


def _sides(axes: Axes, reference: Reference, places: list[int]) -> None:
    for side in reference.levels[0].sides:
        for name, line in _LINES.items():
            values = [getattr(level.sides[side].figures, name) for level in reference.levels]
            label = f"{_NAMES[side]}, {name}"
            axes.plot(places, values, line, marker="o", color=_COLOURS[side], label=label)


def _published(axes: Axes, reference: Reference) -> None:
    means = [
        (place, level.published.mean)
        for place, level in enumerate(reference.levels)
        if level.published is not None
    ]
    if means:
        axes.plot(*zip(*means, strict=True), "D", color="#8b1a1a", label="published, mean")
