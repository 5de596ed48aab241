"""Documents to test with: the sender's clock, a request's parsing, and values of fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from webrec.errors import FieldError, InvalidDocument
from webrec.formats.requests import RequestDocument, parse_request
from webrec.formats.times import DAY_MS

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
URL = "https://example.org/a"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def request(**fields: Any) -> RequestDocument:
    """The parsed request with these fields and a URL."""
    return parse_request({"url": URL, **fields}, NOW)


def request_errors(**fields: Any) -> list[FieldError]:
    """What is wrong with the request."""
    with pytest.raises(InvalidDocument) as raised:
        request(**fields)
    return list(raised.value.errors)


def mostly(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One bad value in ten, so that whole documents have a chance to be right."""
    return st.integers(0, 9).flatmap(lambda n: good if n else bad)


urls = st.sampled_from([URL, "http://b", "HTTP://C/?utm_x=1", " https://d/é#x"])
bad_urls = st.sampled_from(["", "b", "ftp://a/", "//a/", "http//a"])
words = st.text(max_size=8)
keywords = st.lists(words, max_size=4) | words
iso_times = st.sampled_from(["2025-01-01", "2025-01-01T10:00:00Z", "2025-06-01 10:00+02:00"])
times = iso_times | st.integers(10**11, NOW + DAY_MS) | st.floats(0, NOW / 1000)
odd_times = st.sampled_from(
    ["", "1969-01-01", "2025-01-01T", "x2025-01-01", "2025-01-01\n", -1, 1e18]
)
ids = st.sampled_from(["a", "a.b_c-1", "x" * 128, "..", "0"])
bad_ids = st.sampled_from(["", "a b", "é", "x" * 129, "a\n"])
page_objects = st.fixed_dictionaries(
    {"url": urls},
    optional={"title": words | st.none(), "keywords": keywords, "description": words},
)
