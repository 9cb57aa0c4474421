"""How long does a year of a real wholesaler take to come in? Against the same rows written by plain SQL in the same run.

What came in is held against the file's published totals, key by key.
The file is named by WAVEGATE_DATA_DIR; without it a year of invented invoices of the same shape is written, a tenth as long.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from app.composition.uow import connect, reading
from app.importers.queries import choose_profile
from app.importers.totals import totals
from benchmarks.registry import Bench, Figure
from benchmarks.same_rows import seconds_to_write_again

REAL = "online_retail/online_retail_2010-12-01_2011-12-09.csv.gz"
SUBSET = "online_retail/subset_2010-12.csv.gz"
LIMITS = {"sqlite": 7.0, "postgresql": 4.0}
MEMORY_MB = 600
#: In a process of its own, so that its peak of memory is the import's.
PROGRAM = """
import sys, time
from pathlib import Path
import orjson
from app.composition.uow import connect
from app.importers import profiles
from app.importers.runs import Importer
from benchmarks.registry import peak_memory_mb
from erpcore.kernel.actor import Actor
importer = Importer(connect(sys.argv[1]), profiles.load("online-retail"), Actor.system("benchmark"))
start = time.perf_counter()
report = importer.run(Path(sys.argv[2]))
seconds = time.perf_counter() - start
print(orjson.dumps([seconds, peak_memory_mb(), report.lines_posted, report.batches, report.lines_rejected]).decode())
"""


def _file(bench: Bench) -> Path:
    folder = os.environ.get("WAVEGATE_DATA_DIR")
    real = Path(folder or "", SUBSET if bench.quick else REAL)
    return (
        real
        if folder and real.is_file()
        else _invented(bench.new_file().with_suffix(".csv"), 500 if bench.quick else 2_500)
    )


def _invented(path: Path, documents: int) -> Path:
    """Invoices of about twenty lines over 4,000 items; one document in seven gives something back."""
    chance = random.Random(20111209)
    at = datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 - a file says local times
    rows = ["InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"]
    for number in range(documents):
        at += timedelta(minutes=chance.randint(1, 30))
        customer = f"{chance.randint(12_000, 16_000)}.0" if chance.random() < 0.75 else ""
        back = chance.random() < 1 / 7
        for _ in range(2 if back else chance.randint(1, 41)):
            item = int(4_000 * chance.random() ** 2)
            rows.append(
                f"{'C' * back}{500_000 + number},I{item},ITEM {item},{-1 if back else chance.randint(1, 24)},{at},"
                f"{chance.randint(19, 1_495) / 100:.2f},{customer},United Kingdom"
            )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _differing(url: str, path: Path) -> list[str] | None:
    """The keys of the whole file's published totals that are otherwise in the core; ``None`` for a file without any."""
    published = path.with_name("expected_totals.json")
    if not str(path).endswith(REAL) or not published.is_file():
        return None
    database = connect(url)
    with reading(database) as session:
        found = dict(_leaves(totals(session, choose_profile(session, "online-retail"))))
    database.dispose()
    expected = dict(_leaves(orjson.loads(published.read_bytes())))
    return sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def measure(bench: Bench) -> Iterator[Figure]:
    """Seconds and memory of the import on each database."""
    path = _file(bench)
    for kind in bench.databases:
        ours, floors, memory = [], [], []
        for _ in range(bench.repeat):
            url = bench.new_database(kind)
            done = subprocess.run(  # noqa: S603 - our own program
                [sys.executable, "-c", PROGRAM, url, str(path)], check=True, capture_output=True, cwd=Path(__file__).parents[1]
            )  # fmt: skip
            seconds, peak, lines, batches, rejected = orjson.loads(done.stdout)
            if rejected or not lines:
                raise RuntimeError(f"{lines} lines were posted and {rejected} rejected")
            differing = _differing(url, path)
            ours.append(seconds)
            memory.append(peak)
            start = time.perf_counter()
            floor, rows = seconds_to_write_again(bench, url, commits=batches + 1)
            print(
                f"  {lines:,} lines in {seconds:.1f} s; {rows:,} rows again in {floor:.1f} s "
                f"({time.perf_counter() - start:.1f} s with reading them)"
            )
            floors.append(floor)
        yield Figure(
            f"import of {lines:,} lines", kind, bench.median(ours), "s", floor=bench.median(floors), limit=LIMITS[kind]
        )
        if differing is not None:
            yield Figure("keys of its totals that differ", kind, float(len(differing)), "n", limit=0)
            if differing:
                raise RuntimeError(f"the totals differ from the published ones in {', '.join(differing[:10])}")
        yield Figure("memory of the import", kind, max(memory), "MB", limit=MEMORY_MB)
