"""Which results are published, and under which ids."""

from __future__ import annotations

import pytest

from tests.webrec.batch.small_generation import COUNTS, GENERATION
from webrec.batch import publish
from webrec.errors import ResultRefused


@pytest.mark.parametrize("what", sorted(COUNTS))
def test_a_result_far_smaller_is_refused(what: str) -> None:
    """Below half of any guarded figure; half is enough."""
    half = {**COUNTS, what: COUNTS[what] // 2}
    publish.check(half, GENERATION)
    with pytest.raises(ResultRefused, match=rf"{COUNTS[what]:,} {what}|{what}"):
        publish.check({**half, what: half[what] - 1}, GENERATION)


def test_a_first_result_need_not_be_large() -> None:
    """One page is enough, none is not."""
    first = dict.fromkeys(COUNTS, 0) | {"pages": 1}
    publish.check(first, None)
    with pytest.raises(ResultRefused, match="webrec ingest"):
        publish.check(first | {"pages": 0}, None)
