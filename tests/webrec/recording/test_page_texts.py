"""Texts of new pages that wait for the store."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.recorders import LARGE, A, B, C, page, store_away
from webrec.domain.types import Page
from webrec.errors import StoreUnavailable
from webrec.rawlog.local import LocalLog
from webrec.recording.recorder import Recorder
from webrec.tables.tables import Tables


@pytest.mark.usefixtures("impatient")
def test_texts_that_wait_too_long_for_the_store_wait_in_the_log(
    tables: Tables, log: LocalLog, tmp_path: Path
) -> None:
    """They are no events that the store does not show, and a recovery finds those let go of."""
    with closing(Recorder(tables, log, LARGE, 3, new_among=lambda urls: urls)) as recorder:
        with store_away(tmp_path):
            recorder.record([page(A, "a"), page(B, "b"), page(B, "b"), page(C, "c")])
            with pytest.raises(StoreUnavailable):
                recorder.flush()
            assert (recorder.backlog, len(recorder._page_texts)) == (0, 3)
            recorder.record([page(f"{A}/2", "d")])
            assert recorder.backlog == 0
            with pytest.raises(StoreUnavailable):
                recorder.flush()
            assert len(recorder._page_texts) == 0
            assert recorder._segments._current is None
        assert tables.page_texts.get_many([A, B]) == [None, None]
        recorder.recover()
        titles = [text and text.title for text in tables.page_texts.get_many([A, B, C, f"{A}/2"])]
        assert titles == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("impatient")
def test_texts_of_known_pages_do_not_linger(tables: Tables, log: LocalLog, tmp_path: Path) -> None:
    """Not even while the store is away: nothing has to be written of them."""
    with closing(Recorder(tables, log, LARGE, 3, new_among=lambda _: {B})) as recorder:
        with store_away(tmp_path):
            recorder.record([page(A, "a"), page(B, "b"), page(C, "c")])
            with pytest.raises(StoreUnavailable):
                recorder.flush()
            current = recorder._segments._current
            assert current is not None
            assert list(current.texts) == [B]
            assert recorder._page_texts._pending == {(current, B)}
        recorder.flush()
        assert len(recorder._page_texts) == 0
        assert tables.page_texts.get(B) == Page(B, "b")


def test_a_text_that_is_newer_during_a_flush_is_written_by_the_next(
    tables: Tables, log: LocalLog
) -> None:
    """It stays pending, whether its page was new or not then."""

    def new_among(urls: Collection[str]) -> Collection[str]:
        if calls.pop():
            recorder.record([page(A, "newer", at_ms=2), page(B, "newer", at_ms=2)])
        return [url for url in urls if url == A or not calls]

    calls = [False, True]
    with closing(Recorder(tables, log, LARGE, new_among=new_among)) as recorder:
        recorder.record([page(A, "old"), page(B, "old")])
        recorder.flush()
        assert tables.page_texts.get_many([A, B]) == [Page(A, "old"), None]
        recorder.flush()
        assert tables.page_texts.get_many([A, B]) == [Page(A, "newer"), Page(B, "newer")]


@pytest.mark.usefixtures("impatient")
def test_a_segment_is_not_closed_before_its_texts_are_written(
    tables: Tables, log: LocalLog, tmp_path: Path
) -> None:
    """No replay would find them."""
    with closing(Recorder(tables, log, 10, new_among=lambda urls: urls)) as recorder:
        recorder.record([page(A, "a")])
        recorder.roll()
        with store_away(tmp_path), pytest.raises(StoreUnavailable):
            recorder.flush()
        assert log.closed_segments() == []
        recorder.flush()
        assert tables.page_texts.get(A) == Page(A, "a")
        assert len(log.closed_segments()) == 1
