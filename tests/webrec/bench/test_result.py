"""Levels summed up, on laps that can be worked out by hand; and their chart."""

from __future__ import annotations

from pathlib import Path

import pytest

from webrec.bench.checks import Checked
from webrec.bench.figures import Spread, plain
from webrec.bench.interleaving import Lap, Pace
from webrec.bench.reference.chart import draw
from webrec.bench.reference.result import (
    AGAINST,
    BASELINE,
    SERVICE,
    Reference,
    bare_of,
    is_worse,
    level_of,
)


def laps(*median_ms: float) -> list[Lap]:
    """One lap for each, of three requests of which the last took ten times as long."""
    return [
        Lap([ms / 1000, ms / 1000, ms / 100], wall_s=12 * ms / 1000, server_cpu_s=0.3, own_cpu_s=ms)
        for ms in median_ms
    ]


def test_a_level() -> None:
    """Figures over all repeats; ratios in each repeat, and how far these go."""
    level = level_of(10, {SERVICE: laps(4, 2, 6), BASELINE: laps(1, 1, 2)}, bare_per_s=9_000)
    service = level.sides[SERVICE]
    assert service.figures.n == 9
    assert service.figures.median == pytest.approx(6)
    assert service.figures.max == pytest.approx(60)
    assert service.figures.per_s == pytest.approx(9 / 0.144)
    assert [lap.median for lap in service.laps] == pytest.approx([4, 2, 6])
    assert service.cpu_ms == pytest.approx(Spread(100, 100, 100))
    assert level.ratios[BASELINE]["median"] == pytest.approx(Spread(3, 2, 4))
    assert level.ratios[BASELINE]["per_s"] == pytest.approx(Spread(1 / 3, 1 / 4, 1 / 2))
    assert set(level.ratios) == {BASELINE}
    assert level.tail == pytest.approx(Spread(9.82, 9.82, 9.82))
    assert level.generator.cpu_us == pytest.approx(12e6 / 9)
    assert level.generator.share == pytest.approx(12 / 0.144)
    assert level.generator.bare_per_s == 9_000
    assert level.published is not None
    assert level.published.mean == 538.80
    assert level_of(7, {SERVICE: laps(1)}, 1).published is None


@pytest.mark.parametrize(
    ("ours", "worse"),
    [
        ((1.2, 1.2, 1.2), True),
        ((1.01, 1.2, 1.2), True),
        ((0.99, 1.2, 1.2), False),  # not in every repeat
        ((1.05, 1.09, 1.3), False),  # not by much
        ((0.5, 0.5, 0.5), False),
    ],
)
def test_slower_than_another_checkout(ours: tuple[float, ...], worse: bool) -> None:
    """Slower in every repeat, and by more than a tenth in the middle one."""
    assert is_worse(level_of(1, {SERVICE: laps(*ours), AGAINST: laps(1, 1, 1)}, 1)) == worse


def test_without_another_checkout_nothing_is_slower() -> None:
    """However slow the baseline app makes it look."""
    assert not is_worse(level_of(1, {SERVICE: laps(9), BASELINE: laps(1)}, 1))


def test_the_bare_reads() -> None:
    """Medians in ms; the service over the baseline app and both reads, repeat by repeat."""
    levels = [level_of(1, {SERVICE: laps(9, 14, 8), BASELINE: laps(1, 2, 3)}, 1)]
    repeats = [
        [(0.001, 0.001), (0.001, 0.003), (0.004, 0.002)],
        [(0.005, 0.001)],
        [(0.0, 0.0)],
    ]
    bare = bare_of(levels, repeats)
    assert bare is not None
    assert (bare.n, bare.recent, bare.profile, bare.both) == pytest.approx((5, 1, 1, 4))
    assert bare.ratio == pytest.approx((9 / 5, 14 / 8, 8 / 3))
    assert bare.ratio_recent == pytest.approx((8 / 3, 2, 9 / 2))
    assert bare_of(levels, [[], [], []]) is None
    assert bare_of([level_of(30, {SERVICE: laps(9)}, 1)], [[(1, 1)]]) is None


def reference() -> Reference:
    """One that was never measured."""
    sides = {SERVICE: laps(4, 5), BASELINE: laps(1, 1)}
    return Reference(
        world={"urls": 1},
        pace=Pace(),
        machine={},
        body_bytes=1,
        levels=[level_of(n, sides, 1) for n in (1, 10, 30)],
        checked=Checked(1, 1, 1, 0, 0, []),
        memory=[],
        bare=None,
        worse=[],
    )


def test_the_document() -> None:
    """Everything by its name, for a script to read."""
    level = reference().document()["levels"][0]
    assert level["at_once"] == 1
    assert level["ratios"]["floor"]["median"] == pytest.approx(plain(Spread(4.5, 4, 5)))
    assert level["published"] == {"mean": 447.77, "median": 435, "sd": 47.84}


def test_the_chart(tmp_path: Path) -> None:
    """An SVG, and the same bytes each time."""
    draw(reference(), tmp_path / "one.svg")
    draw(reference(), tmp_path / "two.svg")
    drawn = (tmp_path / "one.svg").read_bytes()
    assert b"<svg" in drawn
    assert drawn == (tmp_path / "two.svg").read_bytes()
