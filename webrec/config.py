"""The settings: one typed table. An environment variable ``WEBREC_<NAME>`` sets each."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from webrec.errors import UsageError

PREFIX = "WEBREC_"


class Settings(BaseSettings):
    """Every setting. A keyword wins over the environment, the environment over the default.

    Each is described in place, for the help of the commands and for the documentation.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    home: Path = Field(
        Path("webrec-data"), description="Keep the embedded store and the log in this folder."
    )
    store: str = Field(
        "",
        description="Keep the tables here: sqlite:///path, or hbase://host:9090/prefix (a Thrift "
        "server). Empty: sqlite:///$WEBREC_HOME/webrec.db.",
    )
    log: str = Field(
        "",
        description="Keep the raw log here: file://folder, or hdfs://[user@]namenode:9870/path "
        "(WebHDFS, shipped from $WEBREC_HOME/log). Empty: file://$WEBREC_HOME/log.",
    )
    keys: Path | None = Field(
        None, description="Read the API keys from this file. Empty: $WEBREC_HOME/keys.json."
    )
    bind: str = Field("127.0.0.1:8080", description="Listen on this HOST:PORT.")
    workers: int = Field(2, ge=1, le=256, description="Run this many worker processes.")
    threads: int = Field(4, ge=1, le=256, description="Run this many threads in each worker.")
    w_ads: float = Field(
        0.5, ge=0, allow_inf_nan=False, description="Weigh a campaign's priority by this."
    )
    w_aff: float = Field(
        0.5, ge=0, allow_inf_nan=False, description="Weigh the visitor's affinity by this."
    )
    w_sim: float = Field(
        64,
        ge=0,
        allow_inf_nan=False,
        description="Weigh the similarity to what the visitor saw by this; with 0 the order is "
        "the published one.",
    )
    fill: bool = Field(
        False,
        description="Fill up a list that is shorter than its limit by the algorithms that "
        "follow, unless the request says otherwise.",
    )
    accept_weight: float = Field(
        3, ge=0, allow_inf_nan=False, description="Count an accept as this many visits."
    )
    min_visits: int = Field(
        3, ge=1, description="Give a user a community from this many visits on."
    )
    default_filter: Literal["content", "collaborative"] = Field(
        "content", description="Use this filter for a request that names none."
    )
    tmax: int = Field(
        100,
        ge=1,
        le=60_000,
        description="Answer within this many milliseconds, unless the request has a tmax.",
    )
    online: Literal["on", "off"] = Field(
        "on",
        description="Give a page or visitor that the model does not know the nearest category or "
        "community until the next batch (on), or none (off).",
    )
    profile_urls: int = Field(
        10_000, ge=1, description="Keep this many URLs in a profile: those of the greatest weight."
    )
    keep_generations: int = Field(3, ge=1, description="Keep this many published generations.")
    segment_bytes: int = Field(
        16 << 20, ge=1024, description="Close a segment of the log at this size, in bytes."
    )
    taxonomy: Path | None = Field(
        None,
        description="Suggest labels out of this taxonomy, a TSV file like the IAB's. Empty: the "
        "IAB's own, as packaged.",
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, values: Any) -> Any:
        """``WEBREC_X=`` in the environment unsets a setting, as in a shell."""
        return {name: value for name, value in values.items() if value not in ("", None)}

    @model_validator(mode="after")
    def _weights_weigh(self) -> Settings:
        if not 0 < self.w_ads + self.w_aff + self.w_sim < inf:
            raise ValueError(
                "WEBREC_W_ADS, WEBREC_W_AFF and WEBREC_W_SIM cannot all be 0: give one of them a "
                "weight (and their sum must be a number)"
            )
        return self

    @property
    def store_uri(self) -> str:
        """URI of the store."""
        return self.store or f"sqlite:///{self.home}/webrec.db"

    @property
    def log_uri(self) -> str:
        """URI of the raw log."""
        return self.log or f"file://{self.home}/log"

    @property
    def spool_path(self) -> Path:
        """The folder where events wait to be shipped to HDFS."""
        return self.home / "log"

    @property
    def keys_path(self) -> Path:
        """The file with the API keys."""
        return self.keys or self.home / "keys.json"

    @property
    def cache_path(self) -> Path:
        """The folder where the processes of this machine share what they loaded of a generation."""
        return self.home / "cache"


def load(**given: Any) -> Settings:
    """The settings, with ``given`` (None: not given) over the environment.

    Raises:
        UsageError: a setting is wrong; names every wrong one and what it must be.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        lines = [_explain(detail) for detail in error.errors()]
        raise UsageError("; ".join(lines)) from None


def _explain(detail: Any) -> str:
    name = PREFIX + "_".join(str(part) for part in detail["loc"]).upper()
    if not detail["loc"]:
        return str(detail["ctx"]["error"])
    return f"{name}={detail['input']!r}: {detail['msg']}"
