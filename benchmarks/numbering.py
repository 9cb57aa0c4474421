"""How much slower is posting for the gapless legal number, with eight workers on PostgreSQL?

Drafts of one entity wait; eight processes post them through the services, one in a unit of work each: with the number that the
commit gives, and in turn with numbers that they bring along, as invoices issued elsewhere do, which touch no counter. Run it also with
``--flush-ms 5``: the counter is held while the commit waits for the disk.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from app.composition.cells import RegisteredCells
from app.composition.uow import Database, connect, reading, unit_of_work
from benchmarks.invoice_run import shipped_orders
from benchmarks.registry import Bench, Figure
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SystemClock

_WORKERS, _EACH, _AT_ONCE, _START = 8, 200, 250, 120
#: At least seventy of a hundred as many a second.
_TIMES = 1 / 0.7


@dataclass(frozen=True)
class Job:
    """What a worker posts, and where it says that it is ready and reads when to begin."""

    url: str
    invoices: tuple[int, ...]
    numbered: bool
    folder: Path
    name: int

    @property
    def ready(self) -> Path:
        return self.folder / f"{self.name}.ready"

    @property
    def go(self) -> Path:
        return self.folder / "go"

    @property
    def report(self) -> Path:
        return self.folder / f"{self.name}.took"


def post(job: Job) -> None:
    """What the process of a worker runs; the first invoice warms it."""
    database, cells = connect(job.url), RegisteredCells()

    def one(invoice: int) -> None:
        numbers = None if job.numbered else {invoice: f"ELSEWHERE-{invoice}"}
        with unit_of_work(database, actor=Actor.system("benchmark"), clock=SystemClock()) as work:
            post_invoices(work, [invoice], cells=cells, numbers=numbers)

    first, *rest = job.invoices
    one(first)
    job.ready.touch()
    while not job.go.exists():
        time.sleep(0.01)
    for invoice in rest:
        one(invoice)
    job.report.write_text(str(time.time()))
    database.dispose()


def _rate(bench: Bench, url: str, invoices: Sequence[int], *, numbered: bool) -> float:
    """Invoices per second that all workers post together."""
    folder, each = bench.new_folder(), len(invoices) // _WORKERS
    jobs = [Job(url, tuple(invoices[n * each : (n + 1) * each]), numbered, folder, n) for n in range(_WORKERS)]
    running = [multiprocessing.get_context("spawn").Process(target=post, args=(job,)) for job in jobs]
    for process in running:
        process.start()
    deadline = time.monotonic() + _START
    while not all(job.ready.exists() for job in jobs):
        if time.monotonic() > deadline or any(process.exitcode for process in running):
            raise RuntimeError("the workers did not start")
        time.sleep(0.02)
    begun = time.time()
    jobs[0].go.touch()
    for process in running:
        process.join()
        if process.exitcode:
            raise RuntimeError(f"a worker ended with {process.exitcode}")
    return (each - 1) * _WORKERS / (max(float(job.report.read_text()) for job in jobs) - begun)


def measure(bench: Bench) -> Iterator[Figure]:
    """Both rates in turn, and whether the numbers have gaps."""
    if "postgresql" not in bench.databases:
        return
    url = bench.new_database("postgresql")
    database, each = connect(url), _WORKERS * (20 if bench.quick else _EACH)
    shipped_orders(database, each * 2 * bench.repeat)
    drafts = iter(_drafted(database))
    ours, floor = bench.alternate(
        lambda: _rate(bench, url, [next(drafts) for _ in range(each)], numbered=True),
        lambda: _rate(bench, url, [next(drafts) for _ in range(each)], numbered=False),
    )
    what = f"posting with legal numbers, {_WORKERS} workers, {bench.flush_ms:g} ms of flush"
    yield Figure(what, "postgresql", ours, "invoices/s", floor=floor, limit=_TIMES)
    with reading(database) as session:
        query = "SELECT MAX(CAST(SUBSTR(number, 10) AS INTEGER)) - COUNT(*) FROM invoice WHERE number LIKE 'INV-%'"
        yield Figure("gaps in the numbers", "postgresql", float(session.scalar(text(query)) or 0), "n", limit=0)
    database.dispose()


def _drafted(database: Database) -> list[int]:
    with reading(database) as session:
        due = list(session.scalars(text("SELECT id FROM shipment ORDER BY id")))
    out: list[int] = []
    for start in range(0, len(due), _AT_ONCE):
        with unit_of_work(database, actor=Actor.system("benchmark"), clock=SystemClock()) as work:
            out += [one.id for one in draft_invoices(work, due[start : start + _AT_ONCE], cells=RegisteredCells())]
    return out
