"""The documentation says what the code does, and what it shows to run, runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any, NamedTuple

import click
import jsonschema_rs
import pytest

from hbase_schema import names as tables
from service.app import create_app
from service.openapi.document import openapi_document
from service.query import urls as looked_up
from tests import conftest
from tests.support.docs_from_code import DOCS, PAGES, ROOT
from tests.support.running import build_world
from webrec import config
from webrec.bench.health import LOOPBACK, READY, free_port, is_healthy
from webrec.cli import main
from webrec.formats.campaigns import parse_campaign
from webrec.formats.events import parse_event
from webrec.formats.labels import parse_label
from webrec.formats.requests import parse_request
from webrec.serving.engine import Engine

TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
API = DOCS / "api.md"
NOW_MS = 1_800_000_000_000
PORT = "8080"
"""The one in README's examples; the tests take a free one."""

_FENCED = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_SHELL_ENDS = {"|", "||", "&", "&&", ";", ">", "<"}


class Block(NamedTuple):
    """A fenced block: what stands behind its fence, and in it."""

    info: str
    body: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(m["info"].strip(), m["body"]) for m in _FENCED.finditer(text)]


def commands(text: str) -> list[str]:
    """The commands of the console blocks, each on one line as a shell takes it."""
    found: list[str] = []
    for block in blocks(text):
        if block.info == "console":
            found += re.findall(r"^\$ (.*(?:\n(?!\$ ).*)*)", block.body, re.MULTILINE)
    return [command.strip() for command in found]


def spans(text: str) -> list[str]:
    """The code within running text."""
    return [" ".join(span.split()) for span in _SPAN.findall(_FENCED.sub("", text))]


def named(path: Path) -> str:
    """A page as test ids show it."""
    return str(path.relative_to(ROOT))


each_text = pytest.mark.parametrize("path", TEXTS, ids=named)


# --- pages that come from the code ---------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_a_page_from_the_code_is_what_the_code_says(path: Path) -> None:
    """`make docs` would change nothing."""
    assert path.read_text(encoding="utf-8") == PAGES[path]()


# --- names ---------------------------------------------------------------------------------------


@each_text
def test_every_setting_named_exists(path: Path) -> None:
    """A page names no variable that nothing reads."""
    known = {config.PREFIX + name.upper() for name in config.Settings.model_fields}
    known |= {conftest.DATA, conftest.NO_SKIPS}
    assert set(re.findall(r"WEBREC_[A-Z][A-Z_]*", path.read_text(encoding="utf-8"))) <= known


@each_text
def test_every_link_leads_somewhere(path: Path) -> None:
    """A relative link names a file that is there, and its anchor a heading of that file."""
    for link in _LINK.findall(_FENCED.sub("", path.read_text(encoding="utf-8"))):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


def anchors(path: Path) -> set[str]:
    """The anchors that a page's headings get."""
    headings = _HEADING.findall(_FENCED.sub("", path.read_text(encoding="utf-8")))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


@pytest.fixture(scope="module")
def metric_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of a scrape of a service that has a model."""
    home = tmp_path_factory.mktemp("docs") / "home"
    build_world(home)
    engine = Engine(config.load(home=home))
    try:
        engine.refresh()
        scrape = create_app(engine).test_client().get("/metrics").text
    finally:
        engine.close()
    found = set(re.findall(r"^# HELP (\w+)", scrape, re.MULTILINE))
    return {name for name in found if not name.endswith("_created")}  # the library adds these


@each_text
def test_every_metric_named_exists(path: Path, metric_names: set[str]) -> None:
    """A page names no metric that a scrape does not have."""
    found = re.findall(r"\bwebrec_[a-z_]+", path.read_text(encoding="utf-8"))
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in found} <= metric_names


def test_every_metric_is_described(metric_names: set[str]) -> None:
    """Whoever sees a metric finds it in the operating manual."""
    text = (DOCS / "operating.md").read_text(encoding="utf-8")
    assert {name for name in metric_names if f"`{name}`" not in text} == set()


def test_every_table_is_described() -> None:
    """Whoever sees a table finds it in the page of tables."""
    text = (DOCS / "tables.md").read_text(encoding="utf-8")
    names = [*tables.FIXED, *(tables.generation_table("<id>", kind) for kind in tables.KINDS)]
    assert [name for name in names if f"| `{name}` |" not in text] == []


def test_the_layers_shown_are_those_of_the_contract() -> None:
    """Who may import whom reads the same for people and for `make check`."""
    contracts = ConfigParser()
    contracts.read(ROOT / "setup.cfg")
    layers = contracts["importlinter:contract:layers"]["layers"].split("\n")[1:]
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert layers in [block.body.splitlines() for block in blocks(text)]


# --- the command line ----------------------------------------------------------------------------


@each_text
def test_every_command_shown_is_one(path: Path) -> None:
    """A `webrec` command in a console block is taken by the command line as it stands."""
    for command in commands(path.read_text(encoding="utf-8")):
        if command.startswith("webrec "):
            parse(words(command))


@each_text
def test_every_command_named_exists(path: Path) -> None:
    """A `webrec` command in running text exists, with the options it is named with."""
    for span in spans(path.read_text(encoding="utf-8")):
        if span.startswith("webrec "):
            given = words(span)
            command, rest = resolve(given)
            known = {option for each in command.params for option in each.opts} | {"--help", "-h"}
            options = {word.partition("=")[0] for word in rest if word.startswith("-") and word[1:]}
            assert options <= known, span


def words(command: str) -> list[str]:
    """A command's words after `webrec`, up to where the shell goes on with something else."""
    found = shlex.split(command.replace("\\\n", " "))[1:]
    ends = (index for index, word in enumerate(found) if word in _SHELL_ENDS)
    return found[: next(ends, len(found))]


def resolve(given: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words name, and the words behind its name."""
    command: click.Command = main
    rest = list(given)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"webrec {' '.join(given)}: no {rest[0]}"
        command = command.commands[rest.pop(0)]
    return command, rest


def parse(given: list[str]) -> None:
    """Let click take the words, and run nothing.

    Raises:
        click.UsageError: they are not understood.
    """
    command, rest = resolve(given)
    runs = not isinstance(command, click.Group) or command.invoke_without_command
    assert runs, f"webrec {' '.join(given)} lacks a command"
    command.make_context("webrec", rest)


# --- the interface -------------------------------------------------------------------------------


def endpoints() -> Iterator[tuple[str, str]]:
    """Method and path of everything in the OpenAPI document."""
    for path, operations in openapi_document()["paths"].items():
        for method in operations:
            if method != "parameters":
                yield method.upper(), path


def test_every_endpoint_is_described() -> None:
    """The table of endpoints is that of the OpenAPI document."""
    shown = re.findall(r"^\| \[`([A-Z]+) (\S+)`\]", API.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(shown) == sorted(endpoints())


def test_every_endpoint_has_the_scopes_that_are_shown() -> None:
    """The table of endpoints names the scopes that the OpenAPI document names."""
    rows = re.findall(
        r"^\| \[`([A-Z]+) (\S+)`\]\S* \| ([^|]*) \|", API.read_text(encoding="utf-8"), re.MULTILINE
    )
    for method, path, scopes in rows:
        said = openapi_document()["paths"][path][method.lower()].get("description", "Scope none.")
        assert set(re.findall(r"none|serve|ingest|admin", said)) == set(
            re.findall(r"none|serve|ingest|admin", scopes)
        ), (method, path)


_READERS: dict[str, Callable[[Any], object]] = {
    "Request": lambda given: parse_request(given, NOW_MS),
    "Event": lambda given: parse_event(given, NOW_MS),
    "Campaign": parse_campaign,
}


def json_examples() -> list[Block]:
    """The JSON blocks of the page; a component of the OpenAPI document may stand behind `json`."""
    text = API.read_text(encoding="utf-8")
    return [block for block in blocks(text) if block.info.partition(" ")[0] == "json"]


@pytest.mark.parametrize("block", json_examples(), ids=lambda block: block.body[:40].strip())
def test_every_json_example_is_valid(block: Block) -> None:
    """Documents are taken by what reads them, answers have the form that is promised."""
    example = json.loads(block.body)
    name = block.info.partition(" ")[2]
    if name:
        schema = {
            "$ref": f"#/components/schemas/{name}",
            "components": openapi_document()["components"],
        }
        jsonschema_rs.validate(schema, example)
        _READERS.get(name, lambda _: None)(example)


class Call(NamedTuple):
    """One curl example."""

    method: str
    path: str
    body: Any


def calls() -> list[Call]:
    """All curl examples."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in TEXTS)
    return [call_of(command) for command in commands(text) if command.startswith("curl ")]


def call_of(command: str) -> Call:
    """What a curl command sends."""
    given = shlex.split(command.replace("\\\n", " "))
    url = next(word for word in given if word.startswith("localhost:"))
    body = json.loads(given[given.index("-d") + 1]) if "-d" in given else None
    method = given[given.index("-X") + 1] if "-X" in given else "GET" if body is None else "POST"
    return Call(method, url.partition("?")[0].removeprefix(f"localhost:{PORT}"), body)


@pytest.mark.parametrize("call", calls(), ids=lambda call: f"{call.method} {call.path}")
def test_every_curl_example_calls_an_endpoint(call: Call) -> None:
    """A curl example calls what exists, with a document that is taken."""
    assert endpoint_of(call) in set(endpoints())
    for each in call.body if isinstance(call.body, list) else [call.body]:
        if each is not None:
            _BODIES[endpoint_of(call)](each)


def test_every_endpoint_has_a_curl_example() -> None:
    """Nobody has to guess how an endpoint is called."""
    assert {endpoint_of(call) for call in calls()} == set(endpoints())


def endpoint_of(call: Call) -> tuple[str, str]:
    """The endpoint that a call reaches; the call's own path where there is none."""
    for method, path in endpoints():
        pattern = re.escape(path).replace(r"\{id\}", "[^/]+")
        if method == call.method and re.fullmatch(pattern, call.path):
            return method, path
    return call.method, call.path


_BODIES: dict[tuple[str, str], Callable[[Any], object]] = {
    ("POST", "/v1/recommendations"): _READERS["Request"],
    ("POST", "/v1/events"): _READERS["Event"],
    ("POST", "/v1/campaigns"): parse_campaign,
    ("PUT", "/v1/campaigns/{id}"): lambda given: parse_campaign(given, "summer"),
    ("POST", "/v1/pages"): looked_up,
    ("PUT", "/v1/categories/{id}/label"): parse_label,
}


# --- README's way --------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_the_readme_shows_runs(tmp_path: Path) -> None:
    """The commands under "Use it" work in their order, in an empty folder."""
    shown = commands(section((ROOT / "README.md").read_text(encoding="utf-8"), "Use it"))
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(config.PREFIX)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    served = asked = False
    with Services(tmp_path, environment, port) as services:
        for command in shown:
            adapted = command.replace(PORT, str(port))
            if command.startswith("webrec serve"):
                services.start(adapted)
                served = True
                continue
            done = subprocess.run(
                ["bash", "-c", adapted],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            if command.startswith("curl"):
                assert "items" in json.loads(done.stdout), done.stdout
                asked = True
    assert served
    assert asked
    assert shown[-1].startswith("webrec keys add")


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


class Services:
    """The services a page starts; they end with the test."""

    def __init__(self, folder: Path, environment: dict[str, str], port: int) -> None:
        self._folder = folder
        self._environment = environment
        self._port = port
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Services:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            process.send_signal(signal.SIGTERM)
        for process in self._started:
            process.wait(60)

    def start(self, command: str) -> None:
        """Start a service, and return when it answers."""
        process = subprocess.Popen(
            shlex.split(command), cwd=self._folder, env=self._environment, executable=self._webrec()
        )
        self._started.append(process)
        deadline = time.monotonic() + 60
        while not self._is_ready():
            assert process.poll() is None, "the service ended"
            assert time.monotonic() < deadline, "the service does not answer"
            time.sleep(0.1)

    def _webrec(self) -> str:
        return str(Path(sys.executable).parent / "webrec")

    def _is_ready(self) -> bool:
        return is_healthy((LOOPBACK, self._port), READY)
