"""Every chart has one style: small files, text as text, the same bytes for the same figures."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from webrec import charts

SVG = "{http://www.w3.org/2000/svg}"


def drawn(file: Path) -> str:
    """A chart of two lines, one with ranges, and of three bars."""
    with charts.chart(file, 6.0, 3.0) as figure:
        left, right = figure.subplots(1, 2)
        sizes = (1_000, 10_000, 1_000_000)
        charts.line(left, sizes, (2.0, 3.0, 4.0), label="ours", ranges=[(1.0, 5.0)] * 3)
        charts.line(left, sizes, (1.0, 1.0, 1.0), label="theirs", colour=charts.BASELINE)
        charts.log_scale(left, sizes)
        charts.finish(left, "URLs", "ms", "latency")
        left.legend()
        charts.bars(right, ("a", "b", "c"), (1, 2, 3), colours=[charts.OURS] * 3)
        charts.finish(right, "score", grid="x")
    return file.read_text()


def test_text_is_text(tmp_path: Path) -> None:
    """Names and marks can be found, copied and read aloud; large numbers are short."""
    root = ElementTree.fromstring(drawn(tmp_path / "chart.svg"))
    texts = {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
    assert {"ours", "theirs", "URLs", "ms", "latency", "1k", "10k", "1M", "a", "score"} <= texts


def test_a_file_is_small_and_the_same_every_time(tmp_path: Path) -> None:
    """A line a thing that is seen, no date, no random names."""
    chart = drawn(tmp_path / "one.svg")
    assert chart == drawn(tmp_path / "same.svg")
    assert len(chart.splitlines()) < 100
    assert len(chart) < 12_000


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The system's error names the file."""
    with pytest.raises(OSError, match="nowhere"):
        drawn(tmp_path / "nowhere" / "chart.svg")


@pytest.mark.parametrize("file", sorted((Path(__file__).parents[2] / "docs").glob("*.svg")))
def test_the_charts_of_the_documentation_have_the_style(file: Path) -> None:
    """They are drawn by this module, so they are as small."""
    assert "font-family:'DejaVu Sans',sans-serif" in file.read_text()
    assert len(file.read_text().splitlines()) < 500
