"""`webrec batch`: cluster what is in the log, and publish the result."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import click

from webrec.cli.command import command
from webrec.cli.engine import engine_of
from webrec.cli.output import as_json, print_error, print_json, print_note, print_table
from webrec.cli.progress import progress_bar
from webrec.cli.settings import MODEL, PLACES
from webrec.cli.stopping import Terminated
from webrec.config import Settings
from webrec.errors import UsageError, WebrecError

if TYPE_CHECKING:
    from webrec.batch.options import BatchOptions
    from webrec.serving.engine import Engine

RETRY_TIMEOUT_S = 120.0
"""Seconds: a store that is away for as long as a restart takes costs a batch no more than that."""

_SHOWN = 10
_ALL = 1_000_000
_LARGEST_SEED = 2**32 - 1
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class _Number(click.ParamType["int | None"]):
    """A whole number, or ``auto``."""

    name = "K|auto"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | None:
        if value is None or value == "auto":
            return None
        if re.fullmatch(r"[1-9][0-9]{0,8}", str(value)) is None:
            self.fail("give a whole number from 1, or auto", param, ctx)
        return int(value)


class _Period(click.ParamType[float]):
    """A duration such as ``6h``."""

    name = "PERIOD"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([0-9]{1,4}(?:\.[0-9]+)?)([smhd])", str(value))
        if found is None or not float(found[1]):
            self.fail("give a number and a unit, such as 30m, 6h or 1d", param, ctx)
        return float(found[1]) * _UNITS_S[found[2]]


def batch_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say how to cluster."""
    for option in (
        click.option(
            "--features",
            type=click.Choice(["semantic", "tfidf"]),
            default="semantic",
            show_default=True,
            help="Compare pages by the meaning of their texts (semantic) or their words (tfidf).",
        ),
        click.option(
            "--seed",
            type=click.IntRange(0, _LARGEST_SEED),
            default=0,
            show_default=True,
            help="Draw random numbers from this seed: the same log and seed give the same result.",
        ),
        click.option(
            "--communities",
            type=_Number(),
            default="auto",
            help="Form this many communities of users; with auto a rule finds how many.",
        ),
        click.option(
            "--categories",
            type=_Number(),
            default="auto",
            help="Form this many categories of pages; with auto a rule finds how many.",
        ),
    ):
        function = option(function)
    return function


@command(
    short="Cluster pages and users, and publish the model.",
    reads=(*PLACES, *MODEL, "keep_generations"),
    extra="batch",
)
@batch_options
@click.option(
    "--labels",
    metavar="FILE",
    help="Measure the categories against labelled pages: a file of one URL and its label a line "
    "(TSV, CSV or NDJSON).",
)
@click.option("--force", is_flag=True, help="Publish even an empty or a far smaller result.")
@click.option("--every", type=_Period(), help="Repeat the batch at this interval (30m, 6h, 1d).")
@as_json
def batch(
    settings: Settings,
    categories: int | None,
    communities: int | None,
    seed: int,
    features: Any,
    labels: str | None,
    force: bool,
    every: float | None,
    as_json: bool,
) -> None:
    """Cluster pages and users, and publish the result as the active model."""
    from webrec.batch.options import BatchOptions
    from webrec.formats.label_file import read_labels

    labelled = {} if labels is None else read_labels(labels)  # before the work, not after
    options = BatchOptions(
        categories, communities, features, seed, force, settings.taxonomy, labelled
    )
    if every is None:
        _one(settings, options, as_json=as_json)
    else:
        try:
            _repeat(settings, options, every, as_json=as_json)
        except Terminated:
            print_note("stopped")  # as asked: no failure


def _repeat(settings: Settings, options: BatchOptions, every: float, *, as_json: bool) -> NoReturn:
    """Run one batch after the other, until the process is stopped.

    A stop does not wait for the end of a batch: it gives back its lease, and the next batch takes
    away what it left.
    """
    while True:
        started = time.monotonic()
        try:
            _one(settings, options, as_json=as_json)
        except UsageError:
            raise  # the next batch would meet it, too
        except WebrecError as error:
            print_error(str(error))
        time.sleep(max(0.0, every - (time.monotonic() - started)))


def _one(settings: Settings, options: BatchOptions, *, as_json: bool) -> None:
    from clustering.learners import default_learners
    from webrec.admin.models import all_models
    from webrec.batch import job

    started = time.monotonic()
    with engine_of(settings, RETRY_TIMEOUT_S) as engine:
        learners = default_learners(options, settings)
        with progress_bar() as progress:
            generation, written = job.run(
                engine.tables, engine.log, engine.recorder, settings, learners, options, progress
            )
        seconds = time.monotonic() - started
        engine.refresh()
        model = next(m for m in all_models(engine.tables) if m["id"] == generation.id)
        if as_json:
            print_json(model | {"seconds": round(seconds, 3), "written": written._asdict()})
        else:
            _show(engine, model, seconds)
            print_note(f"written: {written}")


def _show(engine: Engine, model: dict[str, Any], seconds: float) -> None:
    from webrec.admin.categories import list_categories
    from webrec.admin.communities import list_communities

    print_table(
        ("what", "how many"),
        [(name.replace("_", " "), count) for name, count in model["counts"].items()],
        title=f"model {model['id']}, made in {seconds:.1f} s",
    )
    categories = list_categories(engine, _ALL, "").items
    largest = sorted(categories, key=lambda c: (-c["size"], c["id"]))[:_SHOWN]
    print_table(
        ("category", "pages", "label", "keywords"),
        [(c["id"], c["size"], c["label"], ", ".join(c["keywords"][:6])) for c in largest],
        title=f"the largest of {len(categories)} categories",
    )
    communities = list_communities(engine, _ALL, "").items
    print_table(
        ("community", "users"),
        [(c["id"], c["size"]) for c in sorted(communities, key=lambda c: -c["size"])[:_SHOWN]],
        title=f"the largest of {len(communities)} communities",
    )
    quality = ", ".join(f"{name} {value:.3g}" for name, value in model["quality"].items())
    print_note(f"quality: {quality or 'nothing to measure'}")
