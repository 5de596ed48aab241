"""The registry: every algorithm's file says what it is, and nothing else lists them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import algorithms
from algorithms import algorithms_of, filters, first_algorithm, registry
from algorithms.registry import register
from algorithms.related_default import related_default

PACKAGE = Path(algorithms.__path__[0])
NEW = """
from algorithms.registry import register
from algorithms.step import Built, Passed


@register("WebR.Rel.Any", "related", "any")
def related_any(signals, best):
    candidates = signals.rec_all()
    items = best(candidates)
    return Built(items, candidates) if items else Passed("there is nothing", "WebR.Rel.Cont")


@register("WebR.Sp.Any", "sponsored", "any")
def sponsored_any(signals, best):
    return Passed("no ads today", "WebR.Sp.Default")
"""
ASKS = """
from algorithms import Weights, algorithms_of, filters, recommend
from service.openapi.document import openapi_document
from tests.algorithms.signals import Known, pages
from webrec.formats.requests import parse_request

print(filters(), list(algorithms_of("related")), list(algorithms_of("sponsored")))
known = Known({"rec_all": pages("recL", 1, 7), "ads_in_rec_all": pages("ads", 3)})
for mode in ("related", "sponsored"):
    found = recommend(mode, "any", known, Weights(0.5, 0.5), 10)
    print(found.path, [item.page for item in found.items])
print(parse_request({"url": "https://a.example/", "filter": "any"}, 0).filter)
print(openapi_document()["components"]["schemas"]["Answer"]["properties"]["filter"])
"""


@pytest.fixture
def untouched() -> Iterator[None]:
    """What a test registers is gone afterwards."""
    by_name, first = dict(registry.BY_NAME), dict(registry._FIRST)
    names = {mode: list(names) for mode, names in registry._NAMES.items()}
    yield
    tables: tuple[dict[Any, Any], ...] = (registry.BY_NAME, registry._FIRST, registry._NAMES)
    for table, before in zip(tables, (by_name, first, names), strict=True):
        table.clear()
        table.update(before)  # type: ignore[call-overload]


def test_the_six_are_listed_as_the_documentation_lists_them() -> None:
    """Those that a filter names come in the filters' order, then the one that ends the chain."""
    assert filters() == ("content", "collaborative")
    assert list(algorithms_of("related")) == ["WebR.Rel.Cont", "WebR.Rel.Col", "WebR.Rel.Default"]
    assert list(algorithms_of("sponsored")) == ["WebR.Sp.Cont", "WebR.Sp.Col", "WebR.Sp.Default"]
    assert algorithms_of("related")["WebR.Rel.Default"] is related_default


def test_a_new_algorithm_is_a_new_file(tmp_path: Path) -> None:
    """Put into the package it is listed, a request may name it, and it hands on like the others."""
    copy = tmp_path / "algorithms"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "anything.py").write_text(NEW)
    path = os.pathsep.join((str(tmp_path), str(PACKAGE.parent)))
    done = subprocess.run(
        [sys.executable, "-P", "-c", ASKS],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "('content', 'collaborative', 'any')"
        " ['WebR.Rel.Cont', 'WebR.Rel.Col', 'WebR.Rel.Any', 'WebR.Rel.Default']"
        " ['WebR.Sp.Cont', 'WebR.Sp.Col', 'WebR.Sp.Any', 'WebR.Sp.Default']",
        "['WebR.Rel.Any'] [7, 1]",
        "['WebR.Sp.Any', 'WebR.Sp.Default'] [3]",
        "any",
        "{'enum': ['content', 'collaborative', 'any']}",
    ]


@pytest.mark.usefixtures("untouched")
def test_a_filter_is_offered_when_every_mode_has_it() -> None:
    """Else a request might name one that nothing answers."""
    register("WebR.Rel.Any", "related", "any")(related_default)
    assert filters() == ("content", "collaborative")
    register("WebR.Sp.Any", "sponsored", "any")(related_default)
    assert filters() == ("content", "collaborative", "any")
    assert first_algorithm("sponsored", "any") == "WebR.Sp.Any"


@pytest.mark.parametrize(
    ("name", "mode", "filter_", "why"),
    [
        ("WebR.Rel.Cont", "related", None, "there are two algorithms WebR.Rel.Cont"),
        ("Other", "related", "content", "both WebR.Rel.Cont and Other are related by content"),
        ("Other", "both", None, "Other: 'both' is none of the modes related, sponsored"),
    ],
)
@pytest.mark.usefixtures("untouched")
def test_what_is_taken_cannot_be_registered(
    name: str, mode: str, filter_: str | None, why: str
) -> None:
    """A name is one algorithm's, and so is a filter in a mode."""
    with pytest.raises(ValueError, match=why):
        register(name, mode, filter_)
