"""What is a benchmark? A function that is handed a ``Bench`` and yields figures; ratios are taken within one run."""

from __future__ import annotations

import importlib
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sqlalchemy import make_url

from app.composition import schema
from benchmarks.processor import processor_seconds
from tests.support import postgres

#: Name → where it is declared. A new benchmark adds its row.
BENCHMARKS: dict[str, str] = {
    "conformance": "benchmarks.conformance:measure",
    "consumers": "benchmarks.consumers:measure",
    "readings": "benchmarks.gate_readings:measure",
    "floor": "benchmarks.raw_floor:measure",
    "growth": "benchmarks.growth:measure",
    "hot": "benchmarks.hot_items:measure",
    "import": "benchmarks.import_retail:measure",
    "allocation": "benchmarks.allocation:measure",
    "api": "benchmarks.order_api:measure",
    "order": "benchmarks.order_cycle:measure",
    "rules": "benchmarks.rules:measure",
    "search": "benchmarks.item_search:measure",
    "pages": "benchmarks.pages:measure",
    "what-if": "benchmarks.what_if:measure",
    "statements": "benchmarks.statements:measure",
    "cash": "benchmarks.cash:measure",
    "invoices": "benchmarks.invoice_run:measure",
    "numbers": "benchmarks.numbering:measure",
    "proof": "benchmarks.proof:measure",
}


@dataclass(frozen=True)
class Figure:
    """One measured figure. ``floor`` is what the same work costs in plain SQL, in the same unit; ``limit`` is the promise.

    Where there is a floor the limit is on the ratio (how many times the floor's time), else on the figure itself;
    ``at_least`` turns it round for figures that should be large (a rate).
    """

    what: str
    database: str
    value: float
    unit: str
    floor: float | None = None
    limit: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times as long as the floor; for rates the floor's rate over ours."""
        if not self.floor or not self.value:
            return None
        return self.floor / self.value if self.unit.endswith("/s") else self.value / self.floor

    @property
    def holds(self) -> bool | None:
        """Whether the promise is kept; ``None`` where none was made."""
        if self.limit is None:
            return None
        if self.ratio is not None:
            return self.ratio <= self.limit
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Bench:
    """What a benchmark needs: how often, on which databases, and fresh places to write to."""

    databases: Sequence[str] = ("sqlite", "postgresql")
    repeat: int = 3
    #: A quick look: benchmarks may shrink their work; figures are then no measure.
    quick: bool = False
    #: A demo on SQLite that was built before, instead of one built here; it is copied.
    demo: Path | None = None
    #: What a flush to disk takes longer on PostgreSQL, in milliseconds, as on slower disks than this machine's.
    flush_ms: float = 0
    #: How long benchmarks that keep several writers busy do so.
    seconds: float = 60
    _folder: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="bench")
    )
    _server: postgres.Server | None = None
    _files: int = 0

    def new_file(self) -> Path:
        """A path for an SQLite file that does not exist yet."""
        self._files += 1
        return Path(self._folder.name) / f"{self._files}.sqlite3"

    def new_folder(self) -> Path:
        """An empty folder."""
        self._files += 1
        folder = Path(self._folder.name) / str(self._files)
        folder.mkdir()
        return folder

    def new_postgres(self) -> str:
        """The URL of an empty database on a server that waits for the disk at each commit."""
        if self._server is None:
            self._server = postgres.start(durable=True, **self._slower())
        return self._server.url(self._server.create())

    def server_pid(self) -> int:
        """The process of the PostgreSQL server that was started here."""
        if self._server is None or self._server.owned is None:
            raise RuntimeError("no PostgreSQL server was started here")
        return self._server.owned.pid

    def processor_seconds(self) -> float:
        """Processor time so far, of this process and of the PostgreSQL server that was started here."""
        return time.process_time() + self.server_seconds()

    def server_seconds(self) -> float:
        """Processor time so far of the PostgreSQL server that was started here, of all its processes; 0 without one."""
        server = self._server.owned if self._server is not None else None
        return processor_seconds(server.pid) if server is not None else 0.0

    def _slower(self) -> dict[str, str]:
        # commit_siblings = 0: the delay is waited for also where nobody else commits.
        delay = round(self.flush_ms * 1000)
        return {"commit_delay": str(delay), "commit_siblings": "0"} if delay else {}

    def new_database(self, kind: str) -> str:
        """The URL of an empty database of this kind at the newest revision."""
        url = f"sqlite:///{self.new_file()}" if kind == "sqlite" else self.new_postgres()
        schema.upgrade(url)
        return url

    def copied(self, url: str) -> str:
        """A copy of a database that nobody is connected to."""
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            copy = self.new_file()
            shutil.copy(parsed.database or "", copy)
            return f"sqlite:///{copy}"
        if self._server is None:
            raise RuntimeError("no PostgreSQL server was started here")
        return self._server.url(self._server.create(parsed.database))

    def median(self, figures: Iterable[float]) -> float:
        """The middle one, which a single disturbance does not move."""
        return statistics.median(figures)

    def alternate(self, ours: Callable[[], float], floor: Callable[[], float]) -> tuple[float, float]:
        """Medians of both, measured in turn so that the machine's mood hits both alike."""
        pairs = [(floor(), ours()) for _ in range(self.repeat)]
        return self.median(mine for _, mine in pairs), self.median(base for base, _ in pairs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what was taken."""
        if self._server is not None:
            self._server.stop()
        self._folder.cleanup()


def peak_memory_mb() -> float:
    """The most memory this process has had so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform != "darwin" else peak / 1024**2


def measure(name: str, bench: Bench) -> Iterator[Figure]:
    """Run one benchmark of the table."""
    module, _, attribute = BENCHMARKS[name].partition(":")
    yield from getattr(importlib.import_module(module), attribute)(bench)
