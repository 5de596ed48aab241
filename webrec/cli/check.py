"""`webrec check`: what is wrong, and what to do about it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import click

from service.api_keys import KeyFile
from webrec.cli.command import command
from webrec.cli.engine import engine_of
from webrec.cli.output import as_json, print_json, print_table
from webrec.cli.settings import PLACES
from webrec.config import Settings
from webrec.errors import LogUnavailable, WebrecError

if TYPE_CHECKING:
    from webrec.serving.engine import Engine


class _Finding(NamedTuple):
    """One thing looked at, and what was found."""

    name: str
    ok: bool
    detail: str


@command(short="Find out whether everything works.", reads=(*PLACES, "keys"))
@as_json
def check(settings: Settings, as_json: bool) -> None:
    """Check store, log, model, campaigns and keys; exit with 1 if something is wrong."""
    findings = [*_parts(settings), _keys(settings)]
    if as_json:
        print_json(
            {
                "ok": all(f.ok for f in findings),
                "checks": {f.name: {"ok": f.ok, "detail": f.detail} for f in findings},
            }
        )
    else:
        print_table(
            ("", "what", "finding"),
            [("✓" if f.ok else "✗", f.name, f.detail) for f in findings],
        )
    if not all(f.ok for f in findings):
        raise click.exceptions.Exit(1)


def _parts(settings: Settings) -> list[_Finding]:
    try:
        with engine_of(settings) as engine:
            engine.refresh()
            looks = (("store", _store), ("log", _log), ("model", _model), ("campaigns", _campaigns))
            return [_look(name, engine, look) for name, look in looks]
    except WebrecError as error:
        return [_Finding("store and log", False, str(error))]


def _look(name: str, engine: Engine, look: Callable[[Engine], str]) -> _Finding:
    try:
        return _Finding(name, True, look(engine))
    except WebrecError as error:
        return _Finding(name, False, str(error))


def _store(engine: Engine) -> str:
    forgotten = len(engine.tables.visitors.forgotten())
    waiting = f"; {forgotten:,} forgotten visitors wait for the next batch" if forgotten else ""
    return f"{engine.settings.store_uri} answers{waiting}"


def _log(engine: Engine) -> str:
    from webrec.admin.operation import log_backlog

    log = engine.log
    log.check()
    log.ship(lambda: True)  # only looks whether it could
    waiting = log.unshipped()
    if waiting.why:
        raise LogUnavailable(waiting.in_words(time.time()))
    shipping = f"; {waiting.in_words(time.time())}" if waiting.segments else ""
    left = len(log.open_segments())
    return (
        f"{engine.settings.log_uri} can be written; {len(log.closed_segments()):,} segments "
        f"closed, {left:,} open, {log_backlog(engine):,} not in the model yet{shipping}"
    )


def _model(engine: Engine) -> str:
    from webrec.admin.models import active_model

    generation = active_model(engine)
    hours = (time.time() - generation.created_ms / 1000) / 3_600
    counts = generation.counts
    return (
        f"model {generation.id}, {hours:.1f} hours old: {counts['pages']:,} pages in "
        f"{counts['categories']:,} categories, {counts['profiles']:,} users, "
        f"{counts['communities']:,} communities"
    )


def _campaigns(engine: Engine) -> str:
    now_ms = time.time_ns() // 1_000_000
    found = list(engine.tables.campaigns.all())
    running = sum(campaign.runs_at(now_ms) for campaign in found)
    return f"{len(found):,} known, {running:,} running now"


def _keys(settings: Settings) -> _Finding:
    try:
        entries = KeyFile(settings.keys_path).entries()
    except WebrecError as error:
        return _Finding("keys", False, str(error))
    if not entries:
        return _Finding("keys", True, "none: the service answers this machine only")
    return _Finding("keys", True, f"{len(entries):,} in {settings.keys_path}")
