"""A file of labelled pages."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from webrec.errors import UsageError
from webrec.formats.label_file import read_labels

A, B = "https://a.example/", "https://b.example/x"
EXPECTED = {A: "cats", B: "dogs, and wolves"}


@pytest.mark.parametrize(
    "text",
    [
        f"{A}\tcats\n{B}\tdogs, and wolves\n",
        f'{A},cats\r\n{B},"dogs, and wolves"\r\n',
        f'\ufeffLabel,title,URL\ncats,"A, b",{A}\n\n"dogs, and wolves",,{B}',
        f"url\tlabel\n{A}\t cats \nHTTPS://B.Example:443/x\tdogs, and wolves\n{A}\tcats\n",
        f'{{"url": "{A}", "label": "cats"}}\n{{"url": "{B}", "label": "dogs, and wolves"}}\n',
    ],
    ids=["tsv", "csv", "columns", "spellings", "ndjson"],
)
def test_labels_are_read(tmp_path: Path, text: str) -> None:
    """By tab, comma or in JSON; columns by name; canonical URLs; repeats that agree."""
    file = tmp_path / "labels"
    file.write_text(text, encoding="utf-8")
    assert read_labels(str(file)) == EXPECTED
    packed = tmp_path / "labels.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert read_labels(str(packed)) == EXPECTED


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{A}\tcats\nnonsense\tdogs\n", "line 2: "),
        (f"{A}\tcats\n\n{B}\n", "line 3: 1 columns instead of 2"),
        (f"{A}\tcats\n{B}\t \n", "line 2: no label"),
        (f"{A}\tcats\n{A}\tdogs\n", f"line 2: {A} has the label 'cats' already"),
        (f'{{"url": "{A}", "label": "cats"}}\n{{"url": 3}}\n', "line 2: give an object"),
        (f'{{"url": "{A}", "label": "cats"}}\n{{"url\n', "line 2: "),
        (f"{A},{'x' * (300 << 10)}\n{B},dogs\n", "line 1: longer than 256 KiB"),
        (f"{A},{'x' * (140 << 10)}\n{B},dogs\n", "line 1: field larger than"),
        (f"{A},cats\n{B},{'x' * (140 << 10)}\n", "line 2: field larger than"),
        ("\n\n", "is empty"),
        ("".join(f"{n}\tx\n" for n in range(9)), "and 4 more"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, problem: str) -> None:
    """With its number and what to do; the first five, and how many there are."""
    file = tmp_path / "labels"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        read_labels(str(file))
    assert problem in str(raised.value)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    """Bytes that are no text are reported as that, a missing file as missing."""
    file = tmp_path / "labels"
    file.write_bytes(b"https://a.example/\tcats\n\xff\xfe\tx\n")
    with pytest.raises(UsageError, match="line 2: not UTF-8"):
        read_labels(str(file))
    with pytest.raises(UsageError, match="No such file"):
        read_labels(str(tmp_path / "nowhere"))
