"""Learners one after the other, and what becomes of what they find."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from clustering.learners import default_learners
from tests.support import world as known
from tests.webrec.batch.small_generation import contents
from tests.webrec.batch.small_logs import A, B, read, visit, write
from webrec.batch import job
from webrec.batch.history import SiteHistory
from webrec.batch.options import BatchOptions
from webrec.batch.publish import describe
from webrec.batch.steps import Findings, Learned, PageCategories, learn_all
from webrec.domain.progress import Progress, no_progress
from webrec.rawlog.local import LocalLog
from webrec.serving.engine import Engine
from webrec.tables.tables import Tables


@dataclass
class Reading:
    """A learner that reads the log itself, and notes what was found before it."""

    name: str = "next"
    found_before: list[Findings] = field(default_factory=list)

    def learn(
        self,
        history: SiteHistory,
        so_far: Findings,
        seed: int,  # noqa: ARG002 - the protocol's
        progress: Progress,
    ) -> Learned:
        """How many events each segment has."""
        progress("reading", 0, 0)
        self.found_before.append(so_far)
        sizes = [sum(1 for _ in segment.read()) for segment in history.segments()]
        return Learned({"sizes": np.array(sizes, np.int64)}, {"read": sum(sizes)}, {"fit": 0.5})


def test_a_new_learner_is_an_entry_in_the_list(engine: Engine) -> None:
    """Its arrays are in the generation, its figures in the report, and nothing else changes."""
    options = BatchOptions(features="tfidf")
    learners = default_learners(options, engine.settings)
    parts = (engine.tables, engine.log, engine.recorder, engine.settings)
    generation, _ = job.run(*parts, [*learners, Reading()], options, no_progress)
    arrays = engine.tables.arrays.all(generation.id)
    assert arrays.keys() == {"pages", "users", "similar", "next"}
    assert arrays["next"]["sizes"].sum() == len(known.PAGES) + len(known.VISITS)
    assert generation.counts["read"] == generation.counts["events"]
    assert generation.quality["fit"] == 0.5
    assert generation.counts["categories"] == len(generation.suggested_labels) == 3


def test_a_learner_is_given_what_was_found_before(log: LocalLog) -> None:
    """Categories, communities and arrays of those that came first."""
    write(log, visit(A), visit(B))
    history = read(log)
    reading, categories = Reading(), PageCategories(np.zeros(2, np.int32), [["one"]])

    class Categorising(Reading):
        def learn(self, *_: object) -> Learned:
            return Learned({"a": np.arange(3)}, categories=categories)

    found = learn_all([Categorising("first"), reading], history, 0, no_progress)
    (before,) = reading.found_before
    assert before.categories is categories
    assert before.arrays["first"]["a"].tolist() == [0, 1, 2]
    assert before.communities.of_visitor.tolist() == [-1]
    assert found.arrays.keys() == {"first", "next"}


def test_two_learners_of_one_name_are_refused() -> None:
    """The arrays of one would be lost."""
    nothing = Findings.empty(contents().history).plus("next", Learned())
    with pytest.raises(ValueError, match="two learners are called next"):
        nothing.plus("next", Learned())


def test_categories_that_no_learner_names_are_called_by_their_ids(tables: Tables) -> None:
    """Every category has a suggested label, whatever learners there are."""
    history = contents().history
    learned = Learned(categories=PageCategories(np.zeros(5, np.int32), [["one"]]))
    found = Findings.empty(history).plus("pages", learned)
    generation = describe(tables, history, found, None, 3.0)
    assert generation.suggested_labels == generation.category_ids == ("c1",)
