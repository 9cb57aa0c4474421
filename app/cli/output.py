"""How do commands speak? Listings as a table for people and as JSON for programs, from the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """``--json`` for a listing; the command receives it as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(command)


def print_json(value: object) -> None:
    """One JSON document on standard output; decimals as strings, so that no digit is lost."""
    click.echo(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2).decode())


def print_listing(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[tuple[str, str]], *, as_json: bool, empty: str
) -> None:
    """Print ``rows``; ``columns`` are (key, heading) of what the table shows, JSON has every key. ``empty`` is said of none."""
    listed = list(rows)
    if as_json:
        print_json(listed)
        return
    if not listed:
        click.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for _, heading in columns:
        table.add_column(heading)
    for row in listed:
        table.add_row(*("" if row[key] is None else str(row[key]) for key, _ in columns))
    Console().print(table)
