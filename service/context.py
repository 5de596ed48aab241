"""[6] What the routes of one application share."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from service.api_keys import KeyFile
from service.metrics import Metrics
from webrec.serving.engine import Engine

_NAME = "webrec"


@dataclass(frozen=True, slots=True)
class State:
    """The parts behind the routes."""

    engine: Engine
    keys: KeyFile
    metrics: Metrics

    def attach(self, extensions: dict[str, object]) -> None:
        """Put it where `state` finds it."""
        extensions[_NAME] = self


def state() -> State:
    """The parts of the application that answers this request."""
    found: State = current_app.extensions[_NAME]
    return found
