"""What every learner must do; a test class per learner inherits this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.support import world as known
from tests.support.worlds import NOW_MS, ingest_known, opened
from webrec.batch.history import SiteHistory, replay
from webrec.batch.log_cut import LogCut
from webrec.batch.steps import Findings, Learned, Learner, PageCategories
from webrec.domain.progress import no_progress
from webrec.formats.events import parse_event
from webrec.storage import open_store
from webrec.tables.tables import Tables

GENERATION = "000001"


def learn(
    learner: Learner, history: SiteHistory, so_far: Findings | None = None, seed: int = 3
) -> Learned:
    """What the learner learns; nothing was found before unless it is given."""
    return learner.learn(history, so_far or Findings.empty(history), seed, no_progress)


def assert_same(one: Learned, other: Learned) -> None:
    """All of it, arrays to the last bit."""
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        assert array.dtype == other.arrays[name].dtype
        assert np.array_equal(array, other.arrays[name])
    assert (one.counts, one.quality) == (other.counts, other.quality)
    assert one.suggested_labels == other.suggested_labels
    assert (one.categories is None) == (other.categories is None)
    if one.categories is not None and other.categories is not None:
        assert np.array_equal(one.categories.of_page, other.categories.of_page)
        assert one.categories.keywords == other.categories.keywords
    assert (one.communities is None) == (other.communities is None)
    if one.communities is not None and other.communities is not None:
        assert np.array_equal(one.communities.of_visitor, other.communities.of_visitor)


def assert_valid(found: Learned, history: SiteHistory, so_far: Findings) -> None:
    """It fits the history's numbers of pages and visitors, and its figures are figures."""
    if found.categories is not None:
        of_page = found.categories.of_page
        assert (of_page.dtype, of_page.shape) == (np.int32, (len(history.pages),))
        assert of_page.max(initial=-1) + 1 == len(found.categories.keywords)
        assert of_page.min(initial=-1) >= -1
    if found.communities is not None:
        of_visitor = found.communities.of_visitor
        assert (of_visitor.dtype, of_visitor.shape) == (np.int32, (len(history.visitors),))
        assert set(of_visitor.tolist()) - {-1} == set(range(of_visitor.max(initial=-1) + 1))
    if found.suggested_labels is not None:
        categories = found.categories or so_far.categories
        assert len(found.suggested_labels) == len(categories.keywords)
        assert all(found.suggested_labels)
        assert len(set(found.suggested_labels)) == len(found.suggested_labels)
    assert all(type(count) is int for count in found.counts.values())
    assert all(type(value) is float for value in found.quality.values())
    assert all(np.isfinite(value) for value in found.quality.values())


class LearnerContract:
    """The behaviour of `webrec.batch.steps.Learner`; a subclass gives the fixture ``learner``."""

    @pytest.fixture(scope="class")
    @classmethod
    def history(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteHistory]:
        """The known-answer world, read out of its log."""
        with opened(tmp_path_factory.mktemp("known")) as engine:
            ingest_known(engine)
            cut = LogCut(engine.log, engine.recorder.cut(0))
            yield replay(cut, engine.tables.campaigns.all(), no_progress)

    @pytest.fixture(scope="class")
    @classmethod
    def empty(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteHistory]:
        """An empty log."""
        with opened(tmp_path_factory.mktemp("empty")) as engine:
            yield replay(LogCut(engine.log, engine.recorder.cut(0)), (), no_progress)

    @pytest.fixture
    def so_far(self, history: SiteHistory) -> Findings:
        """The themes of the world as categories, as a learner before this one would find them."""
        themes = sorted({theme for theme in known.THEME_OF.values() if theme is not None})
        number_of = {None: -1} | {theme: number for number, theme in enumerate(themes)}
        of_page = [number_of[known.THEME_OF[page.url]] for page in history.pages]
        categories = PageCategories(np.array(of_page, np.int32), [[theme] for theme in themes])
        return Findings.empty(history).plus("before", Learned(categories=categories))

    def test_its_name_can_be_stored(self, learner: Learner) -> None:
        """ASCII letters: it is part of a row key."""
        assert learner.name.isascii()
        assert learner.name.isalpha()

    def test_the_same_seed_gives_the_same(
        self, learner: Learner, history: SiteHistory, so_far: Findings
    ) -> None:
        """To the last bit, however often it learns."""
        first = learn(learner, history, so_far)
        assert_same(first, learn(learner, history, so_far))

    def test_what_it_learns_fits_the_history(
        self, learner: Learner, history: SiteHistory, so_far: Findings
    ) -> None:
        """Every page and every visitor has its number, and every figure is one."""
        assert_valid(learn(learner, history, so_far), history, so_far)

    def test_it_leaves_the_history_as_it_is(
        self, learner: Learner, history: SiteHistory, so_far: Findings
    ) -> None:
        """Learners after it are given the same."""
        before = [matrix().toarray() for matrix in (history.visits, history.accepts)]
        pages, of_page = list(history.pages), so_far.categories.of_page.copy()
        learn(learner, history, so_far)
        for matrix, was in zip((history.visits, history.accepts), before, strict=True):
            assert np.array_equal(matrix().toarray(), was)
        assert history.pages == pages
        assert np.array_equal(so_far.categories.of_page, of_page)

    def test_its_arrays_come_back_from_the_tables(
        self, learner: Learner, history: SiteHistory, so_far: Findings, tmp_path: Path
    ) -> None:
        """Each with its type, its shape and every number."""
        learned = learn(learner, history, so_far)
        with closing(open_store(f"sqlite:///{tmp_path}/webrec.db")) as store:
            tables = Tables(store)
            tables.create()
            tables.generations.create(GENERATION)
            tables.arrays.put(GENERATION, {learner.name: learned.arrays})
            found = tables.arrays.all(GENERATION).get(learner.name, {})
        assert found.keys() == learned.arrays.keys()
        for name, array in learned.arrays.items():
            assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
            assert np.array_equal(found[name], array)

    def test_an_empty_history_is_no_failure(self, learner: Learner, empty: SiteHistory) -> None:
        """Without any page or visitor there is nothing to learn, and that is what it finds."""
        nothing = Findings.empty(empty)
        assert_valid(learn(learner, empty), empty, nothing)

    def test_pages_that_nobody_visited_are_no_failure(
        self, learner: Learner, tmp_path: Path
    ) -> None:
        """A site may be loaded before its first visitor comes."""
        with opened(tmp_path) as engine:
            engine.recorder.record([parse_event(page, NOW_MS) for page in known.PAGES[:3]])
            history = replay(LogCut(engine.log, engine.recorder.cut(0)), (), no_progress)
            assert_valid(learn(learner, history), history, Findings.empty(history))
        assert len(history.pages) == 3

    def test_it_says_what_it_is_doing(
        self, learner: Learner, history: SiteHistory, so_far: Findings
    ) -> None:
        """From its first step on, and never more done than there is."""
        calls: list[tuple[str, int, int]] = []
        learner.learn(history, so_far, 3, lambda *call: calls.append(call))
        assert calls
        assert calls[0][0]
        assert calls[0][1] == 0
        assert all(0 <= done <= total for _, done, total in calls if total)
