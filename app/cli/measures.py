"""Prints figures: every measure of the catalogue, or some, for a scope."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.database import database
from app.cli.output import json_option, print_json, print_listing
from app.composition.measuring import SiteRecords
from app.composition.uow import reading
from erpcore.kernel.clock import SystemClock
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Channel, Realm, Site
from readiness.measures.catalogue import figures, find_figure
from readiness.measures.queries import Asked, Scope, read_many
from readiness.measures.reading import Reading, shown

_COLUMNS = [
    ("figure", "Figure"),
    ("shown", "Value"),
    ("interval", "95 %"),
    ("count", "Count"),
    ("window", "Window"),
    ("note", ""),
]


@click.command()
@click.argument("keys", nargs=-1)
@click.option("--realm", default="live", show_default=True, help="live, rehearsal, training or legacy.")
@click.option("--site", "sites", type=int, multiple=True, help="Id of a site; may be given several times.")
@click.option("--channel", "channels", type=int, multiple=True, help="Id of a channel; may be given several times.")
@click.option("--window", type=click.IntRange(min=0), help="Days to read instead of each measure's own window.")
@json_option
def measures(
    keys: tuple[str, ...],
    realm: str,
    sites: tuple[int, ...],
    channels: tuple[int, ...],
    window: int | None,
    as_json: bool,
) -> None:
    """Read figures (KEYS such as otif_lines or order_cycle_time.p90; all by default) as they stand now."""
    scope = Scope(realm=realm, sites=frozenset(sites), channels=frozenset(channels), name=_words(sites, channels))
    try:
        wanted = [find_figure(key).key for key in keys] or [figure.key for figure in figures()]
    except NotFound as unknown:
        raise click.UsageError(
            f"There is no measure '{unknown.facts['measure']}'. `wavegate measures` lists them."
        ) from None
    asked = [Asked(key=key, scope=scope, window_days=window) for key in wanted]
    with database() as connected, reading(connected, snapshot=True) as session:
        _require_known(session, realm, sites, channels)
        found = read_many(session, asked, as_of=SystemClock().now(), calendars=SiteRecords(session))
    if as_json:
        print_json([one.facts() for one in found])
        return
    rows = [_row(key, one) for key, one in zip(wanted, found, strict=True)]
    print_listing(rows, _COLUMNS, as_json=False, empty="The catalogue is empty.")


def _require_known(session: Session, realm: str, sites: tuple[int, ...], channels: tuple[int, ...]) -> None:
    """A scope of what there is not has no figures; it is refused, since an empty one would look like a quiet day."""
    if realm not in list(Realm):
        raise click.UsageError(f"There is no realm '{realm}'. There are {', '.join(Realm)}.")
    for what, table, asked in (("site", Site, sites), ("channel", Channel, channels)):
        rows = session.execute(select(table.id, table.code, table.name).order_by(table.id)).all()
        for one in set(asked) - {row.id for row in rows}:
            known = ", ".join(f"{row.id} ({row.code} {row.name})" for row in rows) or "none yet"
            raise click.UsageError(f"There is no {what} {one}. There are: {known}.")


def _words(sites: tuple[int, ...], channels: tuple[int, ...]) -> str:
    parts = [f"site {one}" for one in sites] + [f"channel {one}" for one in channels]
    return ", ".join(parts) or "everywhere"


def _row(key: str, one: Reading) -> dict[str, Any]:
    interval = one.interval
    notes = [one.stale_detail or one.stale] if one.stale else []
    notes += ["provisional"] if one.provisional else []
    low, high = (interval.low, interval.high) if interval else (None, None)
    window = one.window
    return {
        "figure": key,
        "shown": "no value"
        if one.value is None
        else f"{'' if one.reached else '> '}{shown(one.value, one.unit)} {one.unit}",
        "interval": None
        if interval is None
        else f"{'' if low is None else shown(low, one.unit)} … {'' if high is None else shown(high, one.unit)}",
        "count": f"{one.count} {one.documents}s",
        "window": window.unit if window.start is None else f"{window.start} – {window.end}",
        "note": ", ".join(str(note) for note in notes),
    }
