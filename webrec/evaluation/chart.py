"""The rank scores of an evaluation as one picture: an `Evaluation` in, an SVG out.

A panel for each table, and one for the learning curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from webrec import charts
from webrec.evaluation.protocols import CURVE
from webrec.evaluation.result import Estimate, Evaluation, Row, Section, Table

_MEASURE = "rank_score"
_PANEL_IN = (7.0, 3.4)
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
    with charts.chart(file, _PANEL_IN[0], _PANEL_IN[1] * max(panels, 1)) as figure:
        for index, (section, table) in enumerate(bars):
            _draw_bars(figure.add_subplot(panels, 1, index + 1), section, table)
        if curve:
            _draw_curve(figure.add_subplot(panels, 1, panels), curve)


def _draw_bars(axes: charts.Axes, section: Section, table: Table) -> None:
    rows = table.rows[::-1]
    found = [_score(row) for row in rows]
    charts.bars(
        axes,
        [row.name for row in rows],
        [each.value for each in found],
        colours=[charts.OURS if row.is_product else charts.BASELINE for row in rows],
        ranges=[(each.low, each.high) for each in found],
    )
    title = f"{section.protocol}, {table.mode}: {table.questions:,} questions"
    charts.finish(axes, "rank score, with its 95 % interval", title=title, grid="x")


def _draw_curve(axes: charts.Axes, curve: Sequence[Section]) -> None:
    visits = [section.given or 0 for section in curve]
    by_name: dict[str, list[Row]] = {}
    for section in curve:
        for row in section.tables[0].rows:
            by_name.setdefault(row.name, []).append(row)
    charts.colour_many(axes)
    for name, rows in by_name.items():
        found = [_score(row) for row in rows]
        charts.line(
            axes,
            visits,
            [each.value for each in found],
            label=name,
            style="-" if rows[0].is_product else ":",
            marker="",
            ranges=[(each.low, each.high) for each in found],
        )
    axes.set_xticks(visits)
    title = f"learning curve: {curve[0].tables[0].visitors:,} visitors"
    charts.finish(axes, "visits given", "rank score", title)
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.15), ncols=2)


def _score(row: Row) -> Estimate:
    return row.measures[_MEASURE] or _NOTHING
