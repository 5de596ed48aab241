"""`webrec evaluate`: how good the recommendations are, measured on the site's own log."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webrec.cli.batch import batch_options
from webrec.cli.command import command
from webrec.cli.engine import engine_of
from webrec.cli.output import as_json, draw_chart, out, print_json, print_note, print_table
from webrec.cli.progress import progress_bar
from webrec.cli.settings import MODEL, PLACES
from webrec.config import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from webrec.evaluation.interactions import SiteLog
    from webrec.evaluation.result import Estimate, Evaluation, Row, Section, Table
    from webrec.serving.engine import Engine

ALL = "all"
PROTOCOLS = ("time", "allbut1", "given2", "given5", "given10", "curve", ALL)

_CUT_WAIT_S = 30.0
_COLUMNS = {
    "rank_score": "rank score",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "ndcg": "NDCG",
    "mrr": "MRR",
    "novelty": "novelty",
}


def _finite(
    _context: click.Context, _option: click.Parameter, values: tuple[float, ...]
) -> tuple[float, ...]:
    """Refuse a weight that is no finite number: it orders nothing."""
    for value in values:
        if not math.isfinite(value):
            raise click.BadParameter(f"{value} is no weight: it must be a finite number")
    return values


@command(
    short="Measure how good the recommendations are, on your own log.",
    reads=(*PLACES, *MODEL, "w_ads", "w_aff", "w_sim", "online"),
    extra="batch",
)
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default="time",
    show_default=True,
    help="Split the log in this way into what is learnt from and what is asked about.",
)
@click.option(
    "--users",
    type=click.IntRange(1),
    help="Hold out this many visitors; a quarter of those with enough pages, at most 5000, if left "
    "out.",
)
@click.option(
    "--visits",
    type=click.IntRange(1),
    help="Ask about this many visits, with --protocol time; all, at most 5000, if left out.",
)
@click.option(
    "--limit",
    type=click.IntRange(10, 100),
    default=100,
    show_default=True,
    help="Ask for lists of this length; a page that is not in them counts as missed.",
)
@click.option(
    "--also-w-sim",
    type=click.FloatRange(0),
    multiple=True,
    default=(0.0,),
    show_default=True,
    callback=_finite,
    help="Measure this weight of similarity beside that of the settings; give it again for another "
    "one. 0 is the published priority.",
)
@click.option(
    "--from-last",
    is_flag=True,
    help="Ask from the last page that is given, and not from an unknown one (time always does).",
)
@batch_options
@click.option(
    "--chart", type=Path, metavar="FILE.svg", help="Draw the figures into this file, too."
)
@as_json
def evaluate(
    settings: Settings,
    protocol: str,
    users: int | None,
    visits: int | None,
    limit: int,
    also_w_sim: tuple[float, ...],
    from_last: bool,
    categories: int | None,
    communities: int | None,
    seed: int,
    features: Any,
    chart: Path | None,
    as_json: bool,
) -> None:
    """Measure how good the recommendations are, on the site's own log.

    Part of the log is learnt from, by the same batch, and the visits of the other part are asked
    for: each algorithm alone, the product with its fallbacks, and beside them popularity,
    item-to-item neighbours and matrix factorisation. Nothing of the model that serves is touched.

    docs/evaluation.md says what the protocols and the measures are.
    """
    from webrec.batch.options import BatchOptions
    from webrec.evaluation.run import EvaluationOptions, run

    batch = BatchOptions(
        categories, communities, features, seed, force=True, taxonomy=settings.taxonomy
    )
    options = EvaluationOptions(
        protocols=None if protocol == ALL else [protocol],
        users=users,
        visits=visits,
        seed=seed,
        limit=limit,
        batch=batch,
        also_w_sim=also_w_sim,
        from_last=from_last,
    )
    with engine_of(settings) as engine, progress_bar() as progress:
        found = run(_site_log(engine), settings, options, progress)
    if as_json:
        print_json(found.document())
    else:
        _show(found)
    if chart is not None:
        draw_chart(_drawing, found, chart, '"webrec[evaluate]"')


def _site_log(engine: Engine) -> SiteLog:
    """The log until now, as the next batch would read it."""
    from webrec.evaluation.interactions import SiteLog

    watermark = engine.recorder.cut(_CUT_WAIT_S)
    tables = engine.tables
    return SiteLog(engine.log, watermark, tables.visitors.forgotten(), list(tables.campaigns.all()))


def _show(found: Evaluation) -> None:
    for section in found.sections:
        learnt = ", ".join(f"{n:,} {what}" for what, n in section.learnt.items())
        out.print(f"[bold]{_title(section)}[/]: learnt from {learnt}")
        for table in section.tables:
            _show_table(section, table)
        for name, reason in section.left_out.items():
            print_note(f"{name} is left out: {reason}")
    for protocol, reason in found.skipped.items():
        print_note(f"{protocol} is left out: {reason}")


def _title(section: Section) -> str:
    if section.protocol != "curve":
        return section.protocol
    return f"curve, after {section.given} visit{'s' if section.given != 1 else ''}"


def _show_table(section: Section, table: Table) -> None:
    if table.reason is not None:
        out.print(f"  {table.mode}: {table.reason}\n")
        return
    rows = [
        (
            row.name,
            *(_shown(row.measures[name]) for name in _COLUMNS),
            f"{row.coverage:.3f}",
            f"{row.answered:.3f}",
        )
        for row in table.rows
    ]
    title = (
        f"{table.mode}: {table.questions:,} questions about {table.visitors:,} visitors, "
        f"{table.candidates:,} pages to choose from, {100 * table.unknown:.1f} % of the pages "
        "wanted are not among them"
    )
    print_table(("", *_COLUMNS.values(), "coverage", "answered"), rows, title=title)
    for row in table.rows:
        _show_steps(section, row)
    out.print()


def _show_steps(section: Section, row: Row) -> None:
    if not row.steps:
        return
    steps = ", ".join(f"{name} {100 * share:.1f} %" for name, share in row.steps.items())
    out.print(f"  {row.name}: answered by {steps}")
    if section.protocol == "time":
        known = {"visits": row.measures["known_visits"], "accepts": row.measures["known_accepts"]}
        shares = (f"{what} {_percent(share)}" for what, share in known.items())
        out.print(f"  {row.name}: what came next was among the first 10: {', '.join(shares)}")


def _shown(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    digits = 1 if estimate.value >= 1 else 3
    value, low, high = (f"{x:.{digits}f}" for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low}–{high})"


def _percent(share: Estimate | None) -> str:
    if share is None:
        return "none"
    return f"{100 * share.value:.1f} % ({100 * share.low:.1f}–{100 * share.high:.1f})"


def _drawing() -> Callable[[Evaluation, Path], None]:
    from webrec.evaluation.chart import draw

    return draw
