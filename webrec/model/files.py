"""[4] Mapped files of a generation: a folder for them in, its `Model` out.

Every process of the machine maps the same files, so a generation is read from the tables once and
its memory is shared, however many workers there are and whenever it was published.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webrec.errors import StoreUnavailable
from webrec.model.arrays import ModelArrays, read_arrays
from webrec.model.model import Model
from webrec.tables.generations import Generation
from webrec.tables.tables import Tables

_FORMAT = 2  # a part of the folder's name: one more whenever the arrays mean something else

_NAMES = tuple(field.name for field in fields(ModelArrays) if field.name != "learned")


def load(tables: Tables, generation: Generation, cache: Path) -> Model:
    """The model of a generation, mapped from files that the first process to need it writes.

    Args:
        cache: folder for the files; those of generations that were dropped are deleted.

    Raises:
        NotFound: there are no files yet, and a table or row of the generation is gone.
        StoreUnavailable: the folder cannot be used.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "lock").open("ab") as lock:
            # held until the files are mapped: another process may delete old ones
            fcntl.flock(lock, fcntl.LOCK_EX)
            folder = cache / _folder_name(generation)
            if folder.is_dir():
                try:
                    return _mapped(generation, folder)
                except (OSError, ValueError, EOFError, KeyError):
                    shutil.rmtree(folder)  # torn by a power cut; the tables have it all
            _write(folder, read_arrays(tables, generation))
            _delete_dropped(
                cache, {_folder_name(g) for g in tables.generations.all()} | {folder.name}
            )
            return _mapped(generation, folder)
    except OSError as error:
        raise StoreUnavailable(f"the cache {cache} cannot be used: {error.strerror}") from error


def _folder_name(generation: Generation) -> str:
    # another store in the same home may have a generation of the same id, and another version of
    # this program may have left a folder with other arrays
    return f"{generation.id}-{generation.created_ms}-{_FORMAT}"


def _mapped(generation: Generation, folder: Path) -> Model:
    learned: dict[str, dict[str, NDArray[Any]]] = {}
    for path in folder.glob("*.*.npy"):
        learner, _, name = path.stem.partition(".")
        learned.setdefault(learner, {})[name] = _map(path)
    views = {name: _map(folder / f"{name}.npy").data for name in _NAMES}
    return Model(generation, ModelArrays(**views, learned=learned))


def _map(path: Path) -> NDArray[Any]:
    mapped: NDArray[Any] = np.load(path, mmap_mode="r")
    return mapped


def _write(folder: Path, arrays: ModelArrays) -> None:
    """Write each array as a file of its own; the folder has its name once all are whole."""
    temporary = folder.with_name(f"{secrets.token_hex(4)}.new")
    temporary.mkdir()
    for name in _NAMES:
        np.save(temporary / f"{name}.npy", np.asarray(getattr(arrays, name)))
    for learner, held in arrays.learned.items():
        for name, array in held.items():
            np.save(temporary / f"{learner}.{name}.npy", array)
    temporary.rename(folder)


def _delete_dropped(cache: Path, kept: set[str]) -> None:
    for entry in os.scandir(cache):
        if entry.is_dir() and entry.name not in kept:
            shutil.rmtree(entry.path, ignore_errors=True)
