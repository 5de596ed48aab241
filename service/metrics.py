"""[6] Prometheus metrics, right across the workers of one service.

Workers write to files in the folder of `service.metrics_folder`; the worker that is scraped adds
them up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.metrics_folder import METRICS_FOLDER
from webrec.admin.operation import log_backlog
from webrec.domain.answers import Answer
from webrec.errors import WebrecError
from webrec.serving.engine import Engine

# fine below 50 ms, where nearly all answers are
_BUCKETS_S = (
    0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05,
    0.1, 0.25, 0.5, 1.0, 2.5,
)  # fmt: skip


class Metrics:
    """The metrics of one process.

    Args:
        engine: asked for the state of model and log when a scrape comes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        own = CollectorRegistry()
        self._seconds = Histogram(
            "webrec_request_seconds",
            "Time to answer a recommendation request, or one document of a list",
            ("mode", "algorithm", "status"),
            buckets=_BUCKETS_S,
            registry=own,
        )
        self._answers = Counter(
            "webrec_answers",
            "Answers by the algorithm that built the list and the algorithms passed over before",
            ("mode", "algorithm", "step"),
            registry=own,
        )
        self._http = Counter(
            "webrec_http_requests",
            "HTTP requests by route, method and status",
            ("route", "method", "status"),
            registry=own,
        )
        self._events = Counter(
            "webrec_events", "Events by what became of them", ("outcome",), registry=own
        )
        self._unrecorded = Counter(
            "webrec_visits_unrecorded",
            "Visits of recommendation requests that the log did not take",
            registry=own,
        )
        self._degraded = Counter(
            "webrec_answers_degraded",
            "Answers for which a read was left out, since the store was slow or away",
            registry=own,
        )
        self._store_errors = Counter(
            "webrec_store_errors", "Requests that met an unavailable store", registry=own
        )
        self._own = own
        # finding a series by its labels costs more than counting in it
        self._seconds_of = cache(self._seconds.labels)
        self._answers_of = cache(self._answers.labels)
        self._http_of = cache(self._http.labels)

    def answered(self, answer: Answer, seconds: float) -> None:
        """Count an answer."""
        mode, algorithm = answer.mode, answer.algorithm
        self._seconds_of(mode, algorithm, 200).observe(seconds)
        self._answers_of(mode, algorithm, len(answer.path) - 1).inc()
        if answer.degraded:
            self._degraded.inc()
        if answer.is_visit_lost:
            self._unrecorded.inc()

    def refused(self, status: int, seconds: float) -> None:
        """Count a recommendation request that got no answer."""
        self._seconds_of("", "", status).observe(seconds)

    def http(self, route: str, method: str, status: int) -> None:
        """Count a request."""
        self._http_of(route, method, status).inc()

    def events(self, accepted: int, rejected: int) -> None:
        """Count what a request for events brought."""
        self._events.labels("accepted").inc(accepted)
        self._events.labels("rejected").inc(rejected)

    def store_error(self) -> None:
        """Count a request that met an unavailable store."""
        self._store_errors.inc()

    def exposition(self) -> bytes:
        """Everything, in Prometheus's text format."""
        registry = CollectorRegistry()
        if os.environ.get(METRICS_FOLDER):
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's omission
        else:
            registry.register(_OwnMetrics(self._own))
        registry.register(_EngineMetrics(self._engine))
        return generate_latest(registry)


class _OwnMetrics(Collector):
    """The metrics of this process, for the registry of one scrape."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        return self._registry.collect()


class _EngineMetrics(Collector):
    """What every worker finds alike, looked up when a scrape comes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        model = self._engine.model
        if model is not None:
            age = time.time() - model.created_ms / 1000
            yield GaugeMetricFamily(
                "webrec_model_age_seconds", "Seconds since the active model was made", age
            )
        # no figure is better than a wrong one; `/health/ready` says what is wrong
        with suppress(WebrecError):
            waiting = self._engine.log.unshipped()
            yield GaugeMetricFamily(
                "webrec_log_unshipped_segments",
                "Segments of the raw log that are closed here and not on HDFS yet",
                waiting.segments,
            )
            yield GaugeMetricFamily(
                "webrec_log_unshipped_bytes", "Bytes of these segments", waiting.bytes
            )
        with suppress(WebrecError):
            yield GaugeMetricFamily(
                "webrec_log_backlog_segments",
                "Segments of the raw log that no batch has read yet",
                log_backlog(self._engine),
            )
