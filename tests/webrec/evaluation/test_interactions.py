"""Reading a log for an evaluation."""

from __future__ import annotations

from pathlib import Path

from tests.webrec.evaluation.histories import logged, url, visit
from webrec.domain.progress import no_progress
from webrec.evaluation.interactions import ANONYMOUS


def test_a_history_is_in_the_order_of_time_then_of_the_log(tmp_path: Path) -> None:
    """Late arrivals take their place; what a page says of itself is nothing that happened."""
    source = logged(
        tmp_path,
        [
            visit("ann", "b", 20),
            visit("bob", "a", 10),
            visit(None, "c", 20, kind="accept"),
            visit(None, "d", 5, kind="page", title="words"),
            visit("ann", "a", 10),
        ],
    )
    found = source.interactions(no_progress)
    rows = [
        (
            None if visitor == ANONYMOUS else found.visitors[visitor],
            found.urls[page],
            at_ms,
            accept,
        )
        for visitor, page, at_ms, accept in zip(
            found.visitor.tolist(),
            found.page.tolist(),
            found.at_ms.tolist(),
            found.accept.tolist(),
            strict=True,
        )
    ]
    assert rows == [
        ("u:bob", url("a"), 10, False),
        ("u:ann", url("a"), 10, False),
        ("u:ann", url("b"), 20, False),
        (None, url("c"), 20, True),
    ]


def test_what_the_batch_leaves_out_is_left_out(tmp_path: Path) -> None:
    """Robots, repeats, unknown kinds of events, and visitors who were forgotten since."""
    source = logged(
        tmp_path,
        [
            visit("ann", "a", 1, event_id="1"),
            visit("ann", "b", 2, event_id="1"),
            visit("bot", "c", 3, bot=True),
            visit("eve", "d", 4),
            visit("eve", "e", 5),
            visit("eva", "c", 6, kind="click"),
        ],
        forgotten={"u:eve": 4},
    )
    found = source.interactions(no_progress)
    assert found.urls == [url("a"), url("e")]
    assert found.visitors == ["u:ann", "u:eve"]


def test_an_empty_log_is_an_empty_history(tmp_path: Path) -> None:
    """Nothing happened."""
    found = logged(tmp_path, []).interactions(no_progress)
    assert len(found.visitor) == len(found.at_ms) == 0
    assert found.urls == found.visitors == []


def test_a_part_of_the_log_is_what_is_kept(tmp_path: Path) -> None:
    """As if nothing else had ever been written."""
    source = logged(tmp_path, [visit("ann", "a", 1), visit("bob", "b", 2), visit("ann", "a", 3)])
    part = source.part(lambda event: event.at_ms != 2, no_progress)
    assert [page.url for page in part.pages] == [url("a")]
    assert part.visitors == ["u:ann"]
    assert part.visits().toarray().tolist() == [[2]]
    assert part.counts["visits"] == 2
