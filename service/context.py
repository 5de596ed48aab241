"""[6] What the endpoints of one application share: the engine, the API keys, the metrics."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from service.api_keys import KeyFile
from service.metrics import Metrics
from webrec.serving.engine import Engine

_EXTENSION = "webrec"


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that the endpoints of one application use."""

    engine: Engine
    key_file: KeyFile
    metrics: Metrics

    def attach(self, extensions: dict[str, object]) -> None:
        """Put it among an application's extensions, where `current_context` finds it."""
        extensions[_EXTENSION] = self


def current_context() -> Context:
    """The context of the application that answers this request."""
    found: Context = current_app.extensions[_EXTENSION]
    return found
