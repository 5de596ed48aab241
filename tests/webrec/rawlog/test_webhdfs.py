"""Files on HDFS: whatever breaks off is taken up, and what goes wrong is said."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import requests

from tests.support.webhdfs import Refused, WebHdfs
from tests.webrec.rawlog.hdfs_logs import (
    Opener,
    nothing,
    shipped,
    write,
)
from webrec.errors import LogUnavailable
from webrec.rawlog import webhdfs


def test_the_user_of_the_uri_is_the_one_who_asks(machine: Opener, hdfs: WebHdfs) -> None:
    """WebHDFS gets the name with every request."""
    log = machine(uri=hdfs.uri(user="ann"))
    write(log)
    log.ship()
    assert hdfs.users == {"ann"}


def test_another_namenode_answers_for_one_that_does_not(machine: Opener, hdfs: WebHdfs) -> None:
    """With several in the URI, the one that is active is found."""
    with WebHdfs() as dead:
        others = dead.uri().split("/")[2]
    log = machine(uri=hdfs.uri().replace("//", f"//{others},"))
    name = write(log)
    log.ship()
    assert shipped(log) == [name]


def test_a_transfer_that_breaks_off_is_taken_up(machine: Opener, hdfs: WebHdfs) -> None:
    """As often as something comes each time: no line is lost or read twice."""
    log = machine()
    name = write(log, 40_000)
    log.ship()
    for _ in range(2):
        hdfs.fail("half", times=2, node="datanode", operation="OPEN")
        hdfs.fail("before", times=3, node="datanode", operation="OPEN")
    assert [r.number for r in log.read(name)] == list(range(40_000))
    assert hdfs.heal()


def test_a_transfer_that_ends_too_early_is_taken_up(machine: Opener, hdfs: WebHdfs) -> None:
    """An end that looks like one is none before the last byte."""
    log = machine()
    name = write(log, 1_000)
    log.ship()
    hdfs.fail("short", times=5, node="datanode", operation="OPEN")
    assert [r.number for r in log.read(name)] == list(range(1_000))
    assert hdfs.heal()


def test_a_read_outlives_a_short_outage(machine: Opener, hdfs: WebHdfs) -> None:
    """Attempts that bring nothing are repeated a few times, then given up."""
    log = machine()
    name = write(log, 10)
    log.ship()
    hdfs.fail("before", times=3, operation="OPEN")
    assert len(list(log.read(name))) == 10
    hdfs.fail("before", times=4, operation="OPEN")
    with pytest.raises(LogUnavailable, match="does not answer"):
        list(log.read(name))


def test_an_outage_in_the_middle_is_an_error(machine: Opener, hdfs: WebHdfs) -> None:
    """A file that cannot be had to its last byte never ends as if it were whole."""
    log = machine()
    name = write(log, 20_000)
    log.ship()
    hdfs.fail("half", node="datanode", operation="OPEN")
    hdfs.fail("before", times=4, node="datanode", operation="OPEN")
    with pytest.raises(LogUnavailable):
        list(log.read(name))


@pytest.mark.parametrize("size", [-1, +10])
def test_a_file_that_changes_under_the_reader_is_an_error(
    machine: Opener, hdfs: WebHdfs, size: int
) -> None:
    """Shorter or longer than it was listed, it is not read as if nothing had happened."""
    log = machine()
    name = write(log, 50)
    watermark = log.cut(60, nothing)
    log.covered_by(watermark)
    path = f"/log/closed/{name}.ndjson"
    content = hdfs.files("/log")[f"closed/{name}.ndjson"]
    hdfs.put(path, content[:size] if size < 0 else content + b"x" * size)
    with pytest.raises(LogUnavailable, match="changed while it was read"):
        list(log.read(name))


def test_a_reader_may_stop_in_the_middle(machine: Opener) -> None:
    """The connection is let go of."""
    log = machine()
    name = write(log, 20_000)
    log.ship()
    for _ in range(20):  # more than there are connections
        reading = log.read(name)
        assert next(reading).number == 0
        assert isinstance(reading, Generator)
        reading.close()


def test_a_hanging_hdfs_is_given_up(
    machine: Opener, hdfs: WebHdfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call waits for ever for a server that takes connections and says nothing."""
    for name in ("SHIPPING", "STATUS", "READING"):
        monkeypatch.setattr(webhdfs, name, webhdfs.Timeouts(0.3, 0.3))
    log = machine()
    write(log)
    with hdfs.hanging():
        log.ship()
        assert "timed out" in log.unshipped().why
        with pytest.raises(LogUnavailable):
            machine("two").closed_segments()
        with pytest.raises(LogUnavailable):
            log.cut(5, nothing)
    machine().ship()
    while log.unshipped().segments:
        machine().ship()


def test_a_datanode_out_of_reach_is_named(machine: Opener, hdfs: WebHdfs) -> None:
    """The NameNode answers, so it is the DataNode's address that has to be looked at."""
    log = machine()
    write(log)
    hdfs.stop("datanode")
    log.ship()
    assert "DataNode 127.0.0.1:" in log.unshipped().why
    hdfs.start("datanode")


def test_a_server_that_is_no_namenode_is_told(
    machine: Opener, hdfs: WebHdfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it answers, it makes one line that says what to name instead."""
    answer = requests.Response()
    monkeypatch.setattr(requests.Session, "request", lambda *_, **__: answer)
    for answer.status_code, answer._content in (
        (200, b"<html>"), (200, b"[]"), (200, b"{}"), (404, b"<html>"), (500, b"{}"), (502, b""),
    ):  # fmt: skip
        with pytest.raises(LogUnavailable, match="not as WebHDFS does"):
            machine().cut(0, nothing)


def test_a_folder_that_is_not_ours_says_what_to_do(
    machine: Opener, hdfs: WebHdfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permission denied comes with the command that gives it."""

    def denied(*_: object) -> None:
        raise Refused(403, "AccessControlException", "Permission denied: user=webrec\nat x")

    monkeypatch.setattr(WebHdfs, "_mkdirs", denied)
    log = machine()
    with pytest.raises(LogUnavailable, match=r"user=webrec: .*hdfs dfs -chown -R webrec /log$"):
        log.cut(0, nothing)
