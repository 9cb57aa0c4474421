"""What does the log say? One JSON object a line: what happened, in which request, to which document. No names, no addresses.

JSON escapes line breaks, so nothing that a client sends can forge a line.
"""

from __future__ import annotations

import logging
import sys
import time
import uuid
from typing import Any

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger(__name__)


class _StandardError(logging.Handler):
    """Writes to what standard error is at the moment, not to what it was at start-up."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - a log that cannot be written must not end a request
            self.handleError(record)


def configure(level: str) -> None:
    """Send our log and that of the libraries to standard error, as JSON, from ``level`` on."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    root = logging.getLogger()
    # A second site in the same process must not write every line twice.
    for old in [handler for handler in root.handlers if isinstance(handler, _StandardError)]:
        root.removeHandler(old)
    handler = _StandardError()
    handler.setFormatter(formatter)
    root.addHandler(handler)
    root.setLevel(level)
    # What a typeface was cut down to says nothing about what happened here.
    logging.getLogger("fontTools").setLevel(logging.WARNING)


def register(app: Flask) -> None:
    """Give every request a number, and write one line when it is answered. The route is logged, never the address."""

    @app.before_request
    def begin() -> None:
        g.request_id = uuid.uuid4().hex
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint not in {"static", "htmx.static", "operations.alive"}:
            acting = g.get("actor")
            log.info(
                "request",
                method=request.method,
                route=str(request.url_rule) if request.url_rule else None,
                status=response.status_code,
                milliseconds=round((time.perf_counter() - g.began) * 1000) if "began" in g else None,
                actor=acting.id if acting else None,
                role=acting.role if acting else None,
            )
        return response
