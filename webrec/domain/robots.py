"""Tells robots from people by their user agent."""

from __future__ import annotations

from functools import lru_cache

import crawleruseragents

_SEARCHED_LENGTH = 1_024
"""Characters that are searched for hundreds of patterns; robots name themselves well before it."""

_CACHED_AGENTS = 8_192
"""User agents whose verdict is kept, since the same ones come again; 8 MB at worst."""


def is_bot(user_agent: str | None) -> bool:
    """Whether ``user_agent`` names a robot; a missing or empty one does not."""
    if not user_agent:
        return False
    return _names_crawler(user_agent[:_SEARCHED_LENGTH])


@lru_cache(maxsize=_CACHED_AGENTS)
def _names_crawler(user_agent: str) -> bool:
    return bool(crawleruseragents.is_crawler(user_agent))
