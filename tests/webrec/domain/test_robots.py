"""Robots and people."""

import pytest

from webrec.domain.robots import is_bot

_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"
_GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.mark.parametrize("user_agent", [_GOOGLEBOT, "curl/8.5.0", "python-requests/2.32.3"])
def test_robots(user_agent: str) -> None:
    """Crawlers and scripts are robots."""
    assert is_bot(user_agent)


@pytest.mark.parametrize("user_agent", [_FIREFOX, "", None, "-", "x" * 100_000])
def test_people(user_agent: str | None) -> None:
    """Browsers, and senders that name no user agent, are no robots."""
    assert not is_bot(user_agent)


def test_answer_is_the_same_when_remembered() -> None:
    """A second question about a user agent has the answer of the first."""
    assert [is_bot(_GOOGLEBOT), is_bot(_FIREFOX)] * 2 == [True, False] * 2
    assert [is_bot(_GOOGLEBOT), is_bot(_FIREFOX)] == [True, False]
