"""Commands of webrec in processes of their own, with settings and code that are given to them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from webrec.config import PREFIX, Settings
from webrec.errors import WebrecError

_STOP_S = 60.0
"""Seconds that a command has to end in when the caller is interrupted: a batch ends its step."""

_OUR_CODE = Path(__file__).resolve().parents[2]


class CommandFailed(WebrecError):
    """A command of webrec failed; it has said why."""


def python(*arguments: str) -> list[str]:
    """The command that runs Python without looking for modules in the present folder."""
    return [sys.executable, "-P", *arguments]


def environment(settings: Settings, checkout: Path | None = None) -> dict[str, str]:
    """The environment in which a `webrec` command has these settings and no others.

    Args:
        checkout: the checkout of webrec whose code runs; our own when left out.
    """
    others = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    given = {name: value for name, value in settings if value not in (None, "")}
    code = [str(checkout.resolve() if checkout else _OUR_CODE), others.get("PYTHONPATH", "")]
    return {
        **others,
        **{PREFIX + name.upper(): str(value) for name, value in given.items()},
        "PYTHONPATH": os.pathsep.join(filter(None, code)),
    }


def run_command(command: tuple[str, ...], environment_: Mapping[str, str]) -> None:
    """Run a `webrec` command to its end; its progress and errors go where the caller's go.

    Raises:
        CommandFailed: its exit status is not 0.
    """
    process = subprocess.Popen(  # noqa: S603 - our own command
        python("-m", "webrec", *command), stdout=subprocess.DEVNULL, env=environment_
    )
    try:
        status = process.wait()
    except BaseException:
        process.terminate()  # so that a batch gives back its lease
        try:
            process.wait(_STOP_S)
        except BaseException:
            process.kill()
            raise
        raise
    if status:
        raise CommandFailed(f"`webrec {command[0]}` failed with exit status {status}")
