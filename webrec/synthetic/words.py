"""The words of a synthetic world: what its pages are about, say of themselves and are called.

``words.json`` holds them: a hundred subjects of seven terms each (no term is in two of them), and
the templates that put terms into titles and descriptions; a title may hold any two terms of a
subject side by side. Also the names of sites, logins and advertisers, and the browsers. Another
order in the file makes other worlds of the same seeds.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import orjson

Document: TypeAlias = dict[str, Any]

_FILE: dict[str, Any] = orjson.loads(files(__package__).joinpath("words.json").read_bytes())

LOGINS: list[str] = _FILE["logins"]
FIRMS: list[str] = _FILE["firms"]
BROWSERS: list[str] = _FILE["browsers"]
_TITLES: list[str] = _FILE["titles"]
_DESCRIPTIONS: list[str] = _FILE["descriptions"]
_MAGAZINES: list[str] = _FILE["magazines"]


class Subject(NamedTuple):
    """What the pages of a category are about.

    Attributes:
        topic: the section of a newspaper it would stand in.
        name: as a reader would call it.
        terms: the seven terms its pages are made of; no other subject of the file has them.
    """

    topic: str
    name: str
    terms: tuple[str, ...]


class PageWords(NamedTuple):
    """What a page draws: which of the terms, and which templates it puts them into.

    Five terms are taken from the seven, a step apart: seven is prime, so they differ.
    """

    first_term: int
    step_less_one: int
    title: int
    description: int
    host: int


CHOICES = PageWords(7, 6, len(_TITLES), len(_DESCRIPTIONS), 10)
"""How many values there are to draw from, for each of them."""


def subject(category: int) -> Subject:
    """The subject of a category: one of the hundred, or, from number 100 on, two of them mixed."""
    known = _known_subjects()
    distance, index = divmod(category, len(known))
    one, other = known[index], known[(index + distance) % len(known)]
    if not distance:
        return one
    return Subject(one.topic, f"{one.name} and {other.name}", one.terms[:4] + other.terms[:3])


@cache
def _known_subjects() -> tuple[Subject, ...]:
    """The hundred subjects of the file; neighbours are of different topics."""
    return tuple(
        Subject(each["topic"], each["name"], tuple(each["terms"])) for each in _FILE["subjects"]
    )


@cache
def slug(text: str) -> str:
    """The text as it would stand in a URL."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def capitalised(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[0].upper() + text[1:]


def _terms(subject_: Subject, words: PageWords) -> list[str]:
    """The five terms of a page."""
    step = words.step_less_one + 1
    return [subject_.terms[(words.first_term + step * index) % 7] for index in range(5)]


def page_url(subject_: Subject, words: PageWords, number: int) -> str:
    """The topic's own site for six pages in ten, a magazine's section for the others."""
    first, second, *_ = _terms(subject_, words)
    page = f"{slug(subject_.name)}/{slug(first)}-{slug(second)}-{number}"
    if words.host < 6:
        return f"https://{subject_.topic}.example/{page}"
    return f"https://{_MAGAZINES[words.host % len(_MAGAZINES)]}/{subject_.topic}/{page}"


def page_text(subject_: Subject, words: PageWords) -> Document:
    """Title, keywords and description."""
    a, b, c, d, e = _terms(subject_, words)
    name = subject_.name
    filled = {"a": a, "b": b, "c": c, "d": d, "name": name}
    capitals = {"A": capitalised(a), "Name": capitalised(name)}
    return {
        "title": _TITLES[words.title].format(**filled, **capitals),
        "keywords": [name, a, b, c, e],
        "description": _DESCRIPTIONS[words.description].format(**filled, **capitals),
    }


def draw_page_words(rng: np.random.Generator) -> PageWords:
    """The words of a page that is not among the world's."""
    return PageWords(*rng.integers(0, CHOICES).tolist())
