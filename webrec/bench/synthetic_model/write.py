"""A synthetic model written into an empty store, and activated."""

from __future__ import annotations

from webrec.bench.synthetic_model import contents
from webrec.bench.synthetic_model.population import Population
from webrec.bench.synthetic_model.profiles import CommunityTotals, profiles
from webrec.bench.synthetic_model.spec import GENERATION, SyntheticModelSpec
from webrec.domain.progress import Progress
from webrec.errors import UsageError
from webrec.tables.tables import Tables

_CAMPAIGNS_AT_ONCE = 500
"""Campaigns in one write, so that progress is seen."""


def write_model(tables: Tables, spec: SyntheticModelSpec, progress: Progress) -> None:
    """Write a synthetic model into an empty store, and activate it.

    Args:
        progress: is called with what is being written, how much of it is, and of how much.

    Raises:
        UsageError: the store holds a generation.
    """
    tables.create()
    if tables.generations.with_tables() or tables.generations.all():
        raise UsageError("the store holds a model: a synthetic one needs an empty store")
    tables.generations.create(GENERATION)
    population = Population(spec)
    totals = CommunityTotals(spec)
    tables.profiles.put(GENERATION, profiles(population, totals, progress))  # adds to the totals
    tables.pages.put(GENERATION, contents.pages_of(population, totals, progress))
    tables.categories.put(GENERATION, contents.categories_of(population, totals))
    tables.communities.put(GENERATION, contents.communities_of(population, totals))
    tables.arrays.put(GENERATION, {"similar": contents.similar_pages(population, totals)})
    _put_campaigns(tables, population, progress)
    tables.generations.put(contents.generation_of(population, totals))
    tables.generations.activate(GENERATION, None)


def _put_campaigns(tables: Tables, population: Population, progress: Progress) -> None:
    campaigns = list(contents.campaigns_of(population))
    for start in range(0, len(campaigns), _CAMPAIGNS_AT_ONCE):
        progress("writing campaigns", start, len(campaigns))
        tables.campaigns.put(campaigns[start : start + _CAMPAIGNS_AT_ONCE])
    progress("writing campaigns", len(campaigns), len(campaigns))
