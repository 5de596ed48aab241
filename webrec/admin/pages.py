"""[6] Pages: what the active model, or the text of a page, says of its category."""

from __future__ import annotations

from collections.abc import Sequence

from algorithms import UNCATEGORISED
from hbase_schema.cells import PageCell
from webrec.admin.listing import Document
from webrec.formats.answers import category_document
from webrec.serving.engine import Engine
from webrec.serving.snapshots import Snapshot


def get_pages(engine: Engine, urls: Sequence[str]) -> list[Document | None]:
    """What the active model knows of some canonical URLs, in order; None for unknown ones."""
    snapshot = engine.snapshot
    generation = snapshot.model.generation
    if not generation.id:
        return [None] * len(urls)
    found = engine.tables.pages.by_url(generation.id, urls)
    pairs = list(zip(urls, found, strict=True))
    online = _online(
        engine, snapshot, [u for u, page in pairs if page is None or page.category < 0]
    )
    return [
        None if page is None and url not in online else _page(snapshot, url, page, online.get(url))
        for url, page in pairs
    ]


def _online(engine: Engine, snapshot: Snapshot, urls: Sequence[str]) -> dict[str, int | None]:
    """The categories by their text of pages that were described since; None for too far ones.

    As for requests: text that was sent comes before what campaigns say.
    """
    if snapshot.page_classifier is None or not urls:
        return {}
    texts = [page for page in engine.tables.page_texts.get_many(urls) if page is not None]
    by_campaigns = ((url, snapshot.ads.category(url)) for url in urls)
    found: dict[str, int | None] = {url: c for url, c in by_campaigns if c is not None}
    found.update(
        zip((page.url for page in texts), snapshot.page_classifier.categories(texts), strict=True)
    )
    return found


def _page(snapshot: Snapshot, url: str, found: PageCell | None, online: int | None) -> Document:
    """What is known of a page, by the model or (online) by its text."""
    weight = snapshot.model.generation.accept_weight
    is_categorised = found is not None and found.category != UNCATEGORISED
    category = found.category if found is not None and is_categorised else online
    source = "batch" if is_categorised else "online"
    return {
        "url": url,
        "category": None if category is None else category_document(snapshot.categories[category]),
        "category_source": None if category is None else source,
        "affinity": 0.0 if found is None else found.visits + weight * found.accepts,
    }
