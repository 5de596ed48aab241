"""Whether a server of this machine is up, and which of its ports are free for one."""

from __future__ import annotations

import http.client
import socket
from typing import NamedTuple

from service.paths import RECOMMENDATIONS

LOOPBACK = "127.0.0.1"

_ANSWER_S = 5.0
"""Seconds that an answer to a health check may take."""


class HealthCheck(NamedTuple):
    """The request that a server answers with 200 when it is up."""

    method: str
    path: str


LIVE = HealthCheck("GET", "/health/live")
"""The service answers, whether or not it can recommend anything yet."""

READY = HealthCheck("GET", "/health/ready")
"""The service can recommend."""

BASELINE_READY = HealthCheck("POST", RECOMMENDATIONS)
"""The baseline app answers nothing else."""


def is_healthy(address: tuple[str, int], check: HealthCheck) -> bool:
    """Whether a server answers a health check, made over a new connection, with 200."""
    connection = http.client.HTTPConnection(*address, timeout=_ANSWER_S)
    try:
        connection.request(check.method, check.path, b"{}" if check.method == "POST" else None)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    """A loopback port that no process listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
