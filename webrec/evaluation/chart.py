"""The rank scores of an evaluation as one picture: an `Evaluation` in, an SVG out.

A panel for each table, and one for the learning curve. The same figures give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from webrec.evaluation.protocols import CURVE
from webrec.evaluation.result import Estimate, Evaluation, Row, Section, Table

_MEASURE = "rank_score"
_PANEL = (7.0, 3.4)  # inches
_PRODUCT, _BASELINE = "#1f4e9c", "#8a8a8a"
_NOTHING = Estimate(0.0, 0.0, 0.0)


def draw(evaluation: Evaluation, file: Path) -> None:
    """Draw every table that has rows.

    Args:
        file: replaced, if it is there.

    Raises:
        OSError: it cannot be written.
    """
    curve = [section for section in evaluation.sections if section.protocol == CURVE]
    bars = [
        (section, table)
        for section in evaluation.sections
        if section.protocol != CURVE
        for table in section.tables
        if table.rows
    ]
    panels = len(bars) + bool(curve)
    # random ids and the date would make each file another
    with mpl.rc_context(
        {"svg.hashsalt": "webrec", "svg.fonttype": "none", "font.size": 9, "axes.titlesize": 9}
    ):
        figure = Figure((_PANEL[0], _PANEL[1] * max(panels, 1)), layout="constrained")
        for place, (section, table) in enumerate(bars):
            _draw_bars(figure.add_subplot(panels, 1, place + 1), section, table)
        if curve:
            _draw_curve(figure.add_subplot(panels, 1, panels), curve)
        figure.savefig(file, format="svg", metadata={"Date": None})


def _draw_bars(axes: Axes, section: Section, table: Table) -> None:
    rows = table.rows[::-1]
    found = [_score(row) for row in rows]
    axes.barh(
        [row.name for row in rows],
        [each.value for each in found],
        xerr=_errors(found),
        color=[_colour(row) for row in rows],
        capsize=3,
    )
    axes.set_title(f"{section.protocol}, {table.mode}: {table.questions:,} questions")
    axes.set_xlabel("rank score, with its 95 % interval")
    axes.grid(axis="x", alpha=0.3)


def _draw_curve(axes: Axes, curve: Sequence[Section]) -> None:
    visits = [section.given or 0 for section in curve]
    by_name: dict[str, list[Row]] = {}
    for section in curve:
        for row in section.tables[0].rows:
            by_name.setdefault(row.name, []).append(row)
    axes.set_prop_cycle(color=mpl.color_sequences["tab20"])  # ten are not enough
    for name, rows in by_name.items():
        found = [_score(row) for row in rows]
        line = "-" if rows[0].is_product else ":"
        axes.errorbar(
            visits, [each.value for each in found], _errors(found), fmt=line, label=name, capsize=2
        )
    axes.set_title(f"learning curve: {curve[0].tables[0].visitors:,} visitors")
    axes.set_xlabel("visits given")
    axes.set_xticks(visits)
    axes.set_ylabel("rank score")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.15), ncols=2, frameon=False)


def _score(row: Row) -> Estimate:
    return row.measures[_MEASURE] or _NOTHING


def _errors(found: Sequence[Estimate]) -> list[list[float]]:
    """How far the intervals reach down and up."""
    return [
        [max(each.value - each.low, 0.0) for each in found],
        [max(each.high - each.value, 0.0) for each in found],
    ]


def _colour(row: Row) -> str:
    return _PRODUCT if row.is_product else _BASELINE
