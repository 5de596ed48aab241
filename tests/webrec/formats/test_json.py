"""JSON and newline-delimited JSON."""

import pytest

from webrec.errors import NotJson
from webrec.formats.json import iter_ndjson, read_json


def test_reads() -> None:
    """A document is read, with a byte order mark or without."""
    assert read_json(b'{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}
    assert read_json(b"\xef\xbb\xbf[]") == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "line 1 column 1"),
        (b'{"a": 1,\n "b": x}', "line 2 column 7"),
        (b"[NaN]", "line 1 column 2"),
        (b'{"a": "\\ud800"}', "line 1 column"),
        (b'["caf\xe9"]', "byte 6 is not UTF-8"),
        (b"[" * 100_000, "line 1 column"),
        (b"x" * 100_000, "line 1 column 1"),
    ],
)
def test_broken(body: bytes, message: str) -> None:
    """What is no JSON is refused with the place, and is not repeated."""
    with pytest.raises(NotJson, match=message) as raised:
        read_json(body)
    assert len(str(raised.value)) < 120


def test_ndjson() -> None:
    """Each line has its document or its error; blank lines are not counted."""
    body = b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"a": \n"x"\n\xff\nnull'
    found = [(i, d if not isinstance(d, NotJson) else str(d)) for i, d in iter_ndjson(body)]
    assert [i for i, _ in found] == [0, 1, 2, 3, 4]
    assert [d for i, d in found if i in (0, 2, 4)] == [{"a": 1}, "x", None]
    assert "column" in str(found[1][1])
    assert found[3][1] == "byte 1 is not UTF-8"


def test_ndjson_of_nothing() -> None:
    """No lines are no documents."""
    assert list(iter_ndjson(b"")) == list(iter_ndjson(b"\n \n")) == []
