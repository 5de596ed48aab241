"""The application for other WSGI servers than gunicorn."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from service.metrics_folder import METRICS_FOLDER
from service.paths import RECOMMENDATIONS
from tests.support.running import DEADLINE_S, Client, build_world
from webrec import config
from webrec.bench.commands import environment, python
from webrec.rawlog.local import LocalLog

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the known-answer world."""
    home = tmp_path_factory.mktemp("wsgi") / "home"
    build_world(home)
    return home


_OTHER_SERVER = """
from wsgiref.simple_server import make_server
from service.wsgi import application
with make_server("127.0.0.1", 0, application()) as server:
    print(server.server_port, flush=True)
    server.handle_request()
    server.handle_request()
"""


def test_another_server(home: Path, tmp_path: Path) -> None:
    """Any WSGI server can run the application; at its end everything is written."""
    own = shutil.copytree(home, tmp_path / "home")
    settings = config.load(home=own)
    with subprocess.Popen(
        python("-c", _OTHER_SERVER),
        env=environment(settings) | {METRICS_FOLDER: str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        document = {"url": "https://e.example/", "user": "elsewhere"}
        with Client(port) as client:
            assert client.post(RECOMMENDATIONS, document).json["model"] is not None
        with Client(port) as client:
            assert client.get("/v1/users", user="elsewhere").json["urls"][0]["visits"] == 1
        assert process.wait(DEADLINE_S) == 0
    assert LocalLog(own / "log").open_segments() == []
