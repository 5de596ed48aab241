"""The chart of the reference experiment: a `Reference` in, an SVG out."""

from __future__ import annotations

from pathlib import Path

from webrec import charts
from webrec.bench.reference.result import AGAINST, BASELINE, SERVICE, Reference

_COLOURS = {SERVICE: charts.OURS, BASELINE: charts.BASELINE, AGAINST: charts.OTHER}
_NAMES = {
    SERVICE: "service",
    BASELINE: "baseline app: Flask alone",
    AGAINST: "service, other checkout",
}
_STYLES = {"median": "-", "p95": "--", "p99": ":"}
_SIZE_IN = (7.5, 4.0)


def draw(reference: Reference, file: Path) -> None:
    """Write the latencies against the number of requests at once.

    Args:
        file: replaced, if it is there.

    Raises:
        OSError: it cannot be written.
    """
    with charts.chart(file, *_SIZE_IN) as figure:
        axes = figure.add_subplot()
        _sides(axes, reference)
        _published(axes, reference)
        charts.log_scale(axes, y=True)
        axes.set_xticks(
            range(len(reference.levels)), [str(level.at_once) for level in reference.levels]
        )
        charts.finish(axes, "requests at once", "latency (ms, logarithmic)")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _sides(axes: charts.Axes, reference: Reference) -> None:
    for side in reference.levels[0].sides:
        for name, style in _STYLES.items():
            values = [getattr(level.sides[side].figures, name) for level in reference.levels]
            label = f"{_NAMES[side]}, {name}"
            charts.line(
                axes, range(len(values)), values, label=label, colour=_COLOURS[side], style=style
            )


def _published(axes: charts.Axes, reference: Reference) -> None:
    means = [
        (index, level.published.mean)
        for index, level in enumerate(reference.levels)
        if level.published is not None
    ]
    if means:
        x, y = zip(*means, strict=True)
        charts.line(
            axes, x, y, label="published, mean", colour=charts.LIMIT, style="none", marker="D"
        )
