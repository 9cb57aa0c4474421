"""``make bench``: runs the benchmarks named, or all, and prints each figure beside its floor and its promise."""

from __future__ import annotations

import platform
import sys
from dataclasses import asdict
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.registry import BENCHMARKS, Bench, Figure, measure


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(BENCHMARKS)))
@click.option("--database", type=click.Choice(["sqlite", "postgresql", "both"]), default="both", show_default=True)
@click.option("--repeat", default=3, show_default=True, help="How often each figure is taken; the median counts.")
@click.option("--quick", is_flag=True, help="Less work, to see that it runs; the figures are no measure.")
@click.option(
    "--demo",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A demo on SQLite built before, for what measures pages; copied, not changed.",
)
@click.option(
    "--flush-ms",
    default=0.0,
    type=click.FloatRange(0, 100),
    help="PostgreSQL waits so much longer for the disk at each commit (commit_delay, commit_siblings=0).",
)
@click.option(
    "--seconds",
    default=60.0,
    show_default=True,
    type=click.FloatRange(2, 600),
    help="How long several writers are kept busy.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures to this file.")
def main(
    names: tuple[str, ...], database: str, repeat: int, quick: bool, demo: Path | None, flush_ms: float,
    seconds: float, json_file: Path | None
) -> None:  # fmt: skip
    """Measure speed and memory; exits with 1 when a promise is not kept."""
    databases = ("sqlite", "postgresql") if database == "both" else (database,)
    figures: list[Figure] = []
    options = {"quick": quick, "demo": demo, "flush_ms": flush_ms, "seconds": seconds}
    with Bench(databases=databases, repeat=1 if quick else repeat, **options) as bench:  # type: ignore[arg-type]  # of several types
        for name in names or sorted(BENCHMARKS):
            click.echo(f"{name} ...", err=True)
            figures += measure(name, bench)
    show(figures)
    if json_file is not None:
        machine = {
            "python": platform.python_version(), "machine": platform.machine(), "system": platform.system(),
            "flush_ms": flush_ms,
        }  # fmt: skip
        rows = [{**asdict(figure), "ratio": figure.ratio, "holds": figure.holds} for figure in figures]
        json_file.write_bytes(orjson.dumps({"machine": machine, "figures": rows}, option=orjson.OPT_INDENT_2))
    if not quick and any(figure.holds is False for figure in figures):
        sys.exit(1)


def show(figures: list[Figure]) -> None:
    """One line per figure."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("what", "database"):
        table.add_column(heading)
    for heading in ("ours", "floor", "times", "promise"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for figure in figures:
        table.add_row(
            figure.what,
            figure.database,
            f"{figure.value:,.4g} {figure.unit}" if figure.value < 1000 else f"{figure.value:,.0f} {figure.unit}",
            "" if figure.floor is None else f"{figure.floor:,.4g}" if figure.floor < 1000 else f"{figure.floor:,.0f}",
            "" if figure.ratio is None else f"{figure.ratio:.1f} ×",
            _promise(figure),
            {None: "", True: "kept", False: "NOT KEPT"}[figure.holds],
        )
    Console(width=140).print(table)


def _promise(figure: Figure) -> str:
    if figure.limit is None:
        return ""
    if figure.ratio is not None:
        return f"≤ {figure.limit:g} ×"
    return f"{'≥' if figure.at_least else '≤'} {figure.limit:,g}"


if __name__ == "__main__":
    main()
