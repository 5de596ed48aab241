"""What a watermark covers, by the names of segments."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from webrec.rawlog import Watermark, epoch_of, spool_of

SPOOLS = st.sampled_from(["0000000a", "0000000b", "0000000c"])


EPOCHS = st.integers(0, 5)


SEGMENTS = st.builds(
    lambda epoch, moment, spool: f"{epoch:08d}-{moment:016x}-{spool}", EPOCHS, EPOCHS, SPOOLS
)


@given(
    EPOCHS,
    st.dictionaries(SPOOLS, st.integers(-1, 6)),
    st.frozensets(SEGMENTS),
    st.booleans(),
    st.frozensets(SEGMENTS),
)
def test_a_watermark_covers_what_the_cut_found(
    epoch: int,
    epochs: dict[str, int],
    closed: frozenset[str],
    is_complete: bool,
    later: frozenset[str],
) -> None:
    """All that was closed then, up to the cut; of the rest only what its spool says is all there.

    And the same after a way through JSON.
    """
    watermark = Watermark.of_cut(epoch, epochs, closed, is_complete=is_complete)
    again = Watermark.of(orjson.loads(orjson.dumps(watermark.document())))
    assert again == watermark
    for name in closed | later:
        is_there = name in closed or epoch_of(name) <= epochs.get(spool_of(name), -1)
        assert again.covers(name) == (epoch_of(name) <= epoch and is_there)
    assert again.is_complete == is_complete


def test_a_watermark_is_no_longer_than_it_must_be() -> None:
    """A segment that its spool's epoch covers is not named."""
    names = [f"0000000{epoch}-{0:016x}-0000000a" for epoch in range(4)]
    watermark = Watermark.of_cut(2, {"0000000a": 0}, names, is_complete=False)
    assert watermark == Watermark({"0000000a": 0}, frozenset(names[1:3]), is_complete=False)
