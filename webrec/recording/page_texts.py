"""[1] → [3] The texts of new pages: out of the events that describe them, into their table.

A page is new while the last batch has not categorised it. As with recent rows there is a cell for
each segment, with the newest text that the segment has of the page: writing it again changes
nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping

from webrec.domain.types import Event
from webrec.recording.segments import OpenSegment
from webrec.tables.page_texts import PageText, PageTexts

_Key = tuple[OpenSegment, str]
"""A page of which a segment has a text, by its URL."""


class PendingTexts:
    """The texts of pages that the store may not have yet.

    `_lock` guards the set of pending pages, and the texts of each `OpenSegment`. The store is
    called, and asked which pages are new, without it.

    Args:
        table: where the texts are kept.
        new_among: of some URLs, those of new pages.
    """

    def __init__(
        self, table: PageTexts, new_among: Callable[[Collection[str]], Collection[str]]
    ) -> None:
        self._table = table
        self._new_among = new_among
        self._lock = threading.Lock()
        self._pending: set[_Key] = set()

    def __len__(self) -> int:
        """How many texts are pending, counted for each segment."""
        return len(self._pending)

    def add(self, source: OpenSegment, events: Iterable[Event]) -> None:
        """Note what events of a segment say of their pages."""
        describing = [event for event in events if _describes(event)]
        if describing:
            with self._lock:
                _keep_newest(source.texts, describing)
                self._pending.update((source, event.url) for event in describing)

    def write(self) -> None:
        """Write the texts of pages that are new, and let go of the others.

        Raises:
            StoreUnavailable: the texts of new pages are still pending.
        """
        with self._lock:
            texts = {(source, url): source.texts[url] for source, url in self._pending}
        if not texts:
            return
        new = set(self._new_among({url for _, url in texts}))
        not_new = {key: text for key, text in texts.items() if key[1] not in new}
        with self._lock:  # at once: what is not written need not wait for the store
            for source, url in self._remove(not_new):
                del source.texts[url]
        written = {key: text for key, text in texts.items() if key[1] in new}
        self._table.put((s.segment.name, url, text) for (s, url), text in written.items())
        with self._lock:
            self._remove(written)

    def _remove(self, texts: Mapping[_Key, PageText]) -> list[_Key]:
        """Take texts off the pending ones, but for those that a newer one has replaced.

        Returns:
            Those taken off.
        """
        done = [(s, url) for (s, url), text in texts.items() if s.texts[url] is text]
        self._pending.difference_update(done)
        return done

    def write_replayed(
        self, segment: str, events: Iterable[Event], texts: dict[str, PageText]
    ) -> None:
        """Write the texts of new pages as a dead writer's segment has them so far.

        Args:
            events: the next ones of the segment.
            texts: by URL, those that the events before have of new pages; is kept up to date.

        Raises:
            StoreUnavailable: they may not be written.
        """
        describing = [event for event in events if _describes(event)]
        _keep_newest(texts, describing)
        urls = {event.url for event in describing}
        new = set(self._new_among(urls))
        for url in urls - new:
            del texts[url]
        self._table.put((segment, url, texts[url]) for url in sorted(new))

    def evict(self, sources: Collection[OpenSegment]) -> None:
        """Let go of the pending texts of segments: a recovery will find them in the log."""
        with self._lock:
            self._pending = {key for key in self._pending if key[0] not in sources}


def _describes(event: Event) -> bool:
    """Whether the event has a text of its page that counts."""
    return bool(event.title or event.keywords or event.description) and not event.bot


def _keep_newest(texts: dict[str, PageText], events: Iterable[Event]) -> None:
    for event in events:
        texts[event.url] = texts.get(event.url, PageText()).newer(PageText.of(event))
