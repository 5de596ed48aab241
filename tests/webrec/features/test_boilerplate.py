"""What a site says in every title."""

from __future__ import annotations

import numpy as np
import pytest

from webrec.features.boilerplate import Templates, host_of, learn
from webrec.features.text import LONGEST_TEXT

NONE = Templates(np.empty(0, np.uint64))
DAILY = [
    (f"https://www.daily.example/{number}", f"{title} - The Daily")
    for number, title in enumerate(["Sun", "Moon: a visit", "Rain", "Wind | Weather", "Snow"])
]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("A quiet night - The Daily", "A quiet night"),
        ("A quiet night | THE DAILY", "A quiet night"),
        ("The Daily: A quiet night", "A quiet night"),
        ("A quiet night — Weather :: The Daily", "A quiet night - Weather"),
        ("How The Daily is made", "How The Daily is made"),
        ("The Daily", "The Daily"),
        ("The Daily | The Daily", "The Daily | The Daily"),
        ("", ""),
    ],
)
def test_a_part_that_many_titles_of_a_host_have_is_left_out(title: str, expected: str) -> None:
    """At whatever separator, in whatever case; a title of nothing else stays whole."""
    assert learn(DAILY).without("https://daily.example/new", title) == expected


def test_another_host_may_say_it() -> None:
    """A template is one host's."""
    assert learn(DAILY).without("https://other.example/", "A - The Daily") == "A - The Daily"


@pytest.mark.parametrize(
    ("pages", "having", "is_one"),
    [(4, 4, False), (5, 5, True), (6, 5, True), (50, 40, True), (50, 39, False), (51, 40, False)],
)
def test_a_template_is_on_nearly_all_pages_of_a_host(pages: int, having: int, is_one: bool) -> None:
    """Four may share half a headline by chance; what fewer than four of five have is a section."""
    titles = [
        (f"https://a.example/{n}", f"Title {n} - Science" if n < having else f"Title {n}")
        for n in range(pages)
    ]
    found = learn(titles).without("https://a.example/new", "Bees - Science")
    assert found == ("Bees" if is_one else "Bees - Science")


@pytest.mark.parametrize("title", [" " * 300_000 + "x", " " + "-" * 300_000, ": " * 150_000])
def test_a_title_may_be_long(title: str) -> None:
    """Its length costs time in proportion: a pattern that tries again would take many minutes."""
    templates = learn([*DAILY, ("https://daily.example/new", title)])
    assert templates.without("https://daily.example/new", title) == title


def test_only_the_part_of_a_title_that_counts_is_looked_at() -> None:
    """As many characters as of any other text."""
    title = "The Daily - " + "rain " * 1_000
    found = learn(DAILY).without("https://daily.example/new", title)
    assert found == title.split(" - ")[1][: LONGEST_TEXT - len("The Daily - ")].rstrip()


def test_without_templates_a_title_is_as_it_is() -> None:
    """Separators included."""
    assert NONE.without("https://a.example/", "A - B | C") == "A - B | C"


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://www.a.example/b", "a.example"), ("http://a.example:8080/", "a.example:8080")],
)
def test_hosts(url: str, host: str) -> None:
    """With and without www. it is one site."""
    assert host_of(url) == host


def test_the_path_of_a_url_is_words_but_for_templates() -> None:
    """Decoded, in lower case, each once; no numbers, codes, query, or what the site has in all."""
    titles = [(f"https://a.example/article/{name}", "") for name in "abcde"]
    url = "https://www.a.example/article/Night-sky/2012/x9f3_night/caf%C3%A9.html?utm=sun"
    assert learn(titles).path_words(url) == "night sky café html"
    assert NONE.path_words(url) == "article night sky café html"
    assert NONE.path_words("https://a.example/") == ""
