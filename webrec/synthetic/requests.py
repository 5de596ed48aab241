"""Recommendation requests to a synthetic world, of all modes, filters and kinds of visitors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from webrec.synthetic.campaigns import campaigns
from webrec.synthetic.ground_truth import GroundTruth
from webrec.synthetic.spec import WorldSpec
from webrec.synthetic.words import Document, draw_page_words, page_text, page_url


def requests(spec: WorldSpec, n: int) -> Iterator[Document]:
    """This many request documents, of all modes, filters and kinds of visitors."""
    truth = GroundTruth(spec)
    rng = truth.stream("requests")
    ids = [campaign["id"] for campaign in campaigns(spec)]
    for number in range(n):
        user = int(rng.integers(spec.users))
        yield {
            **_asked_page(truth, rng, user, number),
            **_asking(truth, rng, user, number),
            "timestamp": spec.now_ms,
            "environment": truth.browser(user),
            **_wishes(truth, rng, user, ids),
        }


def _asking(truth: GroundTruth, rng: np.random.Generator, user: int, number: int) -> Document:
    """Who asks: a user of the log, an unknown user, an unknown address, or an anonymous one."""
    kind = rng.random()
    if kind < 0.70:
        return truth.identity(user)
    if kind < 0.85:
        return {"user": f"guest{number}"}
    if kind < 0.90:
        return {"ip": f"203.0.113.{number % 254 + 1}"}
    return {}


def _asked_page(truth: GroundTruth, rng: np.random.Generator, user: int, number: int) -> Document:
    """The page being browsed; half the senders know what a page of the log says of itself."""
    kind = rng.random()
    by_taste = int(truth.draw_pages(rng, truth.user_community[[user]])[0])
    if kind < 0.92:
        page = by_taste if kind < 0.80 else int(rng.integers(truth.spec.urls))
        return {"url": truth.url(page), **(truth.text(page) if rng.random() < 0.5 else {})}
    about, words = truth.subject_of(int(truth.page_category[by_taste])), draw_page_words(rng)
    return {"url": f"{page_url(about, words, number)}-today", **page_text(about, words)}


def _wishes(truth: GroundTruth, rng: np.random.Generator, user: int, ids: list[str]) -> Document:
    """What is asked for: mode and filter evenly, and now and then more."""
    wishes: Document = {"mode": ("related", "sponsored")[int(rng.integers(2))]}
    if rng.random() < 0.9:
        wishes["filter"] = ("content", "collaborative")[int(rng.integers(2))]
    if rng.random() < 0.3:
        wishes["limit"] = int(rng.integers(1, 51))
    if rng.random() < 0.15:
        communities = np.repeat(truth.user_community[user], rng.integers(1, 6))
        wishes["exclude"] = truth.urls(truth.draw_pages(rng, communities))
    if rng.random() < 0.1:
        wishes["repeat"] = bool(rng.integers(2))
    if rng.random() < 0.1:
        wishes["explain"] = True
    if ids and wishes["mode"] == "sponsored" and rng.random() < 0.15:
        wishes["campaigns"] = [ids[int(rng.integers(len(ids)))] for _ in range(5)]
    return wishes
