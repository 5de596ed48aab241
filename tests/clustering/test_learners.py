"""Every learner of a batch keeps the contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clustering.learners import default_learners
from clustering.pages.categories import CategoryLearner
from clustering.pages.labels import LabelLearner
from clustering.pages.taxonomy import Topic
from clustering.similar.learner import SimilarityLearner
from clustering.users.communities import CommunityLearner
from tests.contracts.learner import LearnerContract, learn
from tests.support import world as known
from webrec import config
from webrec.batch.history import SiteHistory
from webrec.batch.options import BatchOptions
from webrec.batch.steps import Findings, Learner
from webrec.errors import UsageError
from webrec.features.page_classifier import PageClassifier
from webrec.features.user_classifier import UserClassifier


class TestCategories(LearnerContract):
    """Pages into categories."""

    @pytest.fixture(params=["semantic", "tfidf"])
    def learner(self, request: pytest.FixtureRequest) -> CategoryLearner:
        """With each kind of features, compared with the themes that are known."""
        themes = {url: theme for url, theme in known.THEME_OF.items() if theme is not None}
        return CategoryLearner(k=3, kind=request.param, truth=themes)

    def test_it_finds_the_themes(self, learner: Learner, history: SiteHistory) -> None:
        """As categories with keywords; its arrays put nearly every page where it is."""
        found = learn(learner, history)
        assert found.categories is not None
        assert len(found.categories.keywords) == 3
        assert found.quality["labels_purity"] == 1
        classifier = PageClassifier(found.arrays)
        with_text = [(n, page) for n, page in enumerate(history.pages) if page.has_text]
        again = [(int(found.categories.of_page[n]), classifier.category(p)) for n, p in with_text]
        assert all(category in (own, None) for own, category in again)
        assert sum(own == category for own, category in again) >= 0.9 * len(again)

    def test_without_labels_it_compares_nothing(self, history: SiteHistory) -> None:
        """The figures of labelled pages are those of a file that was given."""
        quality = learn(CategoryLearner(k=3, kind="tfidf"), history).quality
        assert quality
        assert not any(name.startswith("label") for name in quality)


class TestLabels(LearnerContract):
    """Labels for categories."""

    @pytest.fixture
    def learner(self) -> LabelLearner:
        """With a few topics."""
        names = ("Cooking", "Space and Astronomy", "Soccer", "Law")
        return LabelLearner(tuple(Topic((name,)) for name in names))

    def test_it_names_what_was_found_before(
        self, learner: Learner, history: SiteHistory, so_far: Findings
    ) -> None:
        """A label for each category, by its number."""
        found = learn(learner, history, so_far)
        assert found.suggested_labels is not None
        themes = [words[0] for words in so_far.categories.keywords]
        assert found.suggested_labels[themes.index("cooking")] == "Cooking"


class TestCommunities(LearnerContract):
    """Visitors into communities."""

    @pytest.fixture
    def learner(self) -> CommunityLearner:
        """With the usual settings."""
        return CommunityLearner(accept_weight=3.0, min_visits=3, k=3)

    def test_it_finds_the_readerships(
        self, learner: Learner, history: SiteHistory, so_far: Findings
    ) -> None:
        """As communities, the newcomer in none; its arrays are a classifier."""
        found = learn(learner, history, so_far)
        assert found.communities is not None
        of = dict(zip(history.visitors, found.communities.of_visitor.tolist(), strict=True))
        assert of.pop(known.NEWCOMER) == -1
        assert len({frozenset(of[v] for v in each) for each in known.READERS.values()}) == 3
        assert all(len({of[v] for v in each}) == 1 for each in known.READERS.values())
        assert UserClassifier.of(found.arrays).min_visits == 3


class TestSimilarPages(LearnerContract):
    """Pages similar to each page."""

    @pytest.fixture
    def learner(self) -> SimilarityLearner:
        """There is one."""
        return SimilarityLearner()

    def test_it_has_a_list_for_every_page(self, learner: Learner, history: SiteHistory) -> None:
        """Similar are pages of the theme that is read together."""
        found = learn(learner, history).arrays
        assert len(found["ends"]) == len(history.pages)
        assert len(found["pages"]) == found["ends"][-1] > 0
        bounds = np.concatenate([[0], found["ends"]])
        for number, page in enumerate(history.pages):
            part = slice(bounds[number], bounds[number + 1])
            best = found["pages"][part][found["weights"][part] > 0][:1].tolist()
            assert all(
                known.THEME_OF[history.pages[p].url] == known.THEME_OF[page.url] for p in best
            )


def test_no_two_default_learners_have_the_same_name(tmp_path: Path) -> None:
    """Each has arrays of its own in a generation."""
    names = [each.name for each in default_learners(BatchOptions(), config.load(home=tmp_path))]
    assert sorted(names) == ["labels", "pages", "similar", "users"]


def test_a_wrong_taxonomy_is_refused_before_the_work(tmp_path: Path) -> None:
    """Where the learners are listed, not after an hour of clustering."""
    options = BatchOptions(taxonomy=tmp_path / "missing.tsv")
    with pytest.raises(UsageError, match="missing"):
        default_learners(options, config.load(home=tmp_path))
