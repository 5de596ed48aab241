"""The service and the baseline app in processes of their own: ready, apart, gone at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.paths import RECOMMENDATIONS
from tests.support.running import Client, HttpAnswer, build_world
from webrec import config
from webrec.bench import processes
from webrec.bench.commands import environment
from webrec.bench.server_process import NotStarted, ServerProcess, baseline_app, service

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the known-answer world."""
    home = tmp_path_factory.mktemp("process") / "home"
    build_world(home)
    return home


def ask(server: ServerProcess, document: object) -> HttpAnswer:
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
        output = (home / "service.log").read_text()
        assert all(f"Booting worker with pid: {pid}" in output for pid in server.workers())
        for pid in server.workers():
            assert processes.state(pid) != processes.STOPPED


def test_a_baseline_app(tmp_path: Path) -> None:
    """Every request gets the same bytes, as many as asked for, from as many workers."""
    with baseline_app(config.load(home=tmp_path / "home", workers=2), 1_234) as server:
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
    """What it wrote is in the error."""
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
