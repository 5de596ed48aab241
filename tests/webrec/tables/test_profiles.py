"""The profiles of a generation."""

from __future__ import annotations

from tests.support.tables import ANN, BOB, PROFILE, assert_is_profile
from webrec.tables.tables import Tables


def test_a_profile_comes_back_as_written(tables: Tables) -> None:
    """Empty families included, with a community or without; None for an unknown visitor."""
    tables.generations.create("000001")
    tables.profiles.put("000001", [(ANN, PROFILE), (BOB, PROFILE._replace(community=None))])
    profile = tables.profiles.get("000001", ANN)
    assert profile is not None
    assert_is_profile(profile)
    assert dict(tables.profiles.communities("000001")) == {ANN: 0, BOB: None}
    assert tables.profiles.get("000001", "u:nobody") is None
