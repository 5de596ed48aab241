"""[6] The baseline app: Flask under our gunicorn, answering every POST with the same bytes.

What the service takes beyond it is webrec's own; what it takes less than it nothing on this stack
can. `python -m service.baseline_app PORT BYTES`, with workers and threads from the settings.
"""

from __future__ import annotations

import sys

from flask import Flask, Response

from service.paths import RECOMMENDATIONS
from service.responses import JSON
from service.wsgi import run
from webrec.config import load


def create_app(body: bytes) -> Flask:
    """An application with one route, which looks at nothing."""
    app = Flask("baseline_app", static_folder=None)

    @app.post(RECOMMENDATIONS)
    def answer() -> Response:
        return Response(body, mimetype=JSON)

    return app


def main(port: str, size: str) -> int:
    """Answer on loopback until told to stop; the exit status."""
    body = b'"' + b"x" * (int(size) - 2) + b'"'
    return run(load(), f"127.0.0.1:{port}", lambda: create_app(body))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
