"""[6] Answers as JSON documents: a typed answer in, what HTTP and the command line give out.

And back: what reads the answers of a service reads fields, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webrec.domain.answers import (
    Answer,
    AnswerItem,
    Category,
    Explanation,
    ItemExplanation,
    PassedOver,
    SeenPage,
)

Document = dict[str, Any]


def answer_document(answer: Answer, took_ms: float | None = None) -> Document:
    """An answer as JSON.

    Args:
        took_ms: milliseconds that the answer took; left out when None.
    """
    document: Document = {
        "id": answer.id,
        "mode": answer.mode,
        "filter": answer.filter,
        "algorithm": answer.algorithm,
        "path": answer.path,
        "items": _item_documents(answer),
        "empty_reason": answer.empty_reason,
        "model": answer.model,
        "degraded": answer.degraded,
    }
    if answer.explanation is not None:
        document["explain"] = _explanation_document(answer.explanation)
    if took_ms is not None:
        document["took_ms"] = took_ms
    return document


def category_document(category: Category) -> Document:
    """A category as items show it."""
    return {"id": category.id, "label": category.label}


def _item_documents(answer: Answer) -> list[Document]:
    documents = []
    last, shown = None, None
    # on the way of every request, for each of its items: nothing is called or made without need
    for url, priority, category, campaign, algorithm, explanation in answer.items:
        if category is not last:
            last, shown = category, None if category is None else category_document(category)
        document = {"url": url, "priority": priority, "category": shown}
        if campaign is not None:
            document["campaign"] = campaign
        if algorithm is not None:
            document["algorithm"] = algorithm
        if explanation is not None:
            _explain(document, explanation)
        documents.append(document)
    return documents


def _explain(document: Document, explanation: ItemExplanation) -> None:
    affinity, ad_priority, similarity, because, rank_score = explanation
    document["affinity"] = affinity
    if ad_priority is not None:
        document["ad_priority"] = ad_priority
    document["similarity"] = similarity
    document["because"] = [{"url": url, "share": share} for url, share in because]
    document["rank_score"] = rank_score


def _explanation_document(explanation: Explanation) -> Document:
    return {
        "category": explanation.category,
        "category_source": explanation.category_source,
        "community": explanation.community,
        "community_source": explanation.community_source,
        "list": explanation.expression,
        "size": explanation.size,
        "passed_over": [
            {"algorithm": algorithm, "reason": reason}
            for algorithm, reason in explanation.passed_over
        ],
    }


def answer_of(document: Mapping[str, Any]) -> Answer:
    """The answer that a document of `answer_document` stands for; ``took_ms`` is passed over."""
    explained = document.get("explain")
    return Answer(
        id=document["id"],
        mode=document["mode"],
        filter=document["filter"],
        algorithm=document["algorithm"],
        path=document["path"],
        items=[_item_of(item) for item in document["items"]],
        empty_reason=document["empty_reason"],
        model=document["model"],
        degraded=document["degraded"],
        explanation=None if explained is None else _explanation_of(explained),
    )


def _item_of(item: Mapping[str, Any]) -> AnswerItem:
    category = item["category"]
    explanation = None
    if "rank_score" in item:
        explanation = ItemExplanation(
            item["affinity"],
            item.get("ad_priority"),
            item["similarity"],
            [SeenPage(seen["url"], seen["share"]) for seen in item["because"]],
            item["rank_score"],
        )
    return AnswerItem(
        item["url"],
        item["priority"],
        None if category is None else Category(category["id"], category["label"]),
        item.get("campaign"),
        item.get("algorithm"),
        explanation,
    )


def _explanation_of(explained: Mapping[str, Any]) -> Explanation:
    return Explanation(
        explained["category"],
        explained["category_source"],
        explained["community"],
        explained["community_source"],
        explained["list"],
        explained["size"],
        [PassedOver(passed["algorithm"], passed["reason"]) for passed in explained["passed_over"]],
    )
