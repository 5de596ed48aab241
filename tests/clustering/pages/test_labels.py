"""Tests of clustering.pages.labels."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clustering.pages.labels import Taxonomy, Topic, load
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


@pytest.fixture(scope="module")
def packaged() -> Taxonomy:
    """The packaged tree."""
    return load(None)


@pytest.mark.parametrize("text", [TIERED, CODED, TIERED.replace("\n", "\r\n"), "\ufeff" + CODED])
def test_both_forms_are_read(tmp_path, text):
    """Tiers or codes, any line ends: names from the root down, topics only."""
    taxonomy = load(write(tmp_path, text))
    assert [topic.path for topic in taxonomy.topics] == [("Travel",), ("Travel", "Hotels")]
    assert taxonomy.topics[1].name == "Hotels"


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n", CODED.splitlines()[0], "Content 1.0 Unique ID\tContent 1.0 IAB Category\n"],
    ids=["empty", "csv", "header only", "mapping"],
)
def test_another_file_is_refused_by_name_with_the_fix(tmp_path, text):
    """The message names the file and says which one to give."""
    path = write(tmp_path, text)
    with pytest.raises(UsageError, match=r"taxonomy\.tsv.*IAB Content Taxonomy 1\.0, 2\.x or 3\.x"):
        load(path)


def test_a_missing_or_binary_file_is_refused(tmp_path):
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
def test_the_real_files(name, topics, packaged):
    """The IAB's own files, each with its number of topics; 3.1 is the packaged one."""
    folder = os.environ.get("WEBREC_TEST_DATA")
    if not folder:
        pytest.skip("WEBREC_TEST_DATA does not name the folder of test data")
    taxonomy = load(Path(folder) / "iab" / name)
    assert len(taxonomy.topics) == topics
    assert (taxonomy == packaged) == ("3.1" in name)


def test_the_real_mapping_is_refused():
    """The mapping between taxonomies is none itself."""
    folder = os.environ.get("WEBREC_TEST_DATA")
    if not folder:
        pytest.skip("WEBREC_TEST_DATA does not name the folder of test data")
    with pytest.raises(UsageError, match=r"Content 1\.0 to Content 2\.0\.tsv"):
        load(Path(folder) / "iab" / "Content 1.0 to Content 2.0.tsv")


@pytest.mark.parametrize(
    ("keywords", "label"),
    [
        (["recipe", "vegan", "chicken", "cheese", "sauce"], "Cooking"),
        (["nasa", "space", "moon", "rocket", "satellite"], "Space and Astronomy"),
        (["soccer", "goal", "league", "striker"], "Soccer"),
        (["programming", "language", "python", "code", "haskell"], "Programming Languages"),
        (["qwxz", "zzgrm", "plk", "vvt"], "Qwxz, zzgrm, plk"),
        ([], "Miscellaneous"),
    ],
)
def test_labels(packaged, keywords, label):
    """A topic where one is near, else the keywords, never nothing."""
    assert packaged.suggest([keywords]) == [label]


def test_labels_are_unique(packaged):
    """The nearest keeps the plain name, the others add a keyword, and at last a number."""
    near, far = ["soccer", "football", "goal"], ["soccer", "striker", "money"]
    labels = packaged.suggest([far, near, near, [], []])
    assert labels[1] == "Soccer"
    assert len(set(labels)) == 5
    assert labels[0].startswith("Soccer (")
    assert labels[3:] == ["Miscellaneous", "Miscellaneous (2)"]


def test_no_categories_no_labels(packaged):
    """Nothing in, nothing out."""
    assert packaged.suggest([]) == []


def test_a_small_tree_of_ones_own():
    """A few topics will do; a single one has nothing to stand out from."""
    hotels = Topic(("Travel", "Hotels"))
    small = Taxonomy((hotels, Topic(("Cooking",)), Topic(("Soccer",)), Topic(("Law",))))
    assert small.suggest([["hotel", "travel", "room"]]) == ["Hotels"]
    assert Taxonomy((hotels,)).suggest([["hotel", "travel"]]) == ["Hotel, travel"]


def test_a_name_needs_support(packaged):
    """Women as such are near "Women's Glasses", but no keyword says anything of glasses."""
    assert packaged.suggest([["women", "female", "girl"]]) == ["Women, female, girl"]


def test_keywords_that_begin_alike_are_said_once(packaged):
    """The label made of keywords does not repeat itself."""
    keywords = ["korea", "korean", "pyongyang", "missile"]
    assert packaged.suggest([keywords]) == ["Korea, pyongyang, missile"]
