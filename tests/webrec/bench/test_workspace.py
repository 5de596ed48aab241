"""The workspace of a benchmark: made once, found again as it was, never on others' data."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from hbase_schema import names as t
from hbase_schema import row_keys as keys
from hbase_schema.cells import RecentCell
from tests.support.docs_from_code import ROOT
from tests.support.recorders import kill
from tests.support.thrift_gateway import ThriftGateway
from tests.support.worlds import batch
from webrec.bench.commands import CommandFailed
from webrec.bench.workspace import WorldFolder, load, locked, make_world
from webrec.config import Settings
from webrec.config import load as settings_of
from webrec.domain.types import Event
from webrec.errors import UsageError
from webrec.serving.engine import Engine
from webrec.storage import open_store
from webrec.synthetic.spec import WorldSpec
from webrec.tables.tables import Tables

SPEC = WorldSpec(
    now_ms=1_750_000_000_000,
    urls=60,
    users=20,
    categories=3,
    communities=2,
    campaigns=10,
    requests=0,
    visits_per_user=10,
)


def world_in(folder: Path, spec: WorldSpec = SPEC) -> WorldFolder:
    """The world, made without a display of progress."""
    folder.mkdir(exist_ok=True)
    return make_world(folder, spec, lambda: nullcontext(lambda *_: None))


@contextmanager
def tables_of(settings: Settings) -> Iterator[Tables]:
    """The tables that settings name."""
    with closing(open_store(settings.store_uri)) as store:
        yield Tables(store)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a world that is loaded; for copies of it only."""
    folder = tmp_path_factory.mktemp("workspace") / "bench"
    load(world_in(folder), settings_of())
    return folder


@pytest.fixture
def folder(loaded: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(loaded, tmp_path / "bench"))


def test_a_world_is_made_once(tmp_path: Path) -> None:
    """The second time it is found, with the clock it was made for."""
    made = world_in(tmp_path)
    pages = tmp_path / "world" / "pages.ndjson"
    assert len(pages.read_bytes().splitlines()) == SPEC.urls
    pages.write_bytes(b"")
    assert world_in(tmp_path, replace(SPEC, now_ms=SPEC.now_ms + 1)) == made
    assert pages.read_bytes() == b""


def test_a_folder_with_another_world_is_refused(tmp_path: Path) -> None:
    """It says what to do, and changes nothing."""
    world_in(tmp_path)
    with pytest.raises(UsageError, match="another world: remove it, or give another --folder"):
        world_in(tmp_path, replace(SPEC, seed=2))
    assert world_in(tmp_path).spec == SPEC


def test_a_world_that_was_not_finished_is_made_anew(tmp_path: Path) -> None:
    """The marker of a run that was stopped says so."""
    world_in(tmp_path)
    marker = tmp_path / "world.json"
    marker.write_bytes(marker.read_bytes().replace(b'"is_whole":true', b'"is_whole":false'))
    (tmp_path / "world" / "pages.ndjson").write_bytes(b"torn")
    world_in(tmp_path)
    assert b"torn" not in (tmp_path / "world" / "pages.ndjson").read_bytes()
    assert b'"is_whole":true' in marker.read_bytes()


def test_a_world_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """`webrec world --out world` may have made it."""
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "pages.ndjson").write_bytes(b"precious")
    with pytest.raises(UsageError, match="no benchmark made it"):
        world_in(tmp_path)
    assert (tmp_path / "world" / "pages.ndjson").read_bytes() == b"precious"


def test_one_benchmark_in_a_folder(tmp_path: Path) -> None:
    """The second one is refused, until the first is done."""
    folder = tmp_path / "new"
    with locked(folder), pytest.raises(UsageError, match="another benchmark runs"), locked(folder):
        pass
    with locked(folder):
        pass


@pytest.mark.slow
def test_the_world_is_loaded_by_the_products_own_commands(folder: Path) -> None:
    """Everything of the world is in a store of the folder's own."""
    own = load(world_in(folder), settings_of(home="elsewhere", workers=3))
    assert (own.home, own.workers) == (folder / "home", 3)
    with tables_of(own) as tables:
        generation = tables.generations.active()
        assert generation is not None
        assert generation.counts["pages"] >= SPEC.urls
        assert (len(generation.category_ids), len(generation.community_ids)) == (3, 2)
        assert len(list(tables.campaigns.all())) == SPEC.campaigns


@pytest.mark.slow
def test_a_second_run_finds_all_but_what_the_first_one_did(folder: Path) -> None:
    """Nothing is loaded again; visits since the batch are gone, those of a killed worker too."""
    own = load(world_in(folder), settings_of())
    engine = Engine(own)
    engine.recorder.record([Event("visit", "https://e.example/", "u:killed", 0)])  # never flushed
    cell = RecentCell(1, 1, 1, 0, "https://e.example/")
    column = keys.recent_column("00000001-left-behind-spool", cell.url)
    engine.tables.visitors.put_recent([("u:v", column, cell)])
    for name in ("world/pages.ndjson", "world/visits.ndjson", "world/campaigns.json"):
        (folder / name).unlink()  # they are not needed any more
    kill(engine.recorder)
    engine.tables.store.close()
    engine = Engine(load(world_in(folder), settings_of()))
    engine.recorder.recover()  # as a service does when it starts
    engine.close()
    with tables_of(own) as tables:
        assert list(tables.store.scan(t.RECENT)) == []
        assert [generation.id for generation in tables.generations.all()] == ["000001"]


@pytest.mark.slow
def test_a_load_that_was_stopped_goes_on(folder: Path) -> None:
    """What is in the store by then is there once."""
    marker = folder / "home.json"
    made = orjson.loads(marker.read_bytes())
    own = load(world_in(folder), settings_of())
    with tables_of(own) as tables:
        before = tables.generations.active()
        tables.generations.drop("000001")
        tables.store.delete_many(t.META, [(t.ACTIVE, None)])
    marker.write_bytes(orjson.dumps(made | {"model": None}))
    with tables_of(load(world_in(folder), settings_of())) as tables:
        after = tables.generations.active()
    assert before is not None
    assert after is not None
    repeats = {"events", "duplicates"}  # all events are in the log twice, and count once
    assert {n: c for n, c in after.counts.items() if n not in repeats} == {
        n: c for n, c in before.counts.items() if n not in repeats
    }
    assert orjson.loads(marker.read_bytes())["model"][0] == after.id


@pytest.mark.slow
def test_a_command_that_fails(folder: Path, tmp_path: Path) -> None:
    """What cannot be loaded ends the run."""
    new = world_in(tmp_path / "new")
    (new.folder / "world" / "campaigns.json").write_bytes(b'[{"id": "a"}]')
    with pytest.raises(CommandFailed, match="`webrec campaigns` failed with exit status 1"):
        load(new, settings_of())


@pytest.mark.slow
def test_a_model_that_somebody_else_made_is_refused(folder: Path) -> None:
    """In a store that was the benchmark's once, too; nothing is touched."""
    own = load(world_in(folder), settings_of())
    engine = Engine(own)
    batch(engine, categories=3, communities=2, features="tfidf")
    cell = RecentCell(1, 1, 1, 0, "https://e.example/")
    engine.tables.visitors.put_recent([("u:v", keys.recent_column("00000009-a-b", cell.url), cell)])
    engine.close()
    with pytest.raises(UsageError, match="holds another model"):
        load(world_in(folder), settings_of())
    with tables_of(own) as tables:
        assert len(list(tables.store.scan(t.RECENT))) == 1


@pytest.mark.parametrize("what", ["a model", "an event", "a campaign"])
def test_a_store_that_somebody_else_uses_is_refused(tmp_path: Path, what: str) -> None:
    """A store with anything in it that the folder did not put there is left as it is."""
    table = {"a model": t.GENERATIONS, "an event": t.RECENT, "a campaign": t.CAMPAIGNS}[what]
    with ThriftGateway() as gateway:
        settings = settings_of(store=gateway.store_uri("production"))
        with tables_of(settings) as tables:
            tables.create()
            tables.store.put_many(table, [(b"row", {b"m:info": b"theirs"})])
        with pytest.raises(UsageError, match=r"no benchmark .* put there: give another prefix"):
            load(world_in(tmp_path), settings)
        with tables_of(settings) as tables:
            assert tables.store.get(table, b"row") == {b"m:info": b"theirs"}
    assert not (tmp_path / "home").exists()
    assert not (tmp_path / "home.json").exists()


def test_a_home_that_no_benchmark_made_is_refused(tmp_path: Path) -> None:
    """Whatever a folder of that name holds may be a user's."""
    (tmp_path / "home").mkdir()
    with pytest.raises(UsageError, match="no benchmark made it"):
        load(world_in(tmp_path), settings_of())


def test_an_embedded_store_elsewhere_is_refused(tmp_path: Path) -> None:
    """It would not be used, and the user who names it expects that it is."""
    settings = settings_of(store=f"sqlite:///{tmp_path}/webrec.db")
    with pytest.raises(UsageError, match="leave --store"):
        load(world_in(tmp_path), settings)


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    """There is no code in it to run."""
    with pytest.raises(UsageError, match="no checkout"):
        load(world_in(tmp_path / "bench"), settings_of(), tmp_path)


@pytest.mark.slow
def test_another_checkout_has_a_home_of_its_own(folder: Path) -> None:
    """Made by its code, found again, and another one for other code."""
    ours = load(world_in(folder), settings_of())
    theirs = load(world_in(folder), settings_of(), ROOT)
    assert theirs.home.parent == ours.home.parent
    assert theirs.home != ours.home
    before = (theirs.home / "webrec.db").stat().st_ino
    assert load(world_in(folder), settings_of(), ROOT) == theirs
    assert (theirs.home / "webrec.db").stat().st_ino == before
