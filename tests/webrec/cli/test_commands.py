"""The commands that read and change what is there, and what they say when it goes wrong."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.api_keys import KeyFile
from tests.support.world import CAMPAIGNS, EXPECTED, PAGES, THEME_OF, VISITS
from tests.webrec.cli.conftest import Run, json_of

NDJSON = b"".join(json.dumps(event).encode() + b"\n" for event in [*PAGES, *VISITS])
BATCH = ("batch", "--categories", "3", "--communities", "3", "--features", "tfidf")


@pytest.fixture
def model(run: Run) -> str:
    """The id of a model of the known-answer world."""
    run("campaigns", "apply", "-", stdin=json.dumps(CAMPAIGNS).encode())
    run("ingest", "-", stdin=NDJSON)
    found: str = json_of(run(*BATCH, "--json"))["id"]
    return found


def test_a_batch_reports(run: Run, model: str) -> None:
    """The report for people names the model, its categories and communities."""
    result = run(*BATCH)
    assert "model 000002" in result.stdout
    assert "of 3 categories" in result.stdout.replace("\n", " ")
    assert model == "000001"


def test_a_batch_is_judged_by_labels(run: Run, tmp_path: Path, model: str) -> None:
    """Categories that are the themes agree with the themes, page by page; labels change nothing."""
    file = tmp_path / "labels.tsv"
    file.write_text("".join(f"{url}\t{theme}\n" for url, theme in THEME_OF.items()))
    judged = json_of(run(*BATCH, "--labels", file, "--json"))["quality"]
    assert len(PAGES) <= judged["labelled"] <= len(THEME_OF)
    figures = [judged[f"labels_{name}"] for name in ("nmi", "ari", "purity")]
    assert figures == [pytest.approx(1)] * 3
    assert "labels nmi" not in run(*BATCH).stdout
    file.write_text("nonsense\n")
    assert "line 1: " in run(*BATCH, "--labels", file, fails=2).stderr


def test_text_of_a_new_page_is_kept_by_a_load(run: Run, tmp_path: Path, model: str) -> None:
    """A page that was loaded after the batch has the category of its theme at once."""
    pages = tmp_path / "new.ndjson"
    title = "A telescope for stars, planets and galaxies"
    pages.write_text(json.dumps({"type": "page", "url": "https://new.example/", "title": title}))
    run("ingest", pages)
    request = json.dumps({"url": "https://new.example/", "explain": True, "track": False})
    answer = json.loads(run("recommend", "-", stdin=request.encode()).stdout)
    assert answer["explain"]["category_source"] == "online"
    assert {THEME_OF[item["url"]] for item in answer["items"]} == {"astronomy"}


def test_a_batch_without_data(run: Run) -> None:
    """An empty log is no model: the message says what to do."""
    assert "webrec ingest" in run("batch", fails=1).stderr
    assert json_of(run("models", "list", "--json"))["models"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("batch", "--categories", "0"), "whole number from 1, or auto"),
        (("batch", "--every", "6"), "30m, 6h or 1d"),
        (("batch", "--w-ads", "x"), "WEBREC_W_ADS='x'"),
        (("batch", "--taxonomy", "/nowhere.tsv"), "/nowhere.tsv"),
        (("check", "--store", "mysql://x"), "sqlite:///"),
        (("check", "--log", "ftp://x"), "file:///"),
        (("ingest",), "Missing argument"),
        (("keys", "add", "x"), "--scope"),
        (("serve", "--bind", "nonsense"), "HOST:PORT"),
        (("serve", "--bind", "0.0.0.0:8080"), "webrec keys add"),
        (("world", "--out", "x", "--urls", "-1"), "urls"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """Wrong usage has the exit status 2, and says what would be right."""
    if arguments[0] == "check":
        assert said in run(*arguments, fails=1).output.replace("\n", "")
    else:
        assert said in run(*arguments, fails=2).stderr


def test_flags_win_over_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flag is taken before the variable of the same name."""
    monkeypatch.setenv("WEBREC_KEYS", str(tmp_path / "environment.json"))
    run("keys", "add", "x", "--scope", "serve", "--keys", tmp_path / "flag.json")
    assert (tmp_path / "flag.json").exists()
    assert not (tmp_path / "environment.json").exists()


def test_recommend_answers_as_over_http(run: Run, model: str) -> None:
    """A list of documents gives a line each, in order; a bad one gives its problem and status 1."""
    documents = [{**EXPECTED[0].request}, {"url": "nonsense"}]
    lines = run("recommend", "-", stdin=json.dumps(documents).encode(), fails=1).stdout.splitlines()
    answer, problem = map(json.loads, lines)
    assert [item["url"] for item in answer["items"]] == list(EXPECTED[0].urls)
    assert (answer["path"], answer["model"]) == (list(EXPECTED[0].path), model)
    assert answer["took_ms"] > 0
    assert (problem["status"], problem["errors"][0]["field"]) == (422, "url")


def test_recommend_waits_for_landing_pages(
    run: Run, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One answer has no later look that would categorise the ads of a large upload."""
    title = "A telescope for stars, planets and galaxies"
    ad = {"url": "https://shop.example/", "title": title}
    campaign = {"id": "shop", "urls": [ad], "priority": 0.5}
    run("campaigns", "apply", "-", stdin=json.dumps([campaign]).encode())
    monkeypatch.setattr("webrec.serving.snapshots._CATEGORISING_S", 0)
    request = {"url": "https://new.example/", "mode": "sponsored", "title": title, "track": False}
    answer = json_of(run("recommend", "-", stdin=json.dumps(request).encode()))
    assert "https://shop.example/" in [item["url"] for item in answer["items"]]


def test_recommend_reads_ndjson(run: Run, model: str) -> None:
    """NDJSON with a line that is no JSON answers the others."""
    good = json.dumps(EXPECTED[0].request).encode()
    result = run("recommend", "-", stdin=good + b"\n{\n" + good + b"\n", fails=1)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("status", 200) for line in lines] == [200, 400, 200]
    assert model


def test_campaigns(run: Run, tmp_path: Path) -> None:
    """Campaigns are applied, unchanged the second time, listed and deleted."""
    file = tmp_path / "campaigns.json.gz"
    file.write_bytes(gzip.compress(json.dumps(CAMPAIGNS).encode()))
    assert "4 created" in run("campaigns", "apply", file, "--dry-run").stdout
    assert json_of(run("campaigns", "list", "--json"))["campaigns"] == []
    assert "4 created" in run("campaigns", "apply", file).stdout
    assert "4 unchanged" in run("campaigns", "apply", file).stdout
    listed = json_of(run("campaigns", "list", "--json"))["campaigns"]
    assert sorted(c["id"] for c in listed) == sorted(c["id"] for c in CAMPAIGNS)
    assert str(listed[0]["id"]) in run("campaigns", "list").stdout
    run("campaigns", "delete", listed[0]["id"])
    assert "no campaign" in run("campaigns", "delete", listed[0]["id"], fails=1).stderr


def test_a_wrong_campaign_is_told(run: Run) -> None:
    """Each wrong campaign is named with its fields; the good ones are written; status 1."""
    documents = [CAMPAIGNS[0], {"id": "x", "urls": [], "priority": 2}]
    result = run("campaigns", "apply", "-", stdin=json.dumps(documents).encode(), fails=1)
    assert "x (number 1): priority:" in result.stderr
    assert "1 created, 1 invalid" in result.stdout


def test_labels(run: Run, model: str) -> None:
    """A label given by a person is shown as theirs, and survives the next batch."""
    run("labels", "set", "c1", "Travel")
    run(*BATCH)
    found = {c["id"]: c for c in json_of(run("labels", "list", "--json"))["categories"]}
    assert (found["c1"]["label"], found["c1"]["label_source"]) == ("Travel", "manual")
    assert "Travel" in run("labels", "list").stdout
    assert "no category 'c99'" in run("labels", "set", "c99", "x", fails=1).stderr
    assert "label" in run("labels", "set", "c1", " ", fails=1).stderr
    assert model


def test_models(run: Run, model: str) -> None:
    """Going back makes the older model active."""
    run(*BATCH)
    run("models", "activate", model)
    found = {m["id"]: m["active"] for m in json_of(run("models", "list", "--json"))["models"]}
    assert found == {"000002": False, model: True}
    assert model in run("models", "list").stdout
    assert "no model 7" in run("models", "activate", "7", fails=1).stderr


def test_keys(run: Run, tmp_path: Path) -> None:
    """A key is shown once, listed without itself, and revoked."""
    made = json_of(run("keys", "add", "ads", "--scope", "serve", "--scope", "admin", "--json"))
    assert made["name"] == "ads"
    assert made["scopes"] == ["serve", "admin"]
    assert KeyFile(tmp_path / "home" / "keys.json").scopes_of(made["key"]) == {"serve", "admin"}
    listed = run("keys", "list", "--json")
    assert json_of(listed)["keys"][0]["name"] == "ads"
    assert made["key"] not in listed.stdout + run("keys", "list").stdout
    shown = run("keys", "add", "two", "--scope", "ingest").stdout.strip()
    assert KeyFile(tmp_path / "home" / "keys.json").scopes_of(shown) == {"ingest"}
    run("keys", "revoke", "ads")
    assert "no key named 'ads'" in run("keys", "revoke", "ads", fails=1).stderr


def test_check(run: Run, tmp_path: Path) -> None:
    """What is missing is shown with what to do; when all is there the status is 0."""
    wrong = json_of(run("check", "--json", fails=1))
    assert wrong["checks"]["model"]["ok"] is False
    assert "webrec batch" in wrong["checks"]["model"]["detail"]
    run("ingest", "-", stdin=NDJSON)
    run(*BATCH)
    assert json_of(run("check", "--json"))["ok"] is True
    assert "✓" in run("check").stdout
    (tmp_path / "home" / "keys.json").write_text("{")
    assert "keys.json" in run("check", fails=1).stdout.replace("\n", "")


def test_world(run: Run, tmp_path: Path) -> None:
    """A world is written as files that the other commands read."""
    numbers = ("--urls", "60", "--users", "12", "--categories", "3", "--communities", "2")
    folder = tmp_path / "world"
    made = json_of(run("world", *numbers, "--campaigns", "4", "--out", folder, "--json"))
    assert made["pages"] == 60
    run("ingest", folder / "pages.ndjson", folder / "visits.ndjson", "--strict")
    run("campaigns", "apply", folder / "campaigns.json")
    run("batch", "--features", "tfidf")
    run("recommend", folder / "requests.ndjson")
    assert "pages" in run("world", *numbers, "--out", folder).stdout


@pytest.mark.slow
def test_batches_are_repeated_until_told_to_stop(run: Run, tmp_path: Path) -> None:
    """--every makes one model after the other, and SIGTERM ends it in order."""
    run("ingest", "-", stdin=NDJSON)
    command = [sys.executable, "-m", "webrec", *BATCH, "--every", "0.1s", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    first, second = (json.loads(process.stdout.readline()) for _ in range(2))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert (first["id"], second["id"]) == ("000001", "000002")
    assert process.returncode == 0
    assert json_of(run("models", "list", "--json"))["models"][0]["id"] >= "000002"
    assert tmp_path


@pytest.mark.slow
def test_demo(tmp_path: Path) -> None:
    """The demo shows all four pairs for several visitors, and leaves nothing running."""
    started = time.time()
    command = [sys.executable, "-m", "webrec", "demo", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for pair in ("related, content", "related, collaborative", "sponsored, collaborative"):
        assert done.stdout.count(pair) == 3
    assert "0 before, 1 now" in done.stdout.replace("\n", " ")
    assert "Shutting down" in (tmp_path / "service.log").read_text()
    assert time.time() > started
