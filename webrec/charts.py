"""The style of every chart: small SVG files with text as text, the same bytes for the same figures.

`webrec.bench` and `webrec.evaluation` say what is drawn. No other module knows matplotlib.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "BASELINE",
    "LIMIT",
    "OTHER",
    "OURS",
    "Axes",
    "chart",
    "colour_many",
    "finish",
    "line",
    "log_scale",
    "short",
]

OURS, BASELINE, OTHER, LIMIT = "#1f5fa8", "#7a7a7a", "#c06a1b", "#8b1a1a"
"""Colours: webrec, what it is measured against, something else, a limit or a published figure."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text as text
    "svg.hashsalt": "webrec",  # random ids would make each file another
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#dddddd",
    "xtick.bottom": False,
    "ytick.left": False,
    "legend.frameon": False,
    "lines.markersize": 4,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_FONT = "text{font-family:'DejaVu Sans',sans-serif}"
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_GROUP = f"{{{_SVG}}}g"


@contextmanager
def chart(file: Path, width_in: float, height_in: float) -> Iterator[Figure]:
    """A figure to draw into within the context; at its end it is written.

    Args:
        file: replaced, if it is there.
        width_in, height_in: in inches.

    Raises:
        OSError: it cannot be written.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure((width_in, height_in), layout="constrained")
        yield figure
        written = BytesIO()
        figure.savefig(written, format="svg", metadata=_NO_METADATA)
    file.write_bytes(_compact(written.getvalue()))


def line(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    *,
    label: str,
    colour: str | None = None,
    style: str = "-",
    marker: str = "o",
    ranges: Sequence[tuple[float, float]] | None = None,
) -> None:
    """Draw a line through points, each with the range that was measured where one is given.

    Args:
        colour: the next one of the axes when left out.
        ranges: by point, the lowest and the highest value.
    """
    axes.errorbar(
        x,
        y,
        _reach(y, ranges),
        label=label,
        color=colour,
        linestyle=style,
        marker=marker,
        clip_on=False,
    )


def bars(
    axes: Axes,
    names: Sequence[str],
    values: Sequence[float],
    *,
    colours: Sequence[str],
    ranges: Sequence[tuple[float, float]] | None = None,
) -> None:
    """Draw lying bars, the first one below, each with the range that it is in."""
    axes.barh(list(names), values, xerr=_reach(values, ranges), color=colours)


def _reach(
    values: Sequence[float], ranges: Sequence[tuple[float, float]] | None
) -> list[list[float]] | None:
    """How far ranges reach down and up from their values."""
    if ranges is None:
        return None
    pairs = list(zip(values, ranges, strict=True))
    return [
        [max(value - low, 0.0) for value, (low, _) in pairs],
        [max(high - value, 0.0) for value, (_, high) in pairs],
    ]


def log_scale(axes: Axes, x: Sequence[float] | None = None, *, y: bool = False) -> None:
    """Make scales logarithmic.

    Args:
        x: the places of the marks below; the scale stays as it is when left out.
        y: whether the other scale is logarithmic, too.
    """
    if x is not None:
        axes.set_xscale("log")
        axes.set_xticks(list(x), [short(each) for each in x])
    if y:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()


def colour_many(axes: Axes) -> None:
    """Give more lines than ten a colour of their own."""
    axes.set_prop_cycle(color=mpl.color_sequences["tab20"])


def finish(
    axes: Axes, x: str, y: str = "", title: str = "", *, grid: Literal["x", "y"] = "y"
) -> None:
    """Name what the axes show; a linear scale of values begins at 0.

    Args:
        grid: the axis whose marks have a line each.
    """
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title)
    axes.grid(axis=grid, clip_on=False)
    axes.set_axisbelow(True)
    if y and axes.get_yscale() == "linear":
        axes.set_ylim(bottom=0)


def short(number: float) -> str:
    """A large number in few characters: 10k, 2M."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit and number % unit == 0:
            return f"{number / unit:g}{name}"
    return f"{number:g}"


def _compact(svg: bytes) -> bytes:
    """The same picture without what cannot be seen.

    Groups that hold nothing but a name are taken apart, except for those of the axes; numbers are
    cut to hundredths of a point, and the font is named once.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(svg)  # noqa: S314 - matplotlib has just written it
    _take_apart(root)
    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, _shorter(value))
        if element.get("transform", "").startswith("rotate(0 "):
            del element.attrib["transform"]
    style = root.find(f".//{{{_SVG}}}style")
    if style is not None:
        style.text = f"{style.text}{_FONT}"
    ElementTree.indent(root, "")
    return ElementTree.tostring(root, encoding="unicode").encode() + b"\n"


def _take_apart(element: ElementTree.Element) -> None:
    """Put the children of groups that are nothing but a name in the place of these groups."""
    children: list[ElementTree.Element] = []
    for child in element:
        _take_apart(child)
        is_name = child.tag == _GROUP and set(child.attrib) <= {"id"}
        if is_name and not child.get("id", "").startswith("axes_"):
            children += child
        else:
            children.append(child)
    element[:] = children


def _shorter(value: str) -> str:
    """The value of an attribute without the font, in few digits, on one line."""
    value = re.sub(r" ?font-family: [^;\"]*;?", "", value)
    value = re.sub(
        r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value
    )
    return re.sub(r"\s+", " ", value.replace("rotate(-0 ", "rotate(0 ")).strip()
