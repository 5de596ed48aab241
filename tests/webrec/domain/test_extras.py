"""The service needs the core alone; what needs more says so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest

from tests.support.docs_from_code import ROOT
from webrec.domain import extras

_CORE_ALONE = """
import sys
from importlib.machinery import PathFinder

ABSENT = frozenset(sys.argv.pop(1).split(","))

class Installed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            return None
        return super().find_spec(name, path, target)

sys.meta_path[:] = [Installed if finder is PathFinder else finder for finder in sys.meta_path]
"""

_SERVE = """
import json, sys
from pathlib import Path

from service.app import create_app
from webrec.config import load
from webrec.serving.engine import Engine

settings = load(home=Path(sys.argv[1]))
engine = Engine(settings)
engine.refresh()
engine.start()
client = create_app(engine).test_client()
event = {"type": "visit", "url": "https://example.org/a", "user": "ann"}
assert client.post("/v1/events", json=event).status_code == 202
answer = client.post("/v1/recommendations", json={"url": "https://example.org/a", "user": "ann"})
assert client.get("/openapi.json").status_code == 200
assert client.get("/metrics").status_code == 200
engine.close()
print(json.dumps([answer.status_code, answer.json["empty_reason"]]))
"""

_COMMAND = "from webrec.cli import main\nmain()\n"


def requirements_of(section: str, option: str) -> list[str]:
    """The names of distributions that setup.cfg wants."""
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    lines = parser[section][option].split("\n")
    return [re.split(r"[^\w.-]", line.strip())[0] for line in lines if line.strip()]


def normal(name: str) -> str:
    """A distribution's name as packaging compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def core() -> set[str]:
    """The distributions that the core brings, with all that they bring."""
    found: set[str] = set()
    wanted = [normal(name) for name in requirements_of("options", "install_requires")]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            continue  # for another Python or another system
        found.add(name)
        wanted += [normal(re.split(r"[^\w.-]", n)[0]) for n in needs if "extra ==" not in n]
    return found


def beyond_the_core() -> str:
    """The modules that are installed here and would not be with the core alone."""
    kept = core() | {"webrec", "setuptools", "pip"}
    by_module = packages_distributions()
    absent = [m for m, names in by_module.items() if not kept & {normal(n) for n in names}]
    return ",".join(sorted(absent))


def run_with_core_alone(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own that finds the core and nothing else."""
    command = [sys.executable, "-c", _CORE_ALONE + code, beyond_the_core(), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_core_alone_serves(tmp_path: Path) -> None:
    """Events are taken, and requests answered, where nothing but the core is installed."""
    done = run_with_core_alone(_SERVE, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [200, "no_model"]


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("batch",), "batch"),
        (("evaluate",), "batch"),
        (("demo",), "batch"),
        (("models", "list", "--store", "hbase://127.0.0.1:1/x"), "hbase"),
        (("models", "list", "--log", "hdfs://127.0.0.1:1/x"), "hbase"),
    ],
)
def test_what_needs_more_says_so(tmp_path: Path, arguments: tuple[str, ...], extra: str) -> None:
    """A command that needs an extra names it, and how to get it, before it does anything."""
    done = run_with_core_alone(_COMMAND, *arguments, "--home", tmp_path / "home")
    assert done.returncode == 2, done.stderr
    assert f'pip install "webrec[{extra}]"' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("extra", extras.MODULES)
def test_an_extra_brings_what_it_is_asked_for(extra: str) -> None:
    """What the product looks for is what setup.cfg installs."""
    names = {normal(name) for name in requirements_of("options.extras_require", extra)}
    found = packages_distributions()
    assert names == {normal(n) for module in extras.MODULES[extra] for n in found[module]}
