"""[6] Why an answer is as it is: the ranked list and its signals in, words and figures out."""

from __future__ import annotations

from collections.abc import Sequence

from algorithms import Item, RankedList
from webrec.domain.answers import (
    AnswerItem,
    Explanation,
    PassedOver,
    SeenPage,
    answer_item,
    item_explanation,
    seen_page,
)
from webrec.serving.signals import RequestSignals
from webrec.serving.snapshots import Snapshot

_MOST_REASONS = 3
"""Pages seen that an item names: more of them say little, each having a smaller share."""


def explain(ranked: RankedList, snapshot: Snapshot, signals: RequestSignals) -> Explanation:
    """What the list came from."""
    generation, candidates = snapshot.model.generation, ranked.candidates
    excluded = signals.excluded()
    category, community = signals.category(), signals.community()
    return Explanation(
        category=None if category is None else generation.category_ids[category],
        category_source=signals.category_source(),
        community=None if community is None else generation.community_ids[community],
        community_source=signals.membership.source,
        expression=candidates.expression,
        size=len(candidates) - sum(page in candidates for page in excluded),
        passed_over=[
            PassedOver(algorithm, passed.reason) for algorithm, passed in ranked.passed_over
        ],
    )


def explained(
    items: Sequence[AnswerItem],
    ranked: RankedList,
    snapshot: Snapshot,
    signals: RequestSignals,
    mode: str,
) -> list[AnswerItem]:
    """The items, each with what its place came from."""
    because = _because(ranked.items, snapshot, signals)
    is_sponsored = mode == "sponsored"
    made = []
    for shown, item in zip(items, ranked.items, strict=True):
        page, _, _, rank_score, affinity, ad_priority, similarity = item
        explanation = item_explanation(
            (
                affinity,
                ad_priority if is_sponsored else None,
                similarity,
                because.get(page, ()),
                rank_score,
            )
        )
        made.append(answer_item((*shown[:-1], explanation)))
    return made


def _because(
    items: Sequence[Item], snapshot: Snapshot, signals: RequestSignals
) -> dict[float, list[SeenPage]]:
    """The pages seen that make the similar ones of the items similar."""
    similar = [int(item.page) for item in items if item.similarity]
    if not similar:
        return {}
    url = snapshot.model.url
    reasons = snapshot.model.co_visit_scorer.reasons(
        similar, signals.seen, signals.similarity_scores()
    )
    return {
        page: [seen_page((url(seen), share)) for seen, share in found[:_MOST_REASONS]]
        for page, found in reasons.items()
    }
