"""The board of the floor: tasks by state and age, pick waves, the collections ahead, and what nobody has planned yet."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.queries.carriers import collections_ahead
from app.queries.floor import (
    KINDS,
    LIVE_STATES,
    TaskFilter,
    age_bands,
    list_tasks,
    unplanned,
)
from app.queries.pick_waves import list_waves
from app.queries.places import SitePick, sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.exports import csv_file, xlsx_file
from app.web.navigation import Entry, Group, navigation_entry

blueprint = area("floor")
navigation_entry(
    Entry(label="Floor", endpoint="floor.board", permission=Permission.TASK_READ, group=Group.WAREHOUSE, order=15)
)
_HEAD = ("Task", "Kind", "State", "Priority", "Due (UTC)", "Site", "Zone", "Pick wave", "Owner", "Lines", "Lines done", "Created (UTC)")  # fmt: skip


def floor_sites() -> list[SitePick]:
    """The sites with a floor that this person sees."""
    return [site for site in sites_seen(reader(), actor(), realms=("live", "rehearsal")) if site.kind != "drop_ship"]


def chosen_site(sites: list[SitePick]) -> SitePick | None:
    """The site that the address asks for, the first one otherwise."""
    wanted = asked_key("site")
    return next((site for site in sites if site.id == wanted), sites[0] if sites else None)


def asked(site: SitePick | None) -> TaskFilter:
    """The filter that the address holds; what makes no sense counts as not asked."""
    kind, state = request.args.get("kind", ""), request.args.get("state", "")
    return TaskFilter(
        site=site.id if site else -1, realm=site.realm if site else "live", kind=kind if kind in KINDS else "",
        state=state if state in LIVE_STATES else "",
    )  # fmt: skip


@blueprint.get("/floor/board")
@require(Permission.TASK_READ)
def board() -> str:
    sites = floor_sites()
    site = chosen_site(sites)
    if site is None:
        return render_template("floor/nowhere.html")
    session, wanted = reader(), asked(site)
    every = list_tasks(session, actor(), TaskFilter(site=site.id, realm=site.realm), now())
    shown = [card for card in every if wanted.kind in ("", card.kind) and wanted.state in ("", card.state)]
    return render_template(
        "floor/board.html", site=site, sites=sites, asked=wanted, every=every, tasks=shown, ages=age_bands(every, now()),
        waves=list_waves(session, actor(), site=site.id, realm=site.realm), open_=unplanned(session, site.id),
        collections=collections_ahead(session, site.id, now()), at=now(), kinds=KINDS, states=LIVE_STATES,
        realm=site.realm,
    )  # fmt: skip


@blueprint.get("/floor/tasks.csv")
@require(Permission.TASK_READ)
def as_csv() -> Any:
    return csv_file("tasks", _HEAD, _file_rows())


@blueprint.get("/floor/tasks.xlsx")
@require(Permission.TASK_READ)
def as_xlsx() -> Any:
    return xlsx_file("tasks", _HEAD, _file_rows())


def _file_rows() -> Any:
    site = chosen_site(floor_sites())
    for card in list_tasks(reader(), actor(), asked(site), now()):
        yield (
            card.title, card.kind, card.state, card.priority, card.due_at, card.site, card.zone, card.wave, card.owner,
            card.lines, card.lines_done, card.created_at,
        )  # fmt: skip


def to_board(site: int) -> Any:
    """Back to the board of that site."""
    return redirect(url_for("floor.board", site=site))
