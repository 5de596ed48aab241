"""The service and the floor in processes of their own: ready, told apart, and gone at the end."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from service.metrics_folder import METRICS_FOLDER
from service.process import (
    RECOMMENDATIONS,
    NotStarted,
    Server,
    environment,
    floor,
    python,
    service,
)
from tests.support.running import DEADLINE_S, Answer, Client, build_world
from webrec import config
from webrec.rawlog.local import LocalLog

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the known-answer world."""
    home = tmp_path_factory.mktemp("process") / "home"
    build_world(home)
    return home


def ask(server: Server, document: object) -> Answer:
    """Ask for recommendations on a connection of its own."""
    with Client(server.address[1]) as client:
        return client.post(RECOMMENDATIONS, document)


def test_a_service(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers with the settings given and no others; what it takes can be seen; it ends."""
    monkeypatch.setenv("WEBREC_HOME", "/nonexistent")
    monkeypatch.setenv("WEBREC_STORE", "nonsense")
    settings = config.load(home=home, store=f"sqlite:///{home}/webrec.db", workers=3)
    with service(settings) as server:
        pids = [server.pid, *server.workers()]
        assert len(pids) == 4
        assert [held.pid for held in server.memory()] == pids
        for held in server.memory():
            assert held.rss == held.shared + held.private
            assert 0 < held.pss <= held.rss
        before = server.cpu_s()
        for _ in range(200):
            assert ask(server, {"url": "https://e.example/"}).status == 200
        assert server.cpu_s() > before > 0
        assert server.url == f"http://127.0.0.1:{server.address[1]}"
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert (server.workers(), server.memory()) == ([], [])


def test_every_worker_is_ready(home: Path) -> None:
    """No worker is still loading when the service is handed over: each has answered."""
    with service(config.load(home=home, workers=2)) as server:
        said = (home / "service.log").read_text()
        assert all(f"Booting worker with pid: {pid}" in said for pid in server.workers())
        for pid in server.workers():
            assert Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T"


def test_a_floor(tmp_path: Path) -> None:
    """Every request gets the same bytes, as many as asked for, from as many workers."""
    with floor(config.load(home=tmp_path / "home", workers=2), 1_234) as server:
        pids = [server.pid, *server.workers()]
        assert len(pids) == 3
        answers = [ask(server, {"url": n}) for n in range(3)]
        assert {(a.status, a.headers["Content-Type"]) for a in answers} == {
            (200, "application/json")
        }
        (body,) = {a.body for a in answers}
        assert len(body) == 1_234
        assert json.loads(body)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_service_that_does_not_start(tmp_path: Path) -> None:
    """What it said is in the error."""
    settings = config.load(home=tmp_path / "home", store="hbase://nonsense")
    with pytest.raises(NotStarted, match="is not understood"), service(settings):
        pass


def test_the_code_of_another_checkout(home: Path, tmp_path: Path) -> None:
    """It runs, wherever the present folder is; ours runs where none is named."""
    other = tmp_path / "webrec"
    other.mkdir()
    (other / "__init__.py").write_text("")
    (other / "__main__.py").write_text("raise SystemExit('I am another')")
    settings = config.load(home=home)
    with pytest.raises(NotStarted, match="I am another"), service(settings, tmp_path):
        pass


def test_the_present_folder_runs_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of the same name in it is not taken for our code."""
    (tmp_path / "webrec").mkdir()
    (tmp_path / "webrec" / "__main__.py").write_text("raise SystemExit('I am another')")
    monkeypatch.chdir(tmp_path)
    with service(config.load(home=home, workers=1)) as server:
        assert len(server.workers()) == 1


def test_the_environment_has_the_settings_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours win over what is in this process's environment; other variables stay."""
    monkeypatch.setenv("WEBREC_MIN_VISITS", "7")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("WEBREC_LOG", "file:///elsewhere")
    settings = config.load(workers=5).model_copy(update={"min_visits": 4, "log": ""})
    found = environment(settings)
    assert (found["WEBREC_WORKERS"], found["WEBREC_MIN_VISITS"]) == ("5", "4")
    assert "WEBREC_LOG" not in found
    assert found["PYTHONPATH"].endswith(":/somewhere")
    assert found["PATH"]


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
