"""How a function becomes a command: settings as flags, help, and errors as one line."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any

import click

from webrec.cli.output import print_error, print_note
from webrec.cli.stopping import Terminated, terminable
from webrec.config import PREFIX, Settings, load
from webrec.domain.extras import require
from webrec.errors import UsageError, WebrecError

_FAILED = 1
_WRONG_USAGE = 2
_INTERRUPTED = 130
_TERMINATED = 143

_OTHER_SETTINGS = f"Other settings are taken, too, and all as {PREFIX}<NAME>: docs/settings.md."


class _Failure(click.ClickException):
    """What ends a command."""

    exit_code = _FAILED

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 - click's signature
        """Print it in one line."""
        print_error(self.message)


class _WrongUsage(_Failure):
    """What ends a command that cannot be meant."""

    exit_code = _WRONG_USAGE


class Group(click.Group):
    """A group whose commands' errors become one line that says what to do."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order a newcomer meets them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and print what went wrong."""
        try:
            with terminable():
                return super().invoke(ctx)
        except UsageError as error:
            raise _WrongUsage(str(error)) from error
        except WebrecError as error:
            raise _Failure(str(error)) from error
        except (KeyboardInterrupt, Terminated) as stop:
            print_note("stopped")
            ctx.exit(_INTERRUPTED if isinstance(stop, KeyboardInterrupt) else _TERMINATED)
        except BrokenPipeError:
            # the process that read our output has gone: no error would be seen
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(_FAILED)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise _Failure(f"{where}{error.strerror or error}") from error


class SettingOption(click.Option):
    """A flag that stands for a setting; help shows it where the command reads the setting."""


class Command(click.Command):
    """A command that lists the settings it reads after its own options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the settings."""
        _write_options(self, ctx, formatter)


class GroupCommand(Group):
    """A group that is a command, too: it runs where none of its commands is named."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the settings, then the commands."""
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)


def _write_options(
    shown: click.Command, ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    own: list[tuple[str, str]] = []
    settings: list[tuple[str, str]] = []
    for parameter in shown.get_params(ctx):
        if isinstance(parameter, click.Argument):
            continue  # the line of usage names it
        if record := parameter.get_help_record(ctx):
            (settings if isinstance(parameter, SettingOption) else own).append(record)
    with formatter.section("Options"):
        formatter.write_dl(own)
    with formatter.section("Settings"):
        if settings:
            formatter.write_dl(settings)
            formatter.write_paragraph()
        formatter.write_text(_OTHER_SETTINGS)


def command(
    group: click.Group | None = None,
    name: str | None = None,
    *,
    short: str,
    reads: Sequence[str] = (),
    extra: str | None = None,
    cls: type[click.Command] = Command,
    **options: Any,
) -> Callable[..., Any]:
    """Make a function a command that takes the settings first.

    Args:
        group: the group it belongs to, if any.
        name: the function's own, when left out.
        short: the line of the command in the list of all commands.
        reads: the settings that it reads; its help shows these.
        extra: what has to be installed for it beside the core.
        options: for click.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def call(**given: Any) -> Any:
            context = click.get_current_context()
            if context.invoked_subcommand is not None:
                _refuse_options(context)
                return None
            chosen = {field: given.pop(field) for field in Settings.model_fields}
            logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
            if extra is not None:
                require(extra, f"`webrec {made.name}`")
            return function(load(**chosen), **given)

        made = click.command(
            name or function.__name__.strip("_"), cls=cls, short_help=short, **options
        )(call)
        made.params += [_option(field, shown=field in reads) for field in Settings.model_fields]
        if group is not None:
            group.add_command(made)
        return made

    return decorate


def _refuse_options(context: click.Context) -> None:
    """Refuse options between a command and one of its commands: they would have no effect.

    Raises:
        UsageError: with what to do.
    """
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{parameter.opts[0]} stands before {context.invoked_subcommand}: put it behind"
            )


def _option(field: str, *, shown: bool) -> SettingOption:
    info = Settings.model_fields[field]
    flag = "--" + field.replace("_", "-")
    return SettingOption([flag, field], metavar="VALUE", help=info.description, hidden=not shown)
