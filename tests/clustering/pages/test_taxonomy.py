"""Tests of clustering.pages.taxonomy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clustering.pages.taxonomy import load
from webrec.errors import UsageError

TIERED = (
    "Relational ID System\t\t\tContent Taxonomy v9\t\t\t\tExtension\n"
    "Unique ID\tParent\tName\tTier 1\tTier 2\tTier 3\tTier 4\t\n"
    "1\t\tTravel\tTravel\t\t\t\t\n"
    "2\t1\tHotels\tTravel\tHotels \t\t\t\n"
    "3\t\tSensitive Topics\tSensitive Topics\t\t\t\tSCD\n"
)


CODED = (
    "IAB Code\tTier\tIAB Category\nIAB1\tTier 1\tTravel\nIAB1-2\tTier 2\tHotels\n"
    "IAB24\tTier 1\tUncategorized\n"
)


def write(folder: Path, text: str) -> Path:
    """A taxonomy file with this text."""
    path = folder / "taxonomy.tsv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("text", [TIERED, CODED, TIERED.replace("\n", "\r\n"), "\ufeff" + CODED])
def test_both_forms_are_read(tmp_path: Path, text: str) -> None:
    """Tiers or codes, any line ends: names from the root down, topics only."""
    topics = load(write(tmp_path, text))
    assert [topic.path for topic in topics] == [("Travel",), ("Travel", "Hotels")]
    assert topics[1].name == "Hotels"


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n", CODED.splitlines()[0], "Content 1.0 Unique ID\tContent 1.0 IAB Category\n"],
    ids=["empty", "csv", "header only", "mapping"],
)
def test_another_file_is_refused_by_name_with_the_fix(tmp_path: Path, text: str) -> None:
    """The message names the file and says which one to give."""
    path = write(tmp_path, text)
    with pytest.raises(UsageError, match=r"taxonomy\.tsv.*IAB Content Taxonomy 1\.0, 2\.x or 3\.x"):
        load(path)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    """No file, or one that is no text."""
    with pytest.raises(UsageError, match=r"missing\.tsv cannot be read"):
        load(tmp_path / "missing.tsv")
    (tmp_path / "binary.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"binary\.tsv cannot be read"):
        load(tmp_path / "binary.tsv")


@pytest.mark.parametrize(
    ("name", "topics"),
    [
        ("Content Taxonomy 1.0.tsv", 378),
        ("Content Taxonomy 2.2.tsv", 698),
        ("Content Taxonomy 3.1.tsv", 661),
    ],
)
def test_the_real_files(name: str, topics: int) -> None:
    """The IAB's own files, each with its number of topics; 3.1 is the packaged one."""
    folder = os.environ.get("WEBREC_TEST_DATA")
    if not folder:
        pytest.skip("WEBREC_TEST_DATA does not name the folder of test data")
    found = load(Path(folder) / "iab" / name)
    assert len(found) == topics
    assert (found == load(None)) == ("3.1" in name)


def test_the_real_mapping_is_refused() -> None:
    """The mapping between taxonomies is none itself."""
    folder = os.environ.get("WEBREC_TEST_DATA")
    if not folder:
        pytest.skip("WEBREC_TEST_DATA does not name the folder of test data")
    with pytest.raises(UsageError, match=r"Content 1\.0 to Content 2\.0\.tsv"):
        load(Path(folder) / "iab" / "Content 1.0 to Content 2.0.tsv")
