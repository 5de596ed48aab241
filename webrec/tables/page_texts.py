"""[3] The texts of new pages: what was sent of pages that the last batch did not categorise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, reduce
from itertools import accumulate
from typing import NamedTuple

import orjson

from hbase_schema import names, row_keys
from webrec.domain.types import Event, Page
from webrec.features.text import LONGEST_TEXT
from webrec.storage import Store
from webrec.tables.generations import Generation


class PageText(NamedTuple):
    """The text of a page: the newest of each field, with the moment (ms) it was sent.

    Of the same moment the greater counts, so that the order in which it came says nothing. The
    batch and the service both go by it.
    """

    title: tuple[int, str] = (0, "")
    keywords: tuple[int, tuple[str, ...]] = (0, ())
    description: tuple[int, str] = (0, "")

    @classmethod
    def of(cls, event: Event) -> PageText:
        """What an event says of its page, as far as it counts."""
        return cls().newer(
            cls(
                (event.at_ms if event.title else 0, event.title[:LONGEST_TEXT]),
                (event.at_ms if event.keywords else 0, _cut(event.keywords)),
                (event.at_ms if event.description else 0, event.description[:LONGEST_TEXT]),
            )
        )

    def newer(self, other: PageText) -> PageText:
        """The newer of both, field by field."""
        return PageText(
            max(self.title, other.title),
            max(self.keywords, other.keywords),
            max(self.description, other.description),
        )

    def page(self, url: str) -> Page:
        """The page with this text."""
        return Page(url, self.title[1], self.keywords[1], self.description[1])


class PageTexts:
    """Reads and writes of the texts of new pages.

    Args:
        store: any `webrec.storage.Store`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, found: Iterable[tuple[str, str, PageText]]) -> None:
        """Write what segments have of pages: segment, URL, and the newest text there."""
        rows = (
            (row_keys.page_key(url), {row_keys.page_text_column(segment): _cell(url, text)})
            for segment, url, text in found
        )
        self._store.put_many(names.NEW_PAGES, rows)

    def get(self, url: str, within_s: float | None = None) -> Page | None:
        """A page with the newest text that was kept of it; None where none was.

        Args:
            within_s: seconds after which the answer is of no use any more.
        """
        row = self._store.get(names.NEW_PAGES, row_keys.page_key(url), within_s=within_s)
        return _newest(url, row)

    def get_many(self, urls: Sequence[str]) -> list[Page | None]:
        """The same of many pages, in order."""
        rows = self._store.get_many(names.NEW_PAGES, [row_keys.page_key(url) for url in urls])
        return [_newest(url, row) for url, row in zip(urls, rows, strict=True)]

    def clean(self, oldest: Generation) -> None:
        """Delete the texts that every kept generation has read in the log.

        Args:
            oldest: the oldest generation kept.
        """
        covers = cache(oldest.watermark.covers)
        found = (
            (row, [column for column in texts if covers(row_keys.page_text_segment(column))])
            for row, texts in self._store.scan(names.NEW_PAGES)
        )
        self._store.delete_many(names.NEW_PAGES, ((row, gone) for row, gone in found if gone))


def _cut(keywords: tuple[str, ...]) -> tuple[str, ...]:
    """The first keywords, as far as they count."""
    starts = accumulate(map(len, keywords), initial=0)
    return tuple(
        word[: LONGEST_TEXT - start]
        for word, start in zip(keywords, starts, strict=False)
        if start < LONGEST_TEXT
    )


def _newest(url: str, row: Mapping[bytes, bytes]) -> Page | None:
    if not row:
        return None
    return reduce(PageText.newer, map(_text, row.values())).page(url)


def _cell(url: str, text: PageText) -> bytes:
    return orjson.dumps({"url": url} | text._asdict())


def _text(cell: bytes) -> PageText:
    found = orjson.loads(cell)
    at_ms, keywords = found["keywords"]
    return PageText(tuple(found["title"]), (at_ms, tuple(keywords)), tuple(found["description"]))
