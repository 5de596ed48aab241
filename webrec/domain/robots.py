"""Tells robots from people by their user agent."""

from __future__ import annotations

from functools import lru_cache

import crawleruseragents

# Hundreds of patterns are searched for; the names of robots stand well before this.
_SEARCHED_LENGTH = 1_024


def is_bot(user_agent: str | None) -> bool:
    """Whether ``user_agent`` names a robot; a missing or empty one does not."""
    if not user_agent:
        return False
    return _names_crawler(user_agent[:_SEARCHED_LENGTH])


@lru_cache(maxsize=8_192)
def _names_crawler(user_agent: str) -> bool:
    return bool(crawleruseragents.is_crawler(user_agent))
