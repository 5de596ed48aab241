"""The workspace of a benchmark: a synthetic world in a folder, loaded by the commands of webrec.

In: a folder, what world it shall be, settings. Out: the settings with which the service answers
from it. A second run finds everything there and begins in the same state: the table `recent`,
which requests write to, is emptied.

============================  =====================================================================
``world/``, ``world.json``    the files of the world, and its spec once they are whole
``home/``, ``home.json``      store and log, and what is in them
``against-<digest>/``, and    the same of the code of another checkout, whose digest that is
its ``.json``
============================  =====================================================================

Nothing is written to a store that held anything before, or whose model is another one now.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import orjson

from hbase_schema import names as t
from webrec.bench.commands import environment, run_command
from webrec.bench.stores import refuse_sqlite, store_beside
from webrec.config import Settings
from webrec.domain.progress import Progress
from webrec.errors import UsageError
from webrec.serving.engine import Engine
from webrec.storage import Store, open_store
from webrec.synthetic.files import generate
from webrec.synthetic.spec import WorldSpec

FORMAT = 2
"""Another one when a folder that was made before cannot be used any more."""

OpenProgress: TypeAlias = Callable[[], AbstractContextManager[Progress]]
"""Opens a display of progress for the time of a context."""

_CODE = ("webrec", "hbase_schema", "algorithms", "clustering", "service")


class WorldFolder(NamedTuple):
    """A world in a folder; ``spec.now_ms`` is the moment it was made for."""

    folder: Path
    spec: WorldSpec


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have a folder, which is made where there is none, for this process alone.

    Raises:
        UsageError: another benchmark has it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("ab")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another benchmark runs in {folder}: give another --folder") from None
        yield


def make_world(folder: Path, spec: WorldSpec, open_progress: OpenProgress) -> WorldFolder:
    """Write a world's files, or find them.

    Args:
        spec: what to make; its clock counts for a new world only.

    Raises:
        UsageError: the folder has another world.
    """
    marker = folder / "world.json"
    made = _read(marker)
    if made is None:
        if (folder / "world").exists():
            raise UsageError(
                f"{folder / 'world'} is there, but no benchmark made it: give another --folder"
            )
        made = _world_marker(spec, is_whole=False)
        _write(marker, made)
    spec = replace(spec, now_ms=made["spec"]["now_ms"])
    if made | {"is_whole": True} != _world_marker(spec, is_whole=True):
        raise UsageError(f"{folder} holds another world: remove it, or give another --folder")
    if not made["is_whole"]:
        with open_progress() as progress:
            generate(spec, folder / "world", progress)
        _write(marker, _world_marker(spec, is_whole=True))
    return WorldFolder(folder, spec)


def _world_marker(spec: WorldSpec, *, is_whole: bool) -> dict[str, Any]:
    return {"format": FORMAT, "spec": asdict(spec), "is_whole": is_whole}


def load(world: WorldFolder, settings: Settings, checkout: Path | None = None) -> Settings:
    """Load a world into a store of its own, or find it loaded; nothing has happened since.

    Args:
        settings: the caller's; of the store only one on HBase counts, the log is the folder's.
        checkout: whose code loads it, into another place; our own when left out.

    Returns:
        The settings, with the store and the log that hold the world.

    Raises:
        UsageError: the store holds what is not ours to touch.
        CommandFailed: a command failed.
    """
    own = _own(world.folder, settings, checkout)
    marker = own.home.with_name(f"{own.home.name}.json")
    made = _made(marker, world.spec, own)
    _check_is_ours(own, made)
    if made is None or made["model"] is None:
        _write(marker, _marker(world.spec, own, None))
        _load(world, own, checkout)
        _write(marker, _marker(world.spec, own, _model(own)))
    _empty_recent(own)
    return own


def _own(folder: Path, settings: Settings, checkout: Path | None) -> Settings:
    """The settings, but for where things are."""
    refuse_sqlite(settings)
    name, store = "home", settings.store
    if checkout is not None:
        name = f"against-{_digest(checkout)}"
        store = store_beside(store, name)
    elsewhere = {"home": folder / name, "store": store, "log": "", "keys": None}
    return settings.model_copy(update=elsewhere)


def _digest(checkout: Path) -> str:
    """Of the code in a checkout.

    Raises:
        UsageError: it is none.
    """
    if not (checkout / "webrec" / "__main__.py").is_file():
        raise UsageError(f"{checkout} is no checkout of webrec")
    digest = hashlib.blake2b(digest_size=5)
    for package in _CODE:
        for path in sorted((checkout / package).rglob("*.py")):
            digest.update(str(path.relative_to(checkout)).encode() + path.read_bytes())
    return digest.hexdigest()


def _made(marker: Path, spec: WorldSpec, own: Settings) -> dict[str, Any] | None:
    """What the marker says; None where nothing was begun, its model None where it was not ended."""
    made = _read(marker)
    if made is not None and made | {"model": None} != _marker(spec, own, None):
        raise UsageError(
            f"{marker.with_suffix('')} was loaded for another world or store: remove "
            f"{marker.parent}, or give another --folder"
        )
    return made


def _marker(spec: WorldSpec, own: Settings, model: list[Any] | None) -> dict[str, Any]:
    return {"format": FORMAT, "spec": asdict(spec), "store": own.store, "model": model}


def _check_is_ours(own: Settings, made: dict[str, Any] | None) -> None:
    """Refuse a store that holds anything but what this folder put there.

    What was begun and not ended is loaded once more: events and campaigns have ids.
    """
    if made is None:
        if own.store and _holds_anything(own):
            raise UsageError(
                f"the store {own.store} holds data that no benchmark in {own.home.parent} put "
                "there: give another prefix, hbase://host:port/prefix"
            )
        if not own.store and own.home.exists():
            raise UsageError(
                f"{own.home} is there, but no benchmark made it: give another --folder"
            )
    elif _model(own) != made["model"]:
        raise UsageError(
            f"the store {own.store_uri} holds another model than the benchmark in "
            f"{own.home.parent} made: remove that folder, and give an empty store"
        )


def _holds_anything(own: Settings) -> bool:
    with _opened(own) as store:
        return any(True for table in store.tables() for _ in store.scan(table))


def _model(own: Settings) -> list[Any] | None:
    """What tells the active model from every other; None without one."""
    with _opened(own) as store:
        if t.META not in store.tables():
            return None
        active = store.get(t.META, t.ACTIVE).get(t.VALUE)
        if active is None:
            return None
        info = store.get(t.GENERATIONS, active).get(t.INFO, b"")
        return [active.decode(), hashlib.blake2b(info, digest_size=8).hexdigest()]


@contextmanager
def _opened(own: Settings) -> Iterator[Store]:
    if not own.store:
        own.home.mkdir(exist_ok=True)
    store = open_store(own.store_uri)
    try:
        yield store
    finally:
        store.close()


def _load(world: WorldFolder, own: Settings, checkout: Path | None) -> None:
    files, spec = world.folder / "world", world.spec
    many = ("--categories", str(spec.categories), "--communities", str(spec.communities))
    for command in (
        ("ingest", str(files / "pages.ndjson"), str(files / "visits.ndjson"), "--strict", "--json"),
        ("campaigns", "apply", str(files / "campaigns.json"), "--json"),
        ("batch", *many, "--json"),
    ):
        run_command(command, environment(own, checkout))


def _empty_recent(own: Settings) -> None:
    """Take away what requests of earlier runs left, and what would come up after them."""
    engine = Engine(own)
    try:
        engine.recorder.recover()  # of a service that was killed
        engine.tables.store.drop_table(t.RECENT)
        engine.tables.create()
    finally:
        engine.close()


def _read(marker: Path) -> dict[str, Any] | None:
    try:
        made: dict[str, Any] = orjson.loads(marker.read_bytes())
    except FileNotFoundError:
        return None
    except orjson.JSONDecodeError:
        raise UsageError(f"{marker} cannot be read: remove {marker.parent}") from None
    return made


def _write(marker: Path, made: dict[str, Any]) -> None:
    """Whole or not at all."""
    new = marker.with_suffix(".new")
    new.write_bytes(orjson.dumps(made))
    os.replace(new, marker)  # noqa: PTH105 - says what it does
