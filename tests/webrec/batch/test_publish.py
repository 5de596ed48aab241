"""How a result becomes a generation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from hbase_schema import names as t
from hbase_schema.cells import PageCell
from webrec.batch import publish
from webrec.batch.history import Replayed
from webrec.batch.publish import Result
from webrec.domain.types import Page
from webrec.errors import ResultRefused, WebrecError
from webrec.rawlog import Watermark
from webrec.storage import open_store
from webrec.storage.base import Cells
from webrec.storage.sqlite import SqliteStore
from webrec.tables.generations import Generation
from webrec.tables.rows import Counts, ProfileRow
from webrec.tables.tables import Tables

COUNTS = {"pages": 100, "categorised": 90, "profiles": 50, "visits": 1_000}
GENERATION = Generation(
    "000001", 0, 0, Watermark({"spool": 0}), 3.0, ("c7", "c2"), ("g4",), ("One", "Other"), COUNTS
)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    """The tables of a new store."""
    with closing(open_store(f"sqlite:///{tmp_path}/webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        yield tables


def result(profile_urls: int = 100) -> Result:
    """Five pages in two categories, the last one in none; three users, two in a community.

    Page 1 has 2 anonymous visits besides.
    """
    visits = sparse.csr_array(np.array([[5, 0, 1, 2, 0], [1, 4, 0, 0, 9], [0, 0, 0, 1, 0]]))
    accepts = sparse.csr_array(np.array([[0, 1, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]]))
    return Result(
        Replayed(
            [Page(f"https://site.example/{n}") for n in range(5)],
            ["u:a", "u:b", "u:c"],
            visits.astype(np.int64),
            accepts.astype(np.int64),
            sparse.csr_array(np.array([[30, 0, 10, 20, 0], [7, 9, 0, 0, 9], [0, 0, 0, 1, 0]])),
            np.array([6, 6, 1, 3, 9]),
            np.array([0, 1, 0, 1, 0]),
            {},
            [],
        ),
        np.array([0, 1, 0, 1, -1], np.int32),
        np.array([0, 0, -1], np.int32),
        [["one", "first"], ["other"]],
        profile_urls,
        {"users": {"idf": np.array([0.5, 2.0]), "columns": np.arange(300_000)}},
    )


def write(tables: Tables, found: Result) -> None:
    """Write it as the generation 000001."""
    publish.write(tables, GENERATION, found, lambda _doing, _done, _total: None)


def pairs(counts: Counts) -> dict[int, int]:
    """Number to count."""
    return dict(zip(*(a.tolist() for a in counts), strict=True))


def profile(tables: Tables, visitor: str) -> ProfileRow:
    """One that must be there."""
    found = tables.profiles.get("000001", visitor)
    assert found is not None
    return found


def test_pages_carry_category_and_totals(tables: Tables) -> None:
    """Anonymous visits included; -1 is no category."""
    write(tables, result())
    pages = sorted(tables.pages.all("000001"), key=lambda p: p.number)
    assert [p[2:] for p in pages] == [(0, 6, 0), (1, 6, 1), (0, 1, 0), (1, 3, 1), (-1, 9, 0)]


def test_categories_are_in_the_order_of_rec_l(tables: Tables) -> None:
    """By total affinity, 9 before 6 and 6 before 1, under the ids of their numbers."""
    write(tables, result())
    one, other = tables.categories.get("000001", "c7"), tables.categories.get("000001", "c2")
    assert one is not None
    assert other is not None
    assert (one.urls.tolist(), one.value, one.keywords) == ([0, 2], 7.0, ["one", "first"])
    assert (other.urls.tolist(), other.value) == ([1, 3], 15.0)


def test_ties_go_by_url(tables: Tables) -> None:
    """Pages of equal affinity are in the order of their numbers."""
    found = result()
    found.replayed.page_visits[:] = 4
    found.replayed.page_accepts[:] = 0
    write(tables, found)
    row = tables.categories.get("000001", "c2")
    assert row is not None
    assert row.urls.tolist() == [1, 3]


def test_a_profile_has_its_four_families(tables: Tables) -> None:
    """URLs and categories, visits and accepts, each in the order of its numbers."""
    write(tables, result())
    row = profile(tables, "u:b")
    assert pairs(row.urls) == {0: 1, 1: 4, 4: 9}
    assert pairs(row.cats) == {0: 1, 1: 4}
    assert pairs(row.accepted_urls) == {3: 1}
    assert pairs(row.accepted_cats) == {1: 1}
    assert row.community == 0
    assert profile(tables, "u:c").community is None
    assert pairs(profile(tables, "u:c").urls) == {3: 1}
    assert dict(tables.profiles.communities("000001")) == {"u:a": 0, "u:b": 0, "u:c": None}


def test_a_profile_knows_what_was_visited_last(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one first, of one moment by number, and no more than count."""
    write(tables, result())
    assert profile(tables, "u:a").last.tolist() == [0, 3, 2]
    assert profile(tables, "u:b").last.tolist() == [1, 4, 0]
    monkeypatch.setattr(publish, "MOST_SEEN", 2)
    tables.generations.drop("000001")
    write(tables, result())
    assert profile(tables, "u:b").last.tolist() == [1, 4]


def test_a_community_is_the_sum_of_its_members(tables: Tables) -> None:
    """Its list is `colL`: by affinity, and without what was only accepted."""
    write(tables, result())
    found = tables.communities.get("000001", "g4")
    assert found is not None
    row, size = found
    assert size == 2
    assert row.urls.numbers.tolist() == [4, 1, 0, 3, 2]  # 9, 4 + 3, 6, 2 + 3, 1
    assert row.urls.counts.tolist() == [9, 4, 6, 2, 1]
    assert pairs(row.cats) == {0: 7, 1: 6}
    assert pairs(row.accepted_urls) == {1: 1, 3: 1}
    assert pairs(row.accepted_cats) == {1: 2}


@pytest.mark.parametrize(
    ("profile_urls", "urls", "accepted"),
    [(1, {0: 5}, {}), (2, {0: 5}, {1: 1}), (3, {0: 5, 3: 2}, {1: 1}), (4, None, {1: 1})],
)
def test_a_long_profile_keeps_its_strongest_urls(
    tables: Tables, profile_urls: int, urls: dict[int, int] | None, accepted: dict[int, int]
) -> None:
    """By visits and accepts together (5, 3, 2, 1); its categories stay complete."""
    write(tables, result(profile_urls))
    row = profile(tables, "u:a")
    assert pairs(row.urls) == ({0: 5, 2: 1, 3: 2} if urls is None else urls)
    assert pairs(row.accepted_urls) == accepted
    assert pairs(row.cats) == {0: 6, 1: 2}
    assert pairs(row.accepted_cats) == {1: 1}
    assert pairs(profile(tables, "u:c").urls) == {3: 1}


def test_equally_strong_urls_are_kept_by_url(tables: Tables) -> None:
    """The smaller number stays."""
    found = result(profile_urls=2)
    found.replayed.visits = sparse.csr_array(np.ones((3, 5), np.int64))
    found.replayed.accepts = sparse.csr_array((3, 5), dtype=np.int64)
    write(tables, found)
    assert pairs(profile(tables, "u:a").urls) == {0: 1, 1: 1}


@pytest.mark.parametrize("what", sorted(COUNTS))
def test_a_result_far_smaller_is_refused(what: str) -> None:
    """Below half of any guarded figure; half is enough."""
    half = {**COUNTS, what: COUNTS[what] // 2}
    publish.check(half, GENERATION)
    with pytest.raises(ResultRefused, match=rf"{COUNTS[what]:,} {what}|{what}"):
        publish.check({**half, what: half[what] - 1}, GENERATION)


def test_a_first_result_need_not_be_large() -> None:
    """One page is enough, none is not."""
    first = dict.fromkeys(COUNTS, 0) | {"pages": 1}
    publish.check(first, None)
    with pytest.raises(ResultRefused, match="webrec ingest"):
        publish.check(first | {"pages": 0}, None)


class _Losing(SqliteStore):
    """A store that forgets to write a row of one table."""

    losing = ""

    def put_many(self, table: str, rows: Iterator[tuple[bytes, Cells]]) -> None:  # type: ignore[override]
        """Write all rows but the first."""
        given: Sequence[tuple[bytes, Cells]] = list(rows)
        super().put_many(table, given[1:] if table.endswith(self.losing) else given)


@pytest.mark.parametrize("kind", t.KINDS)
def test_what_the_store_lost_is_found(tmp_path: Path, kind: str) -> None:
    """A generation of which a row is missing is never published."""
    with closing(_Losing(tmp_path / "webrec.db")) as store:
        tables = Tables(store)
        tables.create()
        store.losing = kind
        with pytest.raises(WebrecError, match="the store holds"):
            write(tables, result())


def test_what_the_store_changed_is_found(tables: Tables) -> None:
    """Pages are compared, not only counted."""

    def report(doing: str, _done: int, _total: int) -> None:
        if doing == "verifying":
            tables.pages.put("000001", [PageCell("https://site.example/0", 0, 0, 99, 0)])

    with pytest.raises(WebrecError, match="the store gives"):
        publish.write(tables, GENERATION, result(), report)


def test_spaces_come_back(tables: Tables) -> None:
    """Arrays of any length and type, each as it was."""
    write(tables, result())
    found = tables.arrays.all("000001")
    assert found.keys() == {"users"}
    assert found["users"].keys() == {"idf", "columns"}
    for name, array in result().spaces["users"].items():
        assert found["users"][name].dtype == array.dtype
        assert (found["users"][name] == array).all()


def test_a_generation_from_before_there_were_spaces_has_none(tables: Tables) -> None:
    """It can be gone back to: nothing new is placed then."""
    write(tables, result())
    tables.store.drop_table(t.generation_table("000001", "spaces"))
    assert tables.arrays.all("000001") == {}


def test_a_space_that_changed_is_found(tables: Tables) -> None:
    """Spaces are compared, not only counted."""

    def report(doing: str, _done: int, _total: int) -> None:
        if doing == "verifying":
            tables.arrays.put("000001", {"users": {"idf": np.array([0.5, 3.0])}})

    with pytest.raises(WebrecError, match="1 space users were written, the store holds"):
        publish.write(tables, GENERATION, result(), report)
