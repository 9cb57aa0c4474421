"""The register as a whole: how it grows, what nobody uses, what could go, and where variants gather."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import render_template, url_for

from app.charts import Chart, Column, columns
from app.composition.request import now, reader
from app.queries.register_health import Held, Month, RegisterHealth, register_health
from app.queries.register_map import MapCell, RegisterMap, register_map
from app.queries.variant_terms import UNUSED_AFTER
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.figures import counted, heading, money, on
from app.web.variants.tabs import register_tabs
from app.web.variants.views import blueprint
from erpcore.ports import POLICY_POINTS
from governance.variants.kinds import Kind

#: So many rows of each table are shown; the register has them all.
MOST_SHOWN = 25
_PARTS = (Kind.CONTROLLED_VARIATION, Kind.STRATEGIC_EXCEPTION)


@blueprint.route("/register/health")
@require(Permission.VARIANT_VIEW)
def show_health() -> str:
    """How many variants there are over time, which are unused, end soon, overlap and cost, and which could be retired."""
    page = register_health(reader(), actor(), now())
    return render_template(
        "register/health.html", page=page, tabs=register_tabs("variants.show_health"), picture=_picture(page.months),
        unused=_rows(page.unused), idle=_rows(page.idle), expiring=_rows(page.expiring), costly=_rows(page.costly),
        proposals=[{**_row(one.held), "why": one.why} for one in page.proposals[:MOST_SHOWN]], overlaps=_overlaps(page),
        costs=", ".join(money(cost, currency) for currency, cost in page.costs) or "not said", most=MOST_SHOWN,
        days=UNUSED_AFTER.days, may_ask=actor().may(Permission.VARIANT_REQUEST),
    )  # fmt: skip


def _picture(months: Sequence[Month]) -> Chart | None:
    """Variants in force by month; ``None`` where there never was one."""
    if not any(one.total for one in months):
        return None
    found = [
        Column(f"{one.at:%b}" if number else f"{one.at:%b %y}", {heading(kind): many for kind, many in one.by_kind.items()})
        for number, one in enumerate(months)
    ]  # fmt: skip
    return columns("Variants in force", found, [heading(kind) for kind in _PARTS], key="sprawl", unit="variants")


def _rows(found: Sequence[Held]) -> list[dict[str, Any]]:
    return [_row(one) for one in found[:MOST_SHOWN]]


def _row(one: Held) -> dict[str, Any]:
    term, use = one.term, one.use
    cost = None if term.cost_minor is None else money(term.cost_minor, term.cost_currency or "")
    return {
        "id": term.id, "title": term.title, "code": term.code, "kind": term.kind, "where": term.where,
        "href": url_for("variants.show_one", variant_id=term.id), "days": one.days, "first_day": term.first_day,
        "end_day": term.end_day, "volume": f"{use.lately:,}" if use.is_counted else "by line",
        "volume_sub": f"{use.ever:,} ever" if use.is_counted else "set line by line, not counted",
        "last": on(use.last_on) if use.last_on is not None else "never", "cost": cost or "not said",
        "per_document": "–" if one.per_document is None else money(one.per_document, term.cost_currency or ""),
        "propose": url_for("variants.show_one", variant_id=term.id, propose="retire", _anchor="next"),
        "used_href": url_for("variants.show_one", variant_id=term.id, _anchor="ran"),
    }  # fmt: skip


def _overlaps(page: RegisterHealth) -> list[dict[str, Any]]:
    out = []
    for one in page.overlaps[:MOST_SHOWN]:
        point = POLICY_POINTS.get(one.point)
        shown = [
            {
                "href": url_for("variants.show_one", variant_id=term.id), "code": term.code, "where": term.where,
                "value": point.shown(term.values[one.point]) if point else str(term.values[one.point]),
            }
            for term in (one.wins, one.loses)
        ]  # fmt: skip
        out.append({"point": point.title if point else one.point, "wins": shown[0], "loses": shown[1]})
    return out


@blueprint.route("/register/map")
@require(Permission.VARIANT_VIEW)
def show_map() -> str:
    """Sites × processes: variants in force, and the share of documents that ran under one."""
    page = register_map(reader(), actor(), now())
    return render_template(
        "register/map.html", page=page, tabs=register_tabs("variants.show_map"), rows=_map_rows(page), at=now(),
        names=[heading(name) if name else "No process named" for name in page.processes], days=UNUSED_AFTER.days,
        totals=[page.totals.get(name, 0) for name in page.processes],
    )  # fmt: skip


def _map_rows(page: RegisterMap) -> list[dict[str, Any]]:
    most = max((cell.variants for cell in page.cells.values()), default=0)
    return [
        {
            "label": site.name,
            "cells": [
                _cell(page.cells.get((site.id, process), MapCell()), site.id, process, most, page.doubt)
                for process in page.processes
            ],
        }
        for site in page.sites
    ]


def _cell(cell: MapCell, site: int, process: str, most: int, doubt: str) -> dict[str, Any]:
    """A cell: how many, its depth of colour (1 to 4), the share in words, and where both lead."""
    depth = 0 if not cell.variants or not most else -(-4 * cell.variants // most)
    if doubt:
        share, sub = "", "share not known now"
    elif not cell.stamped:
        share, sub = "", "no document"
    else:
        share = f"{100 * cell.under / cell.stamped:.0f} %"
        sub = f"of {counted(cell.stamped, 'document')}"
    measure = url_for("measures.show", key="off_standard_share", site=site, window=UNUSED_AFTER.days)
    return {
        "count": cell.variants, "depth": depth, "share": share, "sub": sub,
        "href": url_for("variants.show_all", effective=1, reaches=site, process=process) if cell.variants and process else "",
        "share_href": measure if share and actor().may(Permission.MEASURE_VIEW) else "",
    }  # fmt: skip
