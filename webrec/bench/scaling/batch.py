"""What the batch takes: the commands from nothing to a published model, each in its own process."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import orjson

from webrec import config
from webrec.bench.commands import environment, python
from webrec.bench.scaling.result import BatchPoint, Cost
from webrec.bench.scaling.temporary import own_settings, temporary_store
from webrec.domain.progress import Progress
from webrec.errors import WebrecError

BATCH_URLS = (10_000, 100_000, 1_000_000)
"""URLs of the worlds that are clustered, ascending."""

URLS_PER_USER = 20
VISITS_PER_USER = 40
CATEGORIES, COMMUNITIES = 100, 20
"""The proportions of the reference experiment."""


# The peak that the system gives for a child is never below that of the process that started it,
# which may have made a large world: so a small process starts it, and says what it took.
_METER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(child.pid, 0)
wall_s = time.perf_counter() - started
child.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
sys.exit(0 if child.returncode == 0 else 1)
"""


def measure_batch(
    urls: int,
    folder: Path,
    progress: Progress,
    *,
    categories: int = CATEGORIES,
    communities: int = COMMUNITIES,
    settings: config.Settings | None = None,
) -> BatchPoint:
    """Make a synthetic world, load it and cluster it, by the commands.

    Users and visits grow with the URLs.

    Args:
        urls: how many.
        folder: for the files, which are taken away afterwards.
        progress: is called with the command that runs.
        settings: of the commands. With a store on HBase one whose name begins with it is used,
            and dropped afterwards; else SQLite in ``folder``.

    Raises:
        UsageError: the folder or the store holds what would have to be taken away.
        WebrecError: a command failed.
    """
    users = max(communities, urls // URLS_PER_USER)
    settings = own_settings(settings or config.load(), folder, f"batch-{urls}")
    home = settings.home
    many = ("--categories", f"{categories}", "--communities", f"{communities}")
    world = ("--urls", f"{urls}", "--users", f"{users}", "--campaigns", "0", "--requests", "0")
    files = [str(home / "world" / name) for name in ("pages.ndjson", "visits.ndjson")]
    commands = {
        "world": (*world, *many, "--out", str(home / "world")),
        "ingest": (*files, "--strict"),
        "batch": many,
    }
    costs: dict[str, Cost] = {}
    with temporary_store(settings):
        for done, (name, arguments) in enumerate(commands.items()):
            progress(f"a batch of {urls:,} URLs: {name}", done, len(commands))
            costs[name] = measure_command([name, *arguments, "--json"], settings)
    return BatchPoint(
        urls=urls,
        users=users,
        visits=users * VISITS_PER_USER,
        **costs,
        pages_per_s=urls / costs["batch"].wall_s,
    )


def measure_command(arguments: Sequence[str], settings: config.Settings) -> Cost:
    """Run one `webrec` command to its end.

    Args:
        settings: those it runs with, and no others.

    Raises:
        WebrecError: it failed.
    """
    with subprocess.Popen(  # noqa: S603 - our own command
        [*python("-c", _METER), *python("-m", "webrec"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(settings),
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)  # what it started, too
            raise
    if process.returncode:
        raise WebrecError(f"webrec {' '.join(arguments)} failed: {errors.decode()[-2_000:]}")
    wall_s, cpu_s, peak_bytes = orjson.loads(output.splitlines()[-1])
    return Cost(wall_s=wall_s, cpu_s=cpu_s, peak_bytes=peak_bytes)
