"""`webrec demo`: the whole way, on a small world, in under a minute."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webrec.bench.server_process import service
from webrec.cli.command import command
from webrec.cli.engine import engine_of
from webrec.cli.output import out, print_table
from webrec.cli.progress import progress_bar
from webrec.cli.settings import ANSWERS, SERVERS
from webrec.config import Settings
from webrec.errors import UsageError, WebrecError

if TYPE_CHECKING:
    import requests

_ITEMS = 3


class DemoFailed(WebrecError):
    """The demo could not be shown."""


@command(
    short="Show the whole way on a small world, in under a minute.",
    reads=(*SERVERS, *ANSWERS, "min_visits", "profile_urls"),
    extra="batch",
)
@click.option(
    "--keep", type=Path, help="Keep the demo's data in this folder, which must be new or empty."
)
def demo(settings: Settings, keep: Path | None) -> None:
    """Show the whole way: a world, a batch, campaigns, recommendations over HTTP.

    It has a store, a log and keys of its own, whatever the settings say of theirs.
    """
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise UsageError(f"{keep} is not empty: the demo's world would mix with what is there")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="webrec-demo-") as temporary:
        _show(_own(settings, keep or Path(temporary)))
    out.print(f"\nThat took {time.monotonic() - started:.0f} s. Next:", style="bold")
    out.print(
        "  webrec ingest FILE…     your own pages and visits, or an access log\n"
        "  webrec batch            cluster them\n"
        "  webrec serve            answer; /docs describes the interface"
    )


def _own(settings: Settings, home: Path) -> Settings:
    """The settings, but for where things are: what is there may be real."""
    own = {"home": home, "store": "", "log": "", "keys": None}
    return settings.model_copy(update=own)


def _show(settings: Settings) -> None:
    from webrec.synthetic.files import generate
    from webrec.synthetic.spec import WorldSpec

    spec = WorldSpec(
        now_ms=time.time_ns() // 1_000_000,
        urls=120,
        users=40,
        categories=6,
        communities=3,
        campaigns=12,
        requests=20,
    )
    _step(1, "A small world: 120 pages about 6 themes, 40 visitors with 3 kinds of taste")
    files = generate(spec, settings.home / "world")
    _step(2, "Pages and visits go into the raw log", "webrec ingest pages.ndjson visits.ndjson")
    _ingest(settings, [files.pages, files.visits])
    _step(3, "The batch clusters them and publishes a model", "webrec batch")
    _batch(settings)
    with _direct() as session, service(settings) as server:
        base = server.url
        _step(4, f"The service answers on {base}", "webrec serve")
        _step(5, "Ad operations upload campaigns", "POST /v1/campaigns")
        sent = session.post(
            f"{base}/v1/campaigns", data=files.campaigns.read_bytes(), headers=_JSON
        )
        out.print(f"   {sum(r['status'] == 'created' for r in _ok(sent)['results'])} created")
        _step(6, "Visitors open pages, and each gets recommendations", "POST /v1/recommendations")
        reader = _some_reader(files.visits)
        page = _ask(session, base, {"url": _first_page(files.pages), "user": reader, "limit": 1})
        url = page["items"][0]["url"]
        for who, document in (
            (f"{reader}, who reads here often", {"url": url, "user": reader}),
            ("a stranger on a known page", {"url": url, "user": "stranger"}),
            ("a stranger on an unknown page", {"url": "https://new.example/", "user": "nobody"}),
        ):
            _ask_all_ways(session, base, who, document)
        _step(7, "The reader follows a recommendation, and it counts at once", "POST /v1/events")
        _accept(session, base, reader, url)


_JSON = {"Content-Type": "application/json"}


def _direct() -> requests.Session:
    """A session that takes no proxy: the service is on this machine."""
    import requests

    session = requests.Session()
    session.trust_env = False
    return session


def _step(number: int, what: str, command_: str = "") -> None:
    out.print(f"\n[bold]{number}. {what}[/bold]" + (f"  [dim]{command_}[/dim]" if command_ else ""))


def _ingest(settings: Settings, files: list[Path]) -> None:
    from webrec.formats.events import parse_event
    from webrec.formats.json import read_json

    with engine_of(settings) as engine:
        for file in files:
            lines = file.read_bytes().splitlines()
            now_ms = time.time_ns() // 1_000_000
            engine.recorder.record([parse_event(read_json(line), now_ms) for line in lines])
            out.print(f"   {len(lines):,} events from {file.name}")


def _batch(settings: Settings) -> None:
    from clustering.learners import default_learners
    from webrec.admin.categories import list_categories
    from webrec.batch import job
    from webrec.batch.options import BatchOptions

    with engine_of(settings) as engine:
        with progress_bar() as progress:
            options = BatchOptions(categories=6, communities=3)
            learners = default_learners(options, settings)
            parts = engine.tables, engine.log, engine.recorder, settings
            job.run(*parts, learners, options, progress)
        engine.refresh()
        categories = list_categories(engine, 100, "").items
    print_table(
        ("category", "pages", "suggested label", "keywords"),
        [(c["id"], c["size"], c["label"], ", ".join(c["keywords"][:5])) for c in categories],
    )


def _ask_all_ways(session: requests.Session, base: str, who: str, document: dict[str, Any]) -> None:
    """All four pairs of mode and filter for one visitor."""
    out.print(f"\n   [bold]{who}[/bold] opens {document['url']}", soft_wrap=True)
    for mode in ("related", "sponsored"):
        for filter_ in ("content", "collaborative"):
            asked = document | {"mode": mode, "filter": filter_, "limit": _ITEMS, "track": False}
            answer = _ask(session, base, asked)
            path = " → ".join(answer["path"])
            out.print(f"   [cyan]{mode}, {filter_}[/cyan]  [dim]{path}[/dim]", soft_wrap=True)
            for item in answer["items"]:
                out.print(f"     {_shown(item)}", soft_wrap=True)
            if not answer["items"]:
                out.print(f"     nothing: {answer['empty_reason']}")


def _shown(item: dict[str, Any]) -> str:
    category = item["category"]["label"] if item["category"] else "no category"
    campaign = f"; campaign {item['campaign']}" if "campaign" in item else ""
    return f"{item['priority']:.2f}  {item['url']}  [dim]({category}{campaign})[/dim]"


def _accept(session: requests.Session, base: str, reader: str, url: str) -> None:
    answer = _ask(session, base, {"url": url, "user": reader, "track": False})
    chosen = answer["items"][0]["url"]
    before = _accepts(session, base, reader, chosen)
    event = {"type": "accept", "url": chosen, "user": reader, "answer": answer["id"]}
    _ok(session.post(f"{base}/v1/events", json=event))
    deadline = time.monotonic() + 5
    while (after := _accepts(session, base, reader, chosen)) == before:
        if time.monotonic() > deadline:
            raise DemoFailed("the accept does not show in the visitor's profile")
        time.sleep(0.1)
    out.print(f"   accepts of {chosen} by {reader}: {before} before, {after} now")


def _accepts(session: requests.Session, base: str, reader: str, url: str) -> int:
    profile = _ok(session.get(f"{base}/v1/users", params={"user": reader}))
    return sum(int(u["accepts"]) for u in profile["urls"] if u["url"] == url)


def _ask(session: requests.Session, base: str, document: dict[str, Any]) -> dict[str, Any]:
    return _ok(session.post(f"{base}/v1/recommendations", json=document))


def _ok(response: requests.Response) -> dict[str, Any]:
    if not response.ok:
        raise DemoFailed(f"{response.request.url} answered {response.status_code}: {response.text}")
    found: dict[str, Any] = response.json()
    return found


def _some_reader(visits: Path) -> str:
    """The visitor with a login who reads most."""
    import orjson

    counts: dict[str, int] = {}
    for line in visits.read_bytes().splitlines():
        user = orjson.loads(line).get("user")
        if user is not None:
            counts[user] = counts.get(user, 0) + 1
    return max(sorted(counts), key=lambda user: counts[user])


def _first_page(pages: Path) -> str:
    import orjson

    with pages.open("rb") as lines:
        url: str = orjson.loads(lines.readline())["url"]
    return url
