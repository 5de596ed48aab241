"""What requests keep of the rows they read."""

from __future__ import annotations

import numpy as np
import pytest

from webrec.domain.types import Page
from webrec.serving.caches import PageTextCache, ProfileCache
from webrec.tables.rows import Counts, ProfileRow

A, B = (f"https://site.example/{name}" for name in "ab")


def test_profiles_stay_by_what_they_take() -> None:
    """A visitor of thousands of pages takes the place of many."""
    numbers = np.arange(10_000, dtype=np.uint32)
    none = Counts(numbers[:0], numbers[:0])
    large = ProfileRow(Counts(numbers, numbers), none, none, none, None)
    profiles = ProfileCache(100_000)
    for n in range(3):
        profiles.put(("000001", f"u:{n}"), large)
    assert len(profiles) == 1
    for n in range(3, 13):
        profiles.put(("000001", f"u:{n}"), None)
    assert profiles.get(("000001", "u:12")) is None
    assert len(profiles) == 10


def test_page_texts_take_bounded_memory() -> None:
    """By bytes, not by pages; an answer that is replaced counts once; a huge one is not kept."""
    texts = PageTextCache(1_000_000, 60)
    pages = [Page(f"https://a.example/{n}", "t" * 2_000, ("k" * 2_000,)) for n in range(1_000)]
    for page in pages:
        for _ in range(3):
            texts.put(page.url, page)
    assert 200 < len(texts._pages) < 250
    assert texts.get(pages[-1].url) == pages[-1]
    texts.put(A, Page(A, "x" * 1_000_000))
    with pytest.raises(KeyError):
        texts.get(A)
    texts.put(B, pages[0])
    assert texts.get(B) == pages[0]
