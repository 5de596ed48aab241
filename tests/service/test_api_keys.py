"""API keys in their file."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest

from service import api_keys
from service.api_keys import KeyFile
from webrec.errors import Conflict, NotFound, UsageError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A key file in a folder that does not exist yet."""
    return tmp_path / "deep" / "keys.json"


@pytest.fixture(autouse=True)
def _always_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "_RECHECK_S", 0.0)


def test_without_a_file_there_are_no_keys(path: Path) -> None:
    """Nothing is let in by a file that is not there, and nothing is asked for."""
    assert not KeyFile(path).any_keys()
    assert KeyFile(path).scopes_of("wr_x") is None
    assert KeyFile(path).entries() == []


def test_a_key_has_exactly_its_scopes(path: Path) -> None:
    """What was asked for is granted, in one order, and nothing else."""
    key = KeyFile(path).add("ads", ["ingest", "serve"])
    assert KeyFile(path).scopes_of(key) == {"serve", "ingest"}
    assert KeyFile(path).scopes_of(key + "x") is None
    assert [(e.name, e.scopes) for e in KeyFile(path).entries()] == [("ads", ("serve", "ingest"))]


def test_the_key_is_nowhere(path: Path) -> None:
    """The file holds no part of the key, and only its owner reads it."""
    key = KeyFile(path).add("ads", ["serve"])
    assert key.removeprefix("wr_")[:8] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_changes_are_seen_by_a_running_service(path: Path) -> None:
    """A key made or revoked elsewhere counts without a restart."""
    reader = KeyFile(path)
    assert not reader.any_keys()
    key = KeyFile(path).add("ads", ["serve"])
    assert reader.scopes_of(key) == {"serve"}
    KeyFile(path).revoke("ads")
    assert reader.scopes_of(key) is None
    assert not reader.any_keys()


def test_names_are_unique(path: Path) -> None:
    """A second key of one name is refused, and the first stays."""
    key = KeyFile(path).add("ads", ["serve"])
    with pytest.raises(Conflict, match="ads"):
        KeyFile(path).add("ads", ["admin"])
    assert KeyFile(path).scopes_of(key) == {"serve"}


@pytest.mark.parametrize("scopes", [[], ["root"], ["serve", "root"]])
def test_unknown_scopes_are_refused(path: Path, scopes: list[str]) -> None:
    """A key without a scope, or with one that is none, is not made."""
    with pytest.raises(UsageError, match="serve, ingest, admin"):
        KeyFile(path).add("ads", scopes)
    assert KeyFile(path).entries() == []


def test_revoking_what_is_not_there(path: Path) -> None:
    """Revoking an unknown name says so."""
    with pytest.raises(NotFound, match="webrec keys list"):
        KeyFile(path).revoke("ads")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"keys": [{"name": "x"}]}', b"\xff"])
def test_a_broken_file_lets_nobody_in(path: Path, content: bytes) -> None:
    """A file that cannot be read fails closed, and the message names it."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(UsageError, match=str(path)):
        KeyFile(path).any_keys()
    with pytest.raises(UsageError, match=str(path)):
        KeyFile(path).scopes_of("wr_x")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A key file below a file cannot be written, and the message says where."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file"):
        KeyFile(tmp_path / "file" / "keys.json").add("ads", ["serve"])


def _add(path: Path, name: str) -> None:
    KeyFile(path).add(name, ["serve"])


def test_keys_made_at_once_all_survive(path: Path) -> None:
    """Four processes that each make a key end with four keys."""
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_add, args=(path, f"key{n}")) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {entry.name for entry in KeyFile(path).entries()} == {f"key{n}" for n in range(4)}
