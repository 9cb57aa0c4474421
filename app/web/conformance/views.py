"""How each process keeps to its standard, where it leaves it, and one journey step by step."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from app.composition.request import now, reader
from app.queries.conformance import flow_of, overview
from app.queries.departures import journey_check
from app.queries.measures_pages import REALMS, Filter
from app.queries.steer import name_tables
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.chosen import asked_realm, viewer
from app.web.conformance import presenters as show_as
from app.web.journeys import document_url
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steering_words import short_day, short_moment, speech
from readiness.conformance.catalogue import PROCESSES

blueprint = area("conformance")
navigation_entry(
    Entry(
        label="Conformance",
        endpoint="conformance.show_all",
        permission=Permission.MEASURE_VIEW,
        group=Group.STEER,
        order=45,
    )
)

_WINDOWS = (7, 14, 28, 56)
WORDS: dict[str, Any] = {"short_day": short_day, "short_moment": short_moment}


def asked() -> Filter:
    """The filter that the address holds; what makes no sense counts as not asked."""
    realm, window = asked_realm(), request.args.get("window", type=int)
    return Filter(
        realm=realm if realm in REALMS else "live", site=asked_key("site"), channel=asked_key("channel"),
        window=window if window is not None and 1 <= window <= 366 else None,
    )  # fmt: skip


def _chips(process: str | None, wanted: Filter, sites: Any, channels: Any) -> dict[str, list[dict[str, Any]]]:
    def chip(label: str, name: str, value: Any, current: Any) -> dict[str, Any]:
        on = value == current
        return {"label": label, "on": on, "href": show_as.address(process, wanted, **{name: None if on else value})}

    return {
        "site": [chip(site.name, "site", site.id, wanted.site) for site in sites],
        "channel": [chip(one.name, "channel", one.id, wanted.channel) for one in channels],
        "window": [chip(f"{days} d", "window", days, wanted.window) for days in _WINDOWS],
        "realm": [chip(one.capitalize(), "realm", one, wanted.realm) for one in REALMS],
    }


@blueprint.get("/conformance")
@require(Permission.MEASURE_VIEW)
def show_all() -> str:
    wanted = asked()
    page = overview(reader(), wanted, viewer(wanted.site), now())
    return render_template(
        "conformance/list.html", page=page, rows=[show_as.row(line, wanted) for line in page.lines],
        departures=show_as.departures([one for line in page.lines for one in line.departures], page, wanted),
        heat=show_as.heat(page, wanted), chips=_chips(None, wanted, page.sites, page.channels), wanted=wanted,
        realm=wanted.realm, at=now(), list_href=show_as.list_address(page, wanted), **WORDS,
    )  # fmt: skip


@blueprint.get("/conformance/<process>")
@require(Permission.MEASURE_VIEW)
def show(process: str) -> str:
    wanted = asked()
    page = overview(reader(), wanted, viewer(wanted.site), now(), only=process)
    (line,) = page.lines
    flow = flow_of(reader(), page.scope, line.process, page.start, page.end)
    return render_template(
        "conformance/show.html", page=page, line=line, row=show_as.row(line, wanted), flow=flow,
        flow_chart=show_as.flow_chart(line.process, flow), trend=show_as.trend_chart(line),
        departures=show_as.departures(line.departures, page, wanted), classes=show_as.class_bar(line), heat=show_as.heat(page, wanted),
        rules=show_as.rules(line), chips=_chips(process, wanted, page.sites, page.channels), wanted=wanted,
        realm=wanted.realm, at=now(), back=show_as.address(None, wanted), list_href=show_as.list_address(page, wanted, process=process),
        **WORDS,
    )  # fmt: skip


@blueprint.get("/conformance/journeys/<int:journey_id>")
@require(Permission.MEASURE_VIEW)
def journey(journey_id: int) -> str:
    page = journey_check(reader(), journey_id, actor())
    return render_template(
        "conformance/journey.html", page=page, speech=speech(name_tables(reader())), realm=page.realm,
        process=PROCESSES[page.process], document=document_url(page.kind, page.root) if page.number else "",
        request_variant=show_as.variant_address, back=url_for("conformance.show", process=page.process), **WORDS,
    )  # fmt: skip
