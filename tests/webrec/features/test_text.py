"""What a page says, as text, words and meaning."""

from __future__ import annotations

import logging
import subprocess
import sys

import numpy as np
import pytest
from sklearn.feature_extraction import text as sklearn_text

from webrec.domain.types import Page
from webrec.features.text import ENGLISH_STOP_WORDS, embed, text_of, words


def test_text_of_joins_what_the_author_says() -> None:
    """Title, keywords and description, whichever are there."""
    page = Page("http://a/", "Cats", ("pets", "fur"), "All about cats")
    assert text_of(page) == "Cats. pets, fur. All about cats"
    assert text_of(Page("http://a/", description="Only this")) == "Only this"


@pytest.mark.parametrize("page", [Page("u"), Page("u", "  "), Page("u", "", ("", " "), "\n")])
def test_text_of_nothing_is_empty(page: Page) -> None:
    """White space and empty keywords are no text."""
    assert text_of(page) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Cats and the 42 dogs", ["cats", "dogs"]),
        ("http://www.example.com C++ o'brien's", ["example", "c++", "o'brien"]),
        ("Don't I'm café naïve", ["café", "naïve"]),
        ("😀 123 4th 10-12 1990s", []),
        ("3D print of 0x10c", ["3d", "print", "0x10c"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    """Informative words only: no stop words, numbers, parts of addresses or possessives."""
    assert words(text) == expected


def test_embed_does_not_depend_on_the_other_texts() -> None:
    """A text has the same row alone and beside a much longer one."""
    alone, beside = embed(["solar power"]), embed(["solar power", "wind " * 500])
    assert np.allclose(alone[0], beside[0], atol=1e-6)


def test_the_model_leaves_logging_alone() -> None:
    """Loading the model neither adds a handler to the root logger nor changes its level."""
    script = (
        "import logging; from webrec.features.text import embed; embed(['x']); "
        "print(logging.getLogger().handlers, logging.getLogger().level)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[]", str(logging.WARNING)]


def test_the_english_stop_words_are_scikit_learns() -> None:
    """The service does without scikit-learn, the list is its own."""
    assert ENGLISH_STOP_WORDS == sklearn_text.ENGLISH_STOP_WORDS
