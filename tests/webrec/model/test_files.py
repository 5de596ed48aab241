"""The mapped files that processes share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.support.worlds import publish
from tests.webrec.model.known import WORLD, A
from webrec.errors import NotFound, StoreUnavailable
from webrec.model.files import load
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables

_LOADING = """
import sys
from pathlib import Path
from webrec.model.files import load
from webrec.storage import open_store
from webrec.tables.tables import Tables
tables = Tables(open_store(f"sqlite:///{sys.argv[1]}/webrec.db"))
print(load(tables, tables.generations.active(), Path(sys.argv[1]) / "cache").size)
"""


def test_processes_share_the_files(tables: Tables, generation: Generation, tmp_path: Path) -> None:
    """However many come first at the same time, the files are made once."""
    command = [sys.executable, "-c", _LOADING, str(tmp_path)]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0] for process in others] == ["6\n"] * 3
    (folder,) = (tmp_path / "cache").glob("0*")
    made = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    tables.generations.drop(generation.id)  # the files are enough
    assert load(tables, generation, tmp_path / "cache").size == 6
    assert made == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_files_of_dropped_generations_go(tables: Tables, tmp_path: Path) -> None:
    """With the next load; those of listed ones stay, and a model in use works on."""
    first = publish(tables, WORLD, Random(1), "000001")
    cache = tmp_path / "cache"
    old = load(tables, first, cache)
    second = publish(tables, WORLD, Random(2), "000002")
    load(tables, second, cache)
    assert len(list(cache.glob("0*"))) == 2
    tables.generations.drop(first.id)
    third = publish(tables, WORLD, Random(3), "000003")
    load(tables, third, cache)
    assert sorted(p.name for p in cache.glob("0*")) == ["000002-1-2", "000003-1-2"]
    assert old.find(A) is not None
    assert [c.page for _, run in old.rec_all.whole() for c in run]


def test_a_load_that_was_cut_off_is_made_again(
    tables: Tables, generation: Generation, tmp_path: Path
) -> None:
    """What a killed process left half written is never read, and goes away."""
    half = tmp_path / "cache" / "f00f00f0.new"
    half.mkdir(parents=True)
    (half / "urls.npy").write_bytes(b"half")
    assert load(tables, generation, tmp_path / "cache").find(A) == 1
    assert not half.exists()


@pytest.mark.parametrize("kind", ["categories", "communities"])
def test_an_incomplete_generation_is_not_loaded(
    tables: Tables, generation: Generation, tmp_path: Path, kind: str
) -> None:
    """And leaves no files that a later load would believe."""
    table = f"g{generation.id}.{kind}"
    rows = list(tables.store.scan(table))
    tables.store.delete_many(table, [(rows[0][0], None)])
    for _ in range(2):
        with pytest.raises(NotFound, match="is gone"):
            load(tables, generation, tmp_path / "cache")


@pytest.mark.parametrize("name", ["urls", "col_ends", "similar.pages"])
@pytest.mark.parametrize("is_there", [False, True])
def test_files_that_are_torn_are_made_again(
    tables: Tables, generation: Generation, tmp_path: Path, name: str, is_there: bool
) -> None:
    """One that is missing or empty, after a power cut."""
    load(tables, generation, tmp_path / "cache")
    (file,) = (tmp_path / "cache").glob(f"0*/{name}.npy")
    file.write_bytes(b"") if is_there else file.unlink()
    assert load(tables, generation, tmp_path / "cache").find(A) == 1
    assert file.stat().st_size


def test_a_cache_that_cannot_be_used_is_an_error(
    tables: Tables, generation: Generation, tmp_path: Path
) -> None:
    """The error names the folder."""
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StoreUnavailable, match=f"the cache {tmp_path}/cache cannot be used"):
        load(tables, generation, tmp_path / "cache")
