"""The settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from webrec import config
from webrec.config import PREFIX, Settings
from webrec.errors import UsageError


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def test_the_defaults_are_the_documented_ones() -> None:
    """Weights 0.5 each, an accept counts three visits, three visits make a community."""
    settings = config.load()
    assert (settings.w_ads, settings.w_aff, settings.accept_weight) == (0.5, 0.5, 3)
    assert (settings.min_visits, settings.default_filter) == (3, "content")
    assert (settings.profile_urls, settings.keep_generations) == (10_000, 3)


def test_places_follow_from_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store, log, keys and cache lie in it, unless they are set themselves."""
    settings = config.load(home=Path("/srv/webrec"))
    assert settings.store_uri == "sqlite:////srv/webrec/webrec.db"
    assert settings.log_uri == "file:///srv/webrec/log"
    assert settings.keys_path == Path("/srv/webrec/keys.json")
    assert settings.cache_path == Path("/srv/webrec/cache")
    monkeypatch.setenv("WEBREC_STORE", "sqlite:///other.db")
    monkeypatch.setenv("WEBREC_LOG", "file:///other")
    monkeypatch.setenv("WEBREC_KEYS", "/other.json")
    settings = config.load(home=Path("/srv/webrec"))
    assert settings.store_uri == "sqlite:///other.db"
    assert settings.log_uri == "file:///other"
    assert settings.keys_path == Path("/other.json")


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag that was not given leaves it alone."""
    monkeypatch.setenv("WEBREC_W_ADS", "0.25")
    assert config.load().w_ads == 0.25
    assert config.load(w_ads=None).w_ads == 0.25
    assert config.load(w_ads=0.75).w_ads == 0.75


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As people expect of a shell."""
    for name in Settings.model_fields:
        monkeypatch.setenv(PREFIX + name.upper(), "")
    assert config.load() == Settings()
    assert config.load().keys is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("w_ads", "-0.1"),
        ("w_aff", "nan"),
        ("w_aff", "inf"),
        ("accept_weight", "much"),
        ("min_visits", "0"),
        ("default_filter", "both"),
        ("profile_urls", "0"),
        ("keep_generations", "0"),
        ("segment_bytes", "10"),
        ("workers", "1.5"),
        ("threads", "0"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """With the variable's name and what was given."""
    monkeypatch.setenv(PREFIX + name.upper(), value)
    with pytest.raises(UsageError, match=f"WEBREC_{name.upper()}='{value}'"):
        config.load()


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one try is enough to mend all of them."""
    monkeypatch.setenv("WEBREC_W_ADS", "-1")
    monkeypatch.setenv("WEBREC_MIN_VISITS", "none")
    with pytest.raises(UsageError, match=r"WEBREC_W_ADS=.*WEBREC_MIN_VISITS="):
        config.load()


def test_the_weights_must_weigh() -> None:
    """Any of them may be 0, not all."""
    assert config.load(w_ads=0, w_aff=0).w_ads == 0
    assert config.load(w_aff=0, w_sim=0).w_aff == 0
    assert config.load(w_ads=0, w_sim=0).w_sim == 0
    with pytest.raises(UsageError, match="all be 0"):
        config.load(w_ads=0, w_aff=0, w_sim=0)


def test_settings_never_change() -> None:
    """They are the same for a process's whole life."""
    with pytest.raises(ValueError, match="frozen"):
        config.load().w_ads = 0.1  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    """For the help and the documentation."""
    for field in Settings.model_fields.values():
        assert field.description
