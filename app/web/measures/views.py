"""The catalogue with its figures, one figure everywhere, and one journey event by event."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from app.composition.calendars import SiteCalendars
from app.composition.request import now, reader
from app.queries.journey_pages import journey_page
from app.queries.measures_pages import REALMS, Filter, all_keys, lines, measure_page, places, scope_of
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.chosen import asked_realm, viewer
from app.web.figures import who
from app.web.journeys import document_url, journey_rows
from app.web.measures import presenters as show_as
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steering_words import short_day, short_moment, speech
from erpcore.kernel.errors import NotFound
from readiness.conformance.drilldown import journeys_behind
from readiness.measures.states import CONTROL_POINTS

blueprint = area("measures")
navigation_entry(
    Entry(
        label="Measures", endpoint="measures.show_all", permission=Permission.MEASURE_VIEW, group=Group.STEER, order=40
    )
)

_WINDOWS = (7, 14, 28, 56)
_LAYERS = {"process": "Process", "data": "Data", "deployment": "Deployment", "adoption": "Adoption"}
WORDS: dict[str, Any] = {"short_day": short_day, "short_moment": short_moment}


def asked() -> Filter:
    """The filter that the address holds; what makes no sense counts as not asked."""
    realm, window = asked_realm(), request.args.get("window", type=int)
    return Filter(
        realm=realm if realm in REALMS else "live", site=asked_key("site"), channel=asked_key("channel"),
        window=window if window is not None and 1 <= window <= 366 else None,
    )  # fmt: skip


def _chips(key: str | None, wanted: Filter, sites: Any, channels: Any) -> dict[str, list[dict[str, Any]]]:
    def chip(label: str, name: str, value: Any, current: Any) -> dict[str, Any]:
        on = value == current
        return {"label": label, "on": on, "href": show_as.address(key, wanted, **{name: None if on else value})}

    return {
        "realm": [
            {"label": realm.capitalize(), "on": realm == wanted.realm,
             "href": show_as.address(key, wanted, realm=None if realm == "live" else realm, site=None)}
            for realm in ("live", "rehearsal")
        ],
        "site": [chip(site.name.partition(",")[0], "site", site.id, wanted.site) for site in sites],
        "channel": [chip(channel.name, "channel", channel.id, wanted.channel) for channel in channels],
        "window": [chip(f"{days} d", "window", days, wanted.window) for days in _WINDOWS],
    }  # fmt: skip


@blueprint.get("/measures")
@require(Permission.MEASURE_VIEW)
def show_all() -> str:
    wanted, session = asked(), reader()
    who = viewer(wanted.site)
    sites, channels = places(session, who, wanted.realm)
    found = lines(session, all_keys(), scope_of(wanted, sites, who), now(), realm=wanted.realm, window=wanted.window)
    rows = [show_as.row(line, wanted) for line in found]
    groups = [{"name": name, "rows": [row for row in rows if row["layer"] == layer]} for layer, name in _LAYERS.items()]
    return render_template(
        "measures/list.html", groups=[group for group in groups if group["rows"]], wanted=wanted, realm=wanted.realm,
        chips=_chips(None, wanted, sites, channels), at=now(), count=len(rows), **WORDS,
    )  # fmt: skip


@blueprint.get("/measures/<key>")
@require(Permission.MEASURE_VIEW)
def show(key: str) -> str:
    wanted, session = asked(), reader()
    page = measure_page(session, key, wanted, viewer(wanted.site), now())
    behind = journeys_behind(
        session, key, page.scope, as_of=now(), window=wanted.window, calendars=SiteCalendars(session), limit=30
    )
    row = show_as.row(page.line, wanted)
    sites = [
        {
            "site": site, "value": show_as.value_text(reading), "interval": show_as.interval_text(reading),
            "count": show_as.count_text(reading), "count_sub": show_as.count_sub(reading), "doubts": show_as.doubts(reading),
            "bar": show_as.bar(reading, page.line.mark), "href": show_as.address(key, wanted, site=site.id),
        }
        for site, reading in page.by_site
    ]  # fmt: skip
    return render_template(
        "measures/show.html", page=page, row=row, measure=page.line.figure.measure, picture=show_as.trend_chart(page),
        by_site=sites, facts=show_as.facts(page.line), wanted=wanted, realm=wanted.realm, at=now(),
        chips=_chips(key, wanted, page.sites, page.channels), journeys=journey_rows(session, behind),
        speech=speech(_names(page)), back=show_as.address(None, wanted), **WORDS,
    )  # fmt: skip


@blueprint.get("/measures/silent-failures/<point>")
@require(Permission.MEASURE_VIEW)
def control_point(point: str) -> str:
    """What stands at one control point beyond its limit, the oldest first."""
    if point not in CONTROL_POINTS:
        raise NotFound("not_found")
    wanted, session = asked(), reader()
    who = viewer(wanted.site)
    sites, channels = places(session, who, wanted.realm)
    behind = journeys_behind(
        session, "silent_failures", scope_of(wanted, sites, who), as_of=now(), dimension=point,
        calendars=SiteCalendars(session), limit=200,
    )  # fmt: skip
    names = {
        "people": {}, "customer_groups": {}, "channels": {str(one.id): one.name for one in channels},
        "sites": {str(one.id): {"name": one.name} for one in sites},
    }  # fmt: skip
    return render_template(
        "measures/control_point.html", point=point, journeys=journey_rows(session, behind), speech=speech(names), at=now(),
        wanted=wanted, realm=wanted.realm, **WORDS,
    )  # fmt: skip


def _names(page: Any) -> dict[str, Any]:
    return {
        "people": {}, "customer_groups": {}, "channels": {str(one.id): one.name for one in page.channels},
        "sites": {str(one.id): {"name": one.name} for one in page.sites},
    }  # fmt: skip


@blueprint.get("/journeys/<int:journey_id>")
@require(Permission.MEASURE_VIEW)
def journey(journey_id: int) -> str:
    page = journey_page(reader(), journey_id, actor())
    said = speech(page.names)
    documents = [(page.kind, page.id, page.number)] + [("invoice", key, number) for key, number in page.invoices]
    links = [
        {"label": f"{kind.capitalize()} {number or ''}".strip(), "href": document_url(kind, key) if number else ""}
        for kind, key, number in documents
    ]
    return render_template(
        "measures/journey.html", page=page, speech=said, links=links, realm=page.realm, who=who,
        back=url_for("measures.show_all"), **WORDS,
    )  # fmt: skip
