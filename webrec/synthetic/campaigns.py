"""The campaigns of a synthetic world, as ad operations upload them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from webrec.synthetic.events import DAY_MS
from webrec.synthetic.ground_truth import GroundTruth
from webrec.synthetic.spec import WorldSpec
from webrec.synthetic.words import FIRMS, Document, capitalised, draw_page_words, page_text, slug


def campaigns(spec: WorldSpec) -> Iterator[Document]:
    """The campaign documents; ids end in the campaign's number."""
    truth = GroundTruth(spec)
    rng = truth.stream("campaigns")
    for number in range(spec.campaigns):
        category = int(rng.integers(spec.categories))
        about = truth.subject_of(category)
        id_ = f"{slug(about.name)}-{number}"
        firm = FIRMS[int(rng.integers(len(FIRMS)))]
        yield {
            "id": id_,
            "name": f"{firm}: {about.name}",
            "urls": _ads(truth, rng, category, id_, firm),
            "priority": round(float(rng.beta(2, 2)), 2),
            **_state(rng, number, spec.now_ms),
        }


def _ads(
    truth: GroundTruth, rng: np.random.Generator, category: int, id_: str, firm: str
) -> list[str | Document]:
    """The landing pages of a campaign, each once; half of them carry tracking parameters."""
    count = min(10, int(rng.geometric(0.5)))
    drawn = truth.draw_popular(rng, np.full(count, category, dtype=np.int32))
    ads: dict[str, str | Document] = {}
    for number, url in enumerate(truth.urls(drawn)):
        tracking = f"?utm_source=webrec&utm_campaign={id_}" if rng.random() < 0.5 else ""
        if rng.random() < 0.2:
            own = f"https://shop.example/{id_}/offer-{number}"
            text = page_text(truth.subject_of(category), draw_page_words(rng))
            _, first, second, *_ = text["keywords"]
            title = f"{capitalised(first)} and {second}: the {firm} collection"
            ads[own] = {"url": own + tracking, **text, "title": title}
        else:
            ads.setdefault(url, url + tracking)
    return list(ads.values())


def _state(rng: np.random.Generator, number: int, now_ms: int) -> Document:
    """The dates of a campaign, and whether it is switched off."""
    before, after = (now_ms + int(days) * DAY_MS for days in (-rng.integers(1, 300), 1_000))
    if number % 16 == 7:
        return {"starts": _iso(before - 60 * DAY_MS), "ends": _iso(before)}
    if number % 25 == 11:
        return {"starts": _iso(after), "ends": _iso(after + 60 * DAY_MS)}
    if number % 50 == 31:
        return {"active": False}
    if number % 4 == 0:
        return {}
    return {"starts": _iso(before), "ends": _iso(after)}


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
