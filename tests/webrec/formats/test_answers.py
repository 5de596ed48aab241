"""Answers as JSON documents, and back."""

from __future__ import annotations

import orjson
import pytest

from webrec.domain.answers import (
    Answer,
    AnswerItem,
    Category,
    Explanation,
    ItemExplanation,
    PassedOver,
    SeenPage,
)
from webrec.formats.answers import answer_document, answer_of, category_document

A, B = "https://site.example/a", "https://site.example/b"
FOOD = Category("c1", "Good food")
RELATED = Answer(
    id="0" * 32,
    mode="related",
    filter="content",
    algorithm="WebR.Rel.Cont",
    path=["WebR.Rel.Cont"],
    items=[AnswerItem(A, 0.5, FOOD), AnswerItem(B, 0.0, None)],
    empty_reason=None,
    model="000001",
    degraded=False,
)
EXPLAINED = Answer(
    id="1" * 32,
    mode="sponsored",
    filter="collaborative",
    algorithm="WebR.Sp.Cont",
    path=["WebR.Sp.Col", "WebR.Sp.Cont"],
    items=[
        AnswerItem(
            f"{A}?utm_source=k",
            0.7,
            FOOD,
            "k",
            "WebR.Sp.Cont",
            ItemExplanation(1.0, 0.4, 0.25, [SeenPage(B, 0.25)], 3.0),
        )
    ],
    empty_reason=None,
    model="000001",
    degraded=True,
    explanation=Explanation(
        category="c1",
        category_source="online",
        community=None,
        community_source=None,
        expression="ads ∩ recL[c1]",
        size=1,
        passed_over=[PassedOver("WebR.Sp.Col", "the user has no community")],
    ),
)
EMPTY = RELATED._replace(items=[], empty_reason="no_model", model=None)


def test_a_plain_answer() -> None:
    """Its fields come in their order, and nothing that the request did not ask for."""
    assert orjson.dumps(answer_document(RELATED, 1.25)).decode() == (
        '{"id":"00000000000000000000000000000000","mode":"related","filter":"content",'
        '"algorithm":"WebR.Rel.Cont","path":["WebR.Rel.Cont"],"items":['
        '{"url":"https://site.example/a","priority":0.5,'
        '"category":{"id":"c1","label":"Good food"}},'
        '{"url":"https://site.example/b","priority":0.0,"category":null}],'
        '"empty_reason":null,"model":"000001","degraded":false,"took_ms":1.25}'
    )


def test_an_explained_answer() -> None:
    """What explains comes after what every answer has, in the items and in the answer."""
    assert orjson.dumps(answer_document(EXPLAINED, 0.5)).decode() == (
        '{"id":"11111111111111111111111111111111","mode":"sponsored","filter":"collaborative",'
        '"algorithm":"WebR.Sp.Cont","path":["WebR.Sp.Col","WebR.Sp.Cont"],"items":['
        '{"url":"https://site.example/a?utm_source=k","priority":0.7,'
        '"category":{"id":"c1","label":"Good food"},"campaign":"k","algorithm":"WebR.Sp.Cont",'
        '"affinity":1.0,"ad_priority":0.4,"similarity":0.25,'
        '"because":[{"url":"https://site.example/b","share":0.25}],"rank_score":3.0}],'
        '"empty_reason":null,"model":"000001","degraded":true,'
        '"explain":{"category":"c1","category_source":"online","community":null,'
        '"community_source":null,"list":"ads \N{INTERSECTION} recL[c1]","size":1,'
        '"passed_over":[{"algorithm":"WebR.Sp.Col","reason":"the user has no community"}]},'
        '"took_ms":0.5}'
    )


def test_the_items_of_a_related_list_have_no_ad_priority() -> None:
    """Nor a campaign, whatever else explains them."""
    explanation = ItemExplanation(1.0, None, 0.0, (), 2.0)
    answer = RELATED._replace(items=[RELATED.items[0]._replace(explanation=explanation)])
    (item,) = answer_document(answer)["items"]
    assert list(item) == [
        "url", "priority", "category", "affinity", "similarity", "because", "rank_score",
    ]  # fmt: skip


def test_items_of_several_categories_keep_their_own() -> None:
    """Whatever follows what."""
    news = Category("c2", "News")
    shown = [FOOD, FOOD, news, None, None, FOOD]
    answer = RELATED._replace(items=[AnswerItem(A, 0.0, category) for category in shown])
    assert [item["category"] for item in answer_document(answer)["items"]] == [
        category and category_document(category) for category in shown
    ]


@pytest.mark.parametrize("answer", [RELATED, EXPLAINED, EMPTY])
def test_a_document_can_be_read_again(answer: Answer) -> None:
    """It stands for the same answer, with and without the time that it took."""
    for took_ms in (None, 1.5):
        sent = orjson.dumps(answer_document(answer, took_ms))
        assert answer_of(orjson.loads(sent)) == answer
