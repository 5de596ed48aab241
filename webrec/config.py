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
    """All there is to set. A keyword wins over the environment, the environment over the default.

    Attributes are described in place, for `webrec --help` and the documentation.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    home: Path = Field(Path("webrec-data"), description="where the embedded store and the log live")
    store: str = Field(
        "",
        description="sqlite:///path, or hbase://host:9090/prefix (a Thrift server); empty: sqlite:///$WEBREC_HOME/webrec.db",
    )
    log: str = Field(
        "",
        description="the raw log: file://folder, or hdfs://[user@]namenode:9870/path (WebHDFS, "
        "shipped from $WEBREC_HOME/log); empty: file://$WEBREC_HOME/log",
    )
    keys: Path | None = Field(
        None, description="the file with the API keys; empty: $WEBREC_HOME/keys.json"
    )
    bind: str = Field("127.0.0.1:8080", description="HOST:PORT the service listens on")
    workers: int = Field(2, ge=1, le=256, description="worker processes of the service")
    threads: int = Field(4, ge=1, le=256, description="threads of each worker")
    w_ads: float = Field(
        0.5, ge=0, allow_inf_nan=False, description="weight of a campaign's priority"
    )
    w_aff: float = Field(
        0.5, ge=0, allow_inf_nan=False, description="weight of the visitor's affinity"
    )
    w_sim: float = Field(
        64,
        ge=0,
        allow_inf_nan=False,
        description="weight of similarity to what the visitor saw; 0: the published definition",
    )
    fill: bool = Field(
        False,
        description="whether a list shorter than its limit is filled up by the algorithms that "
        "follow, for a request that does not say",
    )
    accept_weight: float = Field(
        3, ge=0, allow_inf_nan=False, description="how many visits an accept counts for"
    )
    min_visits: int = Field(3, ge=1, description="visits a user needs to get a community")
    default_filter: Literal["content", "collaborative"] = Field(
        "content", description="filter of a request that names none"
    )
    tmax: int = Field(
        100,
        ge=1,
        le=60_000,
        description="milliseconds for an answer, for a request that says no tmax",
    )
    online: Literal["on", "off"] = Field(
        "on",
        description="whether a page or visitor that the model does not know gets the nearest "
        "category or community until the next batch; off: none",
    )
    profile_urls: int = Field(
        10_000, ge=1, description="URLs a profile keeps; past it, the strongest"
    )
    keep_generations: int = Field(3, ge=1, description="published generations to keep")
    segment_bytes: int = Field(
        16 << 20, ge=1024, description="size at which a segment of the log is closed"
    )
    taxonomy: Path | None = Field(
        None, description="taxonomy for suggested labels, the IAB's TSV; empty: the IAB's packaged"
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, values: Any) -> Any:
        """``WEBREC_X=`` in the environment unsets a setting, as people expect of a shell."""
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
        """Where events wait to be shipped to HDFS."""
        return self.home / "log"

    @property
    def keys_path(self) -> Path:
        """The file with the API keys."""
        return self.keys or self.home / "keys.json"

    @property
    def cache_path(self) -> Path:
        """Where the processes of this machine share what they loaded of a generation."""
        return self.home / "cache"


def load(**given: Any) -> Settings:
    """The settings, with ``given`` (None: not given) over the environment.

    Raises:
        UsageError: naming every wrong setting and what it must be.
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
