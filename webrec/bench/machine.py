"""What a measurement runs on, as far as the system says."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from webrec.config import Settings


def machine(settings: Settings) -> dict[str, Any]:
    """Processor, memory and versions, and how the service is set up, for a report."""
    return {
        "processor": _proc("cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": int((_proc("meminfo", "MemTotal") or "0").split()[0]) * 1024,
        "system": platform.platform(),
        "python": platform.python_version(),
        "webrec": version("webrec"),
        "store": settings.store_uri.partition(":")[0],
        "workers": settings.workers,
        "threads": settings.threads,
    }


def _proc(file: str, name: str) -> str:
    """What a file of /proc says of the first thing of that name."""
    try:
        lines = Path("/proc", file).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
