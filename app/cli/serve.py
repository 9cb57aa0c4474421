"""Serves the site with gunicorn. Nothing is rendered before the workers start: the chart engine does not survive a fork."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 is every address.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Processes that answer.")
@click.option(
    "--threads", default=4, show_default=True, type=click.IntRange(1, 64), help="Requests a process answers at once."
)
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the site of WAVEGATE_DATABASE_URL until it is stopped; on this machine only, unless told otherwise."""
    from app.composition import schema  # noqa: PLC0415 - `wavegate serve --help` needs none of this
    from app.config import Settings  # noqa: PLC0415 - as above

    settings = Settings.from_environment()
    here, needed = schema.current(settings.database_url), schema.head()
    if here != needed:
        raise click.ClickException(f"The schema stands at {here}, this code needs {needed}. Run `wavegate db upgrade`.")
    settings.signing_key()
    counters = Path(tempfile.mkdtemp(prefix="wavegate-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counters)
    try:
        _run(
            {
                "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
                "workers": workers,
                "threads": threads,
                "worker_class": "gthread",
                "timeout": 120,
                "graceful_timeout": 30,
                "max_requests": 20_000,
                "max_requests_jitter": 2_000,
                "control_socket_disable": True,
                "child_exit": _forget_counters,
            }
        )
    finally:
        shutil.rmtree(counters, ignore_errors=True)


def _run(options: dict[str, Any]) -> None:
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415 - not there on Windows, where help still works

    class Site(BaseApplication):
        def load_config(self) -> None:
            for name, value in options.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            from app import create_app  # noqa: PLC0415 - in the worker, after the fork

            made = create_app()
            # What the program is made of stays; the collector need not walk it again during requests.
            gc.collect()
            gc.freeze()
            return made

    Site().run()


def _forget_counters(_server: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - in the arbiter, when a worker ended

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # ships no types for it
