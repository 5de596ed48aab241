"""[2] The learners of a batch, in the order in which they learn: a new one is a line here."""

from __future__ import annotations

from clustering.pages import taxonomy
from clustering.pages.categories import CategoryLearner
from clustering.pages.labels import LabelLearner
from clustering.similar.learner import SimilarityLearner
from clustering.users.communities import CommunityLearner
from webrec.batch.options import BatchOptions
from webrec.batch.steps import Learner
from webrec.config import Settings


def default_learners(options: BatchOptions, settings: Settings) -> list[Learner]:
    """The learners that every batch has.

    Communities and labels come after categories, which they need. Labels come last: they load a
    language model, which so is not in memory while the others learn.

    Raises:
        UsageError: the file for suggested labels is none; so it is known before the work begins.
    """
    return [
        CategoryLearner(options.categories, options.features, options.truth),
        CommunityLearner(settings.accept_weight, settings.min_visits, options.communities),
        SimilarityLearner(),
        LabelLearner(taxonomy.load(options.taxonomy)),
    ]
