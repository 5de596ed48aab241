"""`webrec bench`: the reference experiment on this machine."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webrec.cli.command import GroupCommand, command
from webrec.cli.output import as_json, draw_chart, out, print_error, print_json, print_table
from webrec.cli.progress import progress_bar
from webrec.cli.settings import ANSWERS, SERVERS
from webrec.config import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from webrec.bench.figures import Spread
    from webrec.bench.reference.result import Level, Reference

QUICK_WORLD = {
    "urls": 20_000,
    "users": 2_000,
    "categories": 20,
    "communities": 5,
    "campaigns": 200,
}
_MIB, _GIB = 1 << 20, 1 << 30
_WORDS = {"per_s": "requests/s", "floor": "baseline app"}
"""What people read for some names of the JSON."""
_MOST_DEGRADED = 0.01
"""The share of degraded answers past which a run says nothing of the service."""


@command(
    short="Measure the service: the reference experiment.",
    reads=("store", *SERVERS, *ANSWERS, "min_visits", "profile_urls", "taxonomy"),
    extra="batch",
    cls=GroupCommand,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND [ARGS]...]",
)
@click.option(
    "--folder",
    type=Path,
    default=Path("webrec-bench"),
    show_default=True,
    help="Keep the world, its store and its log in this folder for the next run.",
)
@click.option(
    "--requests",
    type=click.IntRange(1),
    help="Send this many requests at each level; 5000, or 1000 with --quick, if left out.",
)
@click.option(
    "--repeats",
    type=click.IntRange(1),
    help="Repeat everything this many times; 5, or 3 with --quick, if left out.",
)
@click.option(
    "--checked",
    type=click.IntRange(0),
    default=300,
    show_default=True,
    help="Hold this many answers against the definitions.",
)
@click.option(
    "--urls",
    type=click.IntRange(1_000),
    help="Make a world of this many URLs; 200000, or 20000 with --quick, if left out.",
)
@click.option(
    "--users",
    type=click.IntRange(100),
    help="Make a world of this many users; 10000, or 2000 with --quick, if left out.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Draw the world from this seed.",
)
@click.option("--quick", is_flag=True, help="Use a tenth of the world, and fewer requests.")
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Measure the service of another checkout, too; exit with 1 if ours is slower.",
)
@click.option(
    "--chart",
    type=Path,
    metavar="FILE",
    help="Write the chart to this SVG file; FOLDER/latency.svg if left out.",
)
@as_json
def bench(
    settings: Settings,
    folder: Path,
    requests: int | None,
    repeats: int | None,
    checked: int,
    urls: int | None,
    users: int | None,
    seed: int,
    quick: bool,
    against: Path | None,
    chart: Path | None,
    as_json: bool,
) -> None:
    """Measure the service: the reference experiment, beside the published figures.

    A world of 200,000 URLs and 10,000 users is made, the service is started on it, and beside it
    the least that the same stack can do (the baseline app). Both are sent the same requests in
    turns. Answers given under load are held against the definitions.

    The store and the log are in FOLDER; with --store hbase://host:9090/prefix the store is there,
    where it must be empty at first.
    """
    from webrec.bench.interleaving import QUICK, Pace
    from webrec.bench.reference import experiment
    from webrec.synthetic.spec import WorldSpec

    sizes = (QUICK_WORLD if quick else {}) | _given(urls=urls, users=users)
    pace = QUICK if quick else Pace()
    pace = replace(pace, requests=requests or pace.requests, repeats=repeats or pace.repeats)
    now_ms = time.time_ns() // 1_000_000
    spec = WorldSpec(now_ms=now_ms, seed=seed, requests=0, **sizes)
    plan = experiment.ReferencePlan(
        folder=folder, spec=spec, pace=pace, checked=checked, seed=seed, against=against
    )
    found = experiment.run(settings, plan, progress_bar)
    if as_json:
        print_json(found.document())
    else:
        _show(found)
    draw_chart(_drawing, found, chart or folder / "latency.svg", "webrec[bench]")
    if _is_bad(found, checked):
        raise click.exceptions.Exit(1)


def _given(**numbers: int | None) -> dict[str, int]:
    """The numbers that are not left out."""
    return {name: number for name, number in numbers.items() if number is not None}


def _show(found: Reference) -> None:
    machine = found.machine
    out.print(
        f"Here: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_bytes'] / _GIB:.0f} GiB; store {machine['store']}; "
        f"{machine['workers']} workers of {machine['threads']} threads.\n"
        "Published (Baldominos et al.): 8 cores, 16 GB; Hadoop 2.4, HBase 0.98, JBoss.\n"
    )
    for level in found.levels:
        _show_level(level, found.pace.repeats)
    if found.bare is not None:
        out.print(
            f"HBase alone, median ms: recent {found.bare.recent:.2f}, profile "
            f"{found.bare.profile:.2f}, both {found.bare.both:.2f}; the service takes "
            f"{spread_text(found.bare.ratio)} times baseline app and both, "
            f"{spread_text(found.bare.ratio_recent)} times baseline app and recent"
        )
    memory = ", ".join(f"{held.pss / _MIB:.0f}" for held in found.memory)
    out.print(f"Memory of master and workers, shared pages divided (PSS, MiB): {memory or '–'}")
    checked = found.checked
    out.print(
        f"Answers: {checked.answers:,}, {checked.degraded:,} of them degraded; {checked.n:,} of "
        f"{checked.eligible:,} eligible ones held against the definitions: {checked.wrong:,} wrong"
    )


def _show_level(level: Level, repeats: int) -> None:
    columns = ("ms", "mean", "median", "sd", "p95", "p99", "max", "requests/s", "cpu ms each")
    rows = []
    for name, side in level.sides.items():
        f = side.figures
        values = (f.mean, f.median, f.sd, f.p95, f.p99, f.max)
        shown = (*(f"{value:.2f}" for value in values), f"{f.per_s:,.0f}")
        rows.append((_WORDS.get(name, name), *shown, f"{side.cpu_ms.median:.2f}"))
    if level.published is not None:
        mean, median, sd = level.published
        rows.append(("published", f"{mean:.2f}", f"{median:.0f}", f"{sd:.2f}", *["–"] * 5))
    print_table(columns, rows, title=f"{level.at_once} at once, all of {repeats} repeats")
    for name, ratios in level.ratios.items():
        each = (f"{_WORDS.get(of, of)} {spread_text(ratio)}" for of, ratio in ratios.items())
        out.print(f"  service / {_WORDS.get(name, name)}: {', '.join(each)}")
    generator = level.generator
    out.print(f"  p99 / median of the service: {spread_text(level.tail)}")
    out.print(
        f"  load generator: {generator.cpu_us:.0f} µs of processor for a request, "
        f"{100 * generator.share:.0f} % of a core; up to {generator.bare_per_s:,.0f} requests/s "
        "to a bare responder\n"
    )


def spread_text(spread: Spread) -> str:
    """A number and how far its repeats go."""
    return f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})"


def _drawing() -> Callable[[Reference, Path], None]:
    from webrec.bench.reference.chart import draw

    return draw


def _is_bad(found: Reference, wanted: int) -> bool:
    """Whether the exit status is 1; prints why.

    Args:
        wanted: how many answers were to be checked.
    """
    checked = found.checked
    if checked.wrong:
        print_error(f"{checked.wrong:,} of {checked.n:,} answers are wrong")
        for difference in checked.differences:
            print_error(difference)
    for at_once in found.worse:
        print_error(f"{at_once} at once, the service is slower than that of the other checkout")
    is_unchecked = wanted > 0 and checked.n == 0
    if is_unchecked:
        print_error("no answer could be held against the definitions")
    is_degraded = checked.degraded > checked.answers * _MOST_DEGRADED
    if is_degraded:
        print_error(
            f"{checked.degraded:,} answers left out a read: the store was away, or too slow"
        )
    return bool(checked.wrong or found.worse or is_unchecked or is_degraded)
