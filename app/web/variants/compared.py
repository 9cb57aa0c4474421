"""One variant against the standard: every figure on each side with its interval, what that proves, and the documents behind it."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from app.composition.calendars import SiteCalendars
from app.composition.request import now, reader
from app.queries.measures_pages import places
from app.queries.variant_cases import CASES
from app.queries.variant_comparison import (
    FIGURES,
    VOLUME,
    Compared,
    Comparison,
    Finding,
    SideScope,
    Verdict,
    comparison,
    find_term,
    sides_of,
    span_of,
)
from app.queries.variant_margins import MARGIN, newest_orders
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.figures import counted, heading, money
from app.web.journeys import journey_rows
from app.web.measures import presenters as figures
from app.web.steering_words import short_day, short_moment, speech
from app.web.variants.tabs import register_tabs
from app.web.variants.views import blueprint
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from readiness.conformance.drilldown import journeys_behind
from readiness.measures.catalogue import find_figure
from readiness.measures.reading import Reading
from readiness.measures.scopes import load_slices

#: How a finding is drawn, and its words.
_LOOKS = {
    Finding.BETTER: ("pass", "Better"), Finding.WORSE: ("fail", "Worse"), Finding.DIFFERENT: ("none", "Different"),
    Finding.UNPROVEN: ("none", "No difference proven"), Finding.TOO_FEW: ("none", "Too few to tell"),
    Finding.UNKNOWN: ("none", "Not known"),
}  # fmt: skip
#: So many documents are listed behind a figure.
_MOST = 50
#: Figures whose documents are the newest orders, since none is the worst.
_OF_ORDERS = (VOLUME, MARGIN, CASES)


@blueprint.route("/register/variants/<int:variant_id>/compared")
@require(Permission.VARIANT_VIEW)
def compare(variant_id: int) -> str:
    """Volume, exceptions, service, times, margin and cost under the variant beside the standard, elsewhere and here before."""
    page = comparison(reader(), actor(), variant_id, now())
    return render_template(
        "register/compared.html", page=page, term=page.term, tabs=register_tabs("variants.show_all"),
        rows=[_row(page, one) for one in page.figures], sides=_sides(page), said=_said(page), keeping=_keeping(page),
        short_day=short_day,
    )  # fmt: skip


def _sides(page: Comparison) -> list[dict[str, Any]]:
    """What each side is: its name, its days, and how many documents a day."""
    out = []
    for part, volume in zip(page.parts, page.volumes, strict=True):
        days = (part.end - part.start).days
        out.append(
            {
                "side": part.side, "text": part.text, "why_not": part.why_not, "start": part.start, "last": part.end,
                "days": days, "documents": volume.count, "per_day": f"{volume.count / days:.1f}",
                "href": _address(page, part.side, VOLUME, None),
            }
        )  # fmt: skip
    return out


def _said(page: Comparison) -> str:
    """The whole in one sentence; what proves nothing is said to prove nothing."""
    found = [one for row in page.figures for one in row.verdicts]
    better = sum(1 for one in found if one.finding is Finding.BETTER)
    worse = sum(1 for one in found if one.finding is Finding.WORSE)
    unproven = sum(1 for one in found if one.finding is Finding.UNPROVEN)
    rest = len(found) - better - worse - unproven
    return (
        f"Of {counted(len(found), 'comparison')} {better} prove it better, {worse} worse, {unproven} no difference; "
        f"{rest} cannot be told."
    )


def _keeping(page: Comparison) -> dict[str, str] | None:
    cost = page.keeping
    if cost is None:
        return None
    return {
        "month": money(cost.per_month, cost.currency), "window": money(cost.in_window, cost.currency),
        "document": "–" if cost.per_document is None else money(cost.per_document, cost.currency),
    }  # fmt: skip


def _row(page: Comparison, one: Compared) -> dict[str, Any]:
    return {
        "title": title_of(one.key, one.dimension), "hint": _hint(one),
        "cells": [
            _cell(page, part, one, reading) for part, reading in zip(page.parts, one.readings, strict=True)
        ],
        "verdicts": [_verdict(verdict) for verdict in one.verdicts],
    }  # fmt: skip


def _hint(one: Compared) -> str:
    if one.key == CASES:
        return "newest orders: handed to somebody, noted or left alone"
    if one.key == MARGIN:
        return f"newest orders, in {one.readings[0].scope}"
    return "" if one.dimension is None else f"of {find_figure(one.key).measure.title.lower()}"


def title_of(key: str, dimension: str | None) -> str:
    """A figure as people call it here."""
    if key == MARGIN:
        return "Margin at order prices"
    if key == CASES:
        return "Orders somebody had to look after"
    if key == VOLUME:
        return "Documents"
    return figures.figure_title(find_figure(key)) if dimension is None else heading(dimension)


def _cell(page: Comparison, part: SideScope, one: Compared, reading: Reading) -> dict[str, Any]:
    return {
        "label": part.text, "value": figures.value_text(reading), "interval": figures.interval_text(reading),
        "count": figures.count_text(reading), "href": _address(page, part.side, one.key, one.dimension),
    }  # fmt: skip


def _verdict(verdict: Verdict) -> dict[str, str]:
    look, text = _LOOKS[verdict.finding]
    return {"look": look, "text": text, "why": verdict.why}


def _address(page: Comparison, side: str, key: str, dimension: str | None) -> str:
    if not actor().may(Permission.MEASURE_VIEW):
        return ""
    return url_for(
        "variants.compared_documents", variant_id=page.term.id, side=side, key=key, dimension=dimension
    )  # fmt: skip


@blueprint.route("/register/variants/<int:variant_id>/compared/<side>/<key>")
@require(Permission.MEASURE_VIEW)
def compared_documents(variant_id: int, side: str, key: str) -> str:
    """The documents behind a figure of one side: the worst first, or the newest where the figure has no worst."""
    session, at = reader(), now()
    dimension = request.args.get("dimension") or None
    term = find_term(session, actor(), variant_id)
    sites, channels = places(session, actor(), "live")
    slices = load_slices(session.connection(), {"live"})
    parts, _ = sides_of(session, actor(), term, at, slices, (sites, channels))
    part = next((one for one in parts if one.side == side), None)
    if part is None or (key, dimension) not in {*FIGURES, (VOLUME, None), (MARGIN, None), (CASES, None)}:
        raise NotFound("not_found")
    names = {
        "people": {}, "customer_groups": {}, "channels": {str(one.id): one.name for one in channels},
        "sites": {str(one.id): {"name": one.name} for one in sites},
    }  # fmt: skip
    orders, journeys = [], []
    start, end = part.start, part.end
    if key in _OF_ORDERS:
        orders = list(session.execute(newest_orders(part.scope, start, end, term.zone, most=_MOST)))
    else:
        start, end = span_of(part, key, local_day(at, term.zone))
        behind = journeys_behind(
            session, key, part.scope, as_of=at, dimension=dimension, calendars=SiteCalendars(session), limit=_MOST,
            between=(start, end),
        )  # fmt: skip
        journeys = journey_rows(session, behind)
    return render_template(
        "register/compared_documents.html", term=term, part=part, title=title_of(key, dimension), journeys=journeys,
        orders=orders, is_newest=key in _OF_ORDERS, most=_MOST, start=start, last=end, speech=speech(names),
        short_moment=short_moment, short_day=short_day, tabs=register_tabs("variants.show_all"),
    )  # fmt: skip
