"""How many requests, how long, with which result? For Prometheus; with several workers their numbers are added up."""

from __future__ import annotations

import os
import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_registry = CollectorRegistry()
_requests = Counter("wavegate_requests_total", "Requests answered.", ("method", "route", "status"), registry=_registry)
_seconds = Histogram(
    "wavegate_request_seconds", "Time to answer, by route.", ("route",), registry=_registry,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10),
)  # fmt: skip


def register(app: Flask) -> None:
    """Count every request of this site."""

    @app.before_request
    def begin() -> None:
        g.metered_from = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        # An address that is no route is counted as one, or a stranger could fill the memory with names.
        route = str(request.url_rule) if request.url_rule else "none"
        _requests.labels(request.method, route, str(response.status_code)).inc()
        if "metered_from" in g:
            _seconds.labels(route).observe(time.perf_counter() - g.metered_from)
        return response


def exposition(gauges: dict[str, tuple[str, dict[str, int]]]) -> str:
    """The metrics as text. ``gauges`` are read from the database: name → (help, value by consumer or job)."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # ships no types for this class
    else:
        registry = _registry
    lines = [generate_latest(registry).decode().rstrip("\n")]
    for name, (text, values) in gauges.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        lines += [
            f'{name}{{name="{_label(key)}"}} {value}' if key else f"{name} {value}" for key, value in values.items()
        ]
    return "\n".join(lines) + "\n"


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
