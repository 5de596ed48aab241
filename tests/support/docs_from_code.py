"""The pages of ``docs/`` from the code: `python -m tests.support.docs_from_code` writes them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from webrec.config import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_SETTINGS = """\
# Settings

This page is written by the code (`make docs`): change the words in `webrec/config.py`.

A setting comes from the first of these that names it:

1. a flag of the command: `webrec serve --workers 8`;
2. a variable in the environment: `WEBREC_WORKERS=8`;
3. the default.

Every command takes every setting as a flag; its `--help` shows those that it reads. The flag of
`WEBREC_MIN_VISITS` is `--min-visits`. An empty variable counts as none. A value that cannot be
meant ends the command with exit status 2 and a line that names the setting.

Service and batch must agree on the store, the log and the weights: give both the same environment.

| variable | default | values | meaning |
|---|---|---|---|
{rows}

A relative path counts from the folder that the command is started in. A path in `WEBREC_STORE` is
relative with three slashes (`sqlite:///webrec.db`) and absolute with four
(`sqlite:////var/lib/webrec/webrec.db`); in `WEBREC_LOG` it is absolute with three
(`file:///var/lib/webrec/log`).
"""


def settings_page() -> str:
    """`docs/settings.md`, out of `webrec.config.Settings`."""
    return _SETTINGS.format(rows="\n".join(map(_row, Settings.model_fields)))


PAGES = {DOCS / "settings.md": settings_page}
"""Each page that comes from the code, and what makes it."""


def _row(name: str) -> str:
    info = Settings.model_fields[name]
    shown = "" if info.default in ("", None) else f"`{_default(info.default)}`"
    cells = (f"`{PREFIX}{name.upper()}`", shown, _values(info), info.description)
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _default(value: Any) -> Any:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


def _values(info: Any) -> str:
    """What may be given, in words."""
    if info.annotation is bool:
        return "`on`, `off`"
    kind = next((k for k in get_args(info.annotation) if k is not NoneType), info.annotation)
    if get_origin(info.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(info.annotation))
    bounds = [
        f"{words} {getattr(limit, name)}"
        for limit in info.metadata
        for name, words in (("ge", "from"), ("le", "to"))
        if hasattr(limit, name)
    ]
    words = {int: "integer", float: "number", Path: "path", str: "text"}[kind]
    return " ".join([words, *bounds])


def main() -> None:
    """Write every page."""
    for path, make in PAGES.items():
        path.write_text(make(), encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
