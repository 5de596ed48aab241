"""What each protocol trains on and asks, on histories that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.webrec.evaluation.histories import happened, visit
from webrec.errors import UsageError
from webrec.evaluation.interactions import Interactions
from webrec.evaluation.protocols import Given, Question, Split, wanted_of
from webrec.evaluation.split import split


def parted(history: Interactions, protocol: str, users: int | None = None, seed: int = 0) -> Split:
    """A split with all visitors and visits asked about, unless a number is given."""
    return split(history, protocol, users, None, seed)


def in_words(history: Interactions, question: Question) -> tuple[str, str | None, str, str]:
    """A question in the words of `happened`; given pages with their counts."""

    def page(number: int) -> str:
        return history.urls[number].rsplit("/", 1)[1]

    given = " ".join(f"{page(g.page)}{g.visits}{'+' * g.accepts}" for g in question.given)
    return (
        history.visitors[question.visitor][2:] + ("+" if question.by_accept else ""),
        None if question.viewed is None else page(question.viewed),
        given,
        "".join(page(p) for p in question.wanted),
    )


PAGES = "abcdefghijkl"


# --- by time ----------------------------------------------------------------------------------

# ten visits, so the moment is that of the ninth; accepts do not count for it
BY_TIME = happened(
    "ann a", "ann b", "bob a", "- c", "ann a", "bob b", "cem d", "- a",  # learnt from
    "ann+ c", "ann c", "ann a",
)  # fmt: skip


def test_the_last_fifth_of_the_visits_is_asked_about() -> None:
    """What came before their moment is learnt from, also of the same visitors."""
    found = parted(BY_TIME, "time")
    assert found.is_training(visit("ann", "b", 7))
    assert found.is_training(visit(None, "b", 7))
    assert not found.is_training(visit("ann", "b", 9))
    (given, questions), *others = found.question_sets
    assert (given, others) == (None, [])
    # the accept at 8 comes before the moment (9), and was learnt from
    assert [in_words(BY_TIME, q) for q in questions] == [("ann", "a", "", "c")]


def test_a_visit_to_a_page_seen_before_is_no_question() -> None:
    """No list holds what its visitor has seen; how many were left out is counted."""
    assert parted(BY_TIME, "time").left_out == 1


def test_a_visitor_is_asked_about_visit_by_visit() -> None:
    """Given is what the visitor did since the moment; viewed is the last page, accepts are not."""
    history = happened(
        *["old x"] * 32,
        "ann a", "ann+ b", "ann b", "zoe a", "ann a", "- d", "ann c", "zoe c", "ann d", "ann+ e",
        "ann+ c", "ann+ e",
    )  # fmt: skip
    questions = parted(history, "time").question_sets[0][1]
    assert [in_words(history, q) for q in questions] == [
        ("ann", None, "", "a"),
        ("ann", "a", "a1 b0+", "b"),
        ("zoe", None, "", "a"),
        ("ann", "a", "a2 b1+", "c"),
        ("zoe", "a", "a1", "c"),
        ("ann", "c", "a2 b1+ c1", "d"),
        ("ann+", "a", "a1", "b"),
        ("ann+", "d", "a2 b1+ c1 d1", "e"),
    ]


def test_what_a_page_says_is_known_as_soon_as_the_page_is() -> None:
    """Words loaded after the moment count for pages visited before it, and for no new page."""
    is_training = parted(BY_TIME, "time").is_training
    assert is_training(visit(None, "a", 99, kind="page"))
    assert is_training(visit(None, "new", 5, kind="page"))
    assert not is_training(visit(None, "new", 99, kind="page"))


def test_no_more_visits_are_asked_about_than_wanted() -> None:
    """Drawn by the seed, in the order of time."""
    history = happened(*["old x"] * 400, *[f"v{n} p{n}" for n in range(100)])
    first = split(history, "time", None, 10, 1).question_sets[0][1]
    assert len(first) == 10
    assert [q.visitor for q in first] == sorted(q.visitor for q in first)
    assert split(history, "time", None, 10, 1).question_sets[0][1] == first
    assert split(history, "time", None, 10, 2).question_sets[0][1] != first


# --- by visitor -------------------------------------------------------------------------------


def readers(**pages: str) -> Interactions:
    """Each visitor opens one page after the other."""
    return happened(*(f"{who} {page}" for who, read in pages.items() for page in read))


def test_all_but_one_of_the_pages_are_given() -> None:
    """One different page is wanted, whatever was visited twice; one page alone is not enough."""
    history = readers(ann="abcb", bob="a")
    split_ = parted(history, "allbut1", users=9)
    ((given, (question,)),) = split_.question_sets
    assert given is None
    assert question.viewed is None
    (wanted,) = question.wanted
    assert {g.page for g in question.given} == {0, 1, 2} - {wanted}
    counts = {0: 1, 1: 2, 2: 1}
    assert all(g.visits == counts[g.page] for g in question.given)


def test_every_page_is_wanted_by_some_seed() -> None:
    """The page is drawn, it is not the last one."""
    history = readers(ann="abc", bob="a")
    drawn = {
        parted(history, "allbut1", 1, seed).question_sets[0][1][0].wanted for seed in range(30)
    }
    assert drawn == {(0,), (1,), (2,)}


@pytest.mark.parametrize(("protocol", "n"), [("given2", 2), ("given5", 5), ("given10", 10)])
def test_so_many_pages_are_given(protocol: str, n: int) -> None:
    """All others are wanted; who has no other is not asked."""
    history = readers(few=PAGES[:n], many=PAGES)
    ((given, questions),) = parted(history, protocol, users=9).question_sets
    assert given == n
    (question,) = questions
    assert history.visitors[question.visitor] == "u:many"
    pages = {g.page for g in question.given}
    assert len(pages) == n
    assert set(question.wanted) == set(range(12)) - pages
    assert len(question.wanted) == 12 - n


def test_who_is_held_out_is_not_learnt_from() -> None:
    """Others, anonymous visits and what pages say are."""
    history = readers(ann="ab", bob="a")
    is_training = parted(history, "allbut1", users=1).is_training
    assert not is_training(visit("ann", "a", 0))
    assert is_training(visit("bob", "a", 0))
    assert is_training(visit(None, "a", 0))
    assert is_training(visit("ann", "a", 0, kind="page"))


def test_a_quarter_of_those_with_enough_pages_is_held_out() -> None:
    """Unless a number is given."""
    history = readers(**{f"v{n}": "ab" for n in range(8)}, one="a", two="b")
    assert len(parted(history, "allbut1").question_sets[0][1]) == 2
    assert len(parted(history, "allbut1", users=5).question_sets[0][1]) == 5
    assert len(parted(history, "allbut1", users=50).question_sets[0][1]) == 8


def test_accepts_are_given_with_their_page_only() -> None:
    """An accept of the wanted page would give it away; one of a page never visited is no page."""
    history = happened("ann a", "ann+ a", "ann+ z", "ann b", "ann+ b", "bob a")
    (question,) = parted(history, "allbut1", users=1).question_sets[0][1]
    a, b = 0, 2
    assert question.given in ((Given(a, 1, 1),), (Given(b, 1, 1),))
    assert question.wanted == ((b,) if question.given[0].page == a else (a,))


# --- the curve --------------------------------------------------------------------------------


def test_the_curve_always_wants_the_same() -> None:
    """The pages first seen after the tenth visit, given more and more visits of the first ten."""
    history = readers(ann="abacdefghi" + "ajk", few="abcdefghij", stuck="aaaaaaaaaaaa")
    question_sets = parted(history, "curve", users=9).question_sets
    assert [given for given, _ in question_sets] == [1, 2, 3, 5, 10]
    assert [[in_words(history, q)[0] for q in questions] for _, questions in question_sets] == [
        ["ann"]
    ] * 5
    assert [in_words(history, q)[2:] for _, (q,) in question_sets] == [
        ("a1", "jk"),
        ("a1 b1", "jk"),
        ("a2 b1", "jk"),
        ("a2 b1 c1 d1", "jk"),
        ("a2 b1 c1 d1 e1 f1 g1 h1 i1", "jk"),
    ]


def test_the_curve_counts_visits_only() -> None:
    """An accept is neither one of the first visits nor what is wanted after them."""
    steps = ["ann a", "ann+ b", *(f"ann {page}" for page in "bcdefghij"), "ann+ l", "ann k"]
    history = happened(*steps, "bob a")
    question_sets = parted(history, "curve", users=1).question_sets
    assert [in_words(history, q)[2:] for _, (q,) in question_sets][:2] == [
        ("a1", "k"),
        ("a1 b1", "k"),
    ]


# --- what cannot be asked ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "protocol", "says"),
    [
        (happened(), "time", "webrec ingest"),
        (happened("- a", "- b"), "allbut1", "webrec ingest"),
        (happened("ann a", "bob b"), "allbut1", "no visitor of the log has enough pages"),
        (happened("ann a", "ann b"), "given10", "--protocol given10"),
        (happened("ann a", "ann b"), "curve", "--protocol curve"),
        (happened("ann a", "ann b"), "allbut1", "--users"),
        (happened(*(f"ann {p}" for p in PAGES)), "curve", "--users"),
        (happened("ann a"), "time", "--protocol allbut1"),
        (happened("ann+ a"), "time", "--protocol allbut1"),
        (happened(*["ann a"] * 10), "time", "no visitor opened a new page"),
    ],
)
def test_what_is_too_little_says_what_to_do(
    history: Interactions, protocol: str, says: str
) -> None:
    """A log without visitors, without enough pages, without time."""
    with pytest.raises(UsageError, match=says):
        parted(history, protocol)


def test_visits_of_one_moment_cannot_be_parted_by_time() -> None:
    """Nothing would be left to learn from."""
    history = happened("ann a", "ann b", "bob a")
    history.at_ms[:] = 7
    with pytest.raises(UsageError, match="bear the same time"):
        parted(history, "time")


def test_wanted_pages_that_a_model_does_not_know_have_no_number() -> None:
    """They are missed by all; the others are named by the model's numbers."""
    question = Question(0, None, (), (0, 1, 2))
    assert wanted_of([question], np.array([7, -1, 5], np.int32)) == [[7, 5]]
