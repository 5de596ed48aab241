"""A log is opened by its URI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from webrec.errors import LogUnavailable, UsageError
from webrec.rawlog import open_log


@pytest.mark.parametrize("uri", ["", "log", "file://", "hdf://x/y", "://x"])
def test_an_unknown_uri_is_refused(uri: str, tmp_path: Path) -> None:
    """A URI that names no log says which would do."""
    with pytest.raises(UsageError, match="file:///"):
        open_log(uri, tmp_path)


@pytest.mark.parametrize(
    "uri", ["hdfs://", "hdfs://nn", "hdfs://nn/", "hdfs:///log", "hdfs://n n/log", "hdfs://nn:x/l"]
)
def test_a_uri_without_host_or_path_is_refused(uri: str, tmp_path: Path) -> None:
    """It says which would do."""
    with pytest.raises(UsageError, match="hdfs://"):
        open_log(uri, tmp_path)


def test_a_log_is_opened_by_its_uri(tmp_path: Path) -> None:
    """The folder is made when missing."""
    log = open_log(f"file://{tmp_path}/deep/log", tmp_path / "spool")
    log.check()
    assert log.epoch() == 0
    assert (tmp_path / "deep" / "log").is_dir()


def test_a_folder_that_cannot_be_made_is_our_error(tmp_path: Path) -> None:
    """A log below a file cannot be opened, and the message names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LogUnavailable, match="file"):
        open_log(f"file://{tmp_path}/file/log", tmp_path)


def test_a_folder_loads_no_driver() -> None:
    """Who keeps the log in a folder does not pay for the WebHDFS client."""
    code = (
        "import sys, webrec.serving.engine; "
        "sys.exit('hdfs' in sys.modules or 'requests' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
