"""What of the answers under load can be checked: what is uncertain is left out of the sample."""

from __future__ import annotations

import time
from typing import Any

import pytest

from webrec.bench.ledger import Ledger
from webrec.bench.load import Sent
from webrec.formats.requests import RequestDocument, parse_request

NOW_MS = time.time_ns() // 1_000_000
BODY = b'{"degraded":false}'
BOT = {"user_agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}


def request(**fields: Any) -> RequestDocument:
    """A request document, of the visitor v for some page if it says nothing else."""
    document = {"url": "https://e.example/", "user": "v", **fields}
    return parse_request({k: v for k, v in document.items() if v is not None}, NOW_MS)


def sent(index: int, at_s: float, done_s: float | None = None, body: bytes = BODY) -> Sent:
    """What was sent at that second, and answered after a millisecond if nothing else is given."""
    return Sent(index, at_s, at_s + 0.001 if done_s is None else done_s, 200, body)


def kept(requests: list[RequestDocument], *blocks: list[Sent]) -> dict[int, dict[str, int]]:
    """The recent visits of what is eligible, by number; blocks follow each other."""
    ledger = Ledger(requests, 100, seed=1)
    first = 0
    for block in blocks:
        ledger.add(first, block)
        first += len(block)
    assert ledger.eligible == len(ledger.sample)
    return {each.number: each.recent for each in ledger.sample}


def test_a_visit_of_long_ago_counts() -> None:
    """What was answered two seconds before, or earlier, is part of the right answer, each time."""
    requests = [request(), request(), request(url="https://e.example/2"), request()]
    blocks = [[sent(0, at_s)] for at_s in (0, 3, 6, 9)]
    page, other = "https://e.example/", "https://e.example/2"
    assert kept(requests, *blocks) == {0: {}, 1: {page: 1}, 2: {page: 2}, 3: {page: 2, other: 1}}


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (sent(0, 3.0, 3.1), "answered within the two seconds before"),
        (sent(0, 0.0, 5.01), "under way when this one was sent"),
        (sent(0, 5.05, 5.2), "sent while this one was under way"),
    ],
)
def test_an_uncertain_answer_is_left_out(other: Sent, why: str) -> None:
    """Nobody can say whether a visit so close to the request was seen."""
    assert 1 not in kept([request(), request()], [other, sent(1, 5.0, 5.1)])
    assert 1 in kept([request(user="w"), request()], [other, sent(1, 5.0, 5.1)])


@pytest.mark.parametrize(
    "fields", [{"track": False}, {"environment": BOT}, {"user": None}], ids=str
)
def test_a_visit_that_is_not_recorded_counts_nowhere(fields: dict[str, Any]) -> None:
    """Neither as something seen, nor as something uncertain."""
    requests = [request(**fields), request(), request(**fields)]
    found = kept(requests, [sent(0, 0)], [sent(0, 4.0)], [sent(0, 4.001)])
    assert found[0] == found[1] == {}
    # the same visitor's recorded visit of a moment before makes the last one uncertain
    assert (2 in found) == ("user" in fields)


def test_a_degraded_answer_is_counted_apart() -> None:
    """What says that something was left out is held against nothing; its visit still counts."""
    ledger = Ledger([request(), request()], 10, seed=1)
    ledger.add(0, [sent(0, 0, body=b'{"degraded":true}')])
    ledger.add(1, [sent(0, 9)])
    assert (ledger.answers, ledger.degraded, ledger.eligible) == (2, 1, 1)
    assert [each.recent for each in ledger.sample] == [{"https://e.example/": 1}]


def test_the_sample_is_drawn_evenly_and_by_its_seed() -> None:
    """The same seed keeps the same answers, of all parts of the load."""

    def numbers(seed: int) -> list[int]:
        ledger = Ledger([request(user=None)] * 2_000, 200, seed)
        for first in range(0, 2_000, 100):
            ledger.add(first, [sent(n, first + n) for n in range(100)])
        assert ledger.eligible == 2_000
        return sorted(each.number for each in ledger.sample)

    assert numbers(1) == numbers(1) != numbers(2)
    assert len(set(numbers(1))) == 200
    assert 60 < sum(number < 1_000 for number in numbers(1)) < 140
