"""How does the list of departures look?"""

from __future__ import annotations

from flask import url_for

from app.queries.departures import DEPARTURE_CLASSES, DEPARTURES, DepartureRow
from app.security.permissions import Permission
from app.web.conformance.presenters import step_words, variant_address
from app.web.conformance.views import blueprint
from app.web.context import ago, moment
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
    channel_filter,
    choice,
    column,
    day_filter,
    key_filter,
    pick,
    site_filter,
)
from app.web.lists.page import list_page
from readiness.conformance.catalogue import PROCESSES, RULES

_LOOKS = {"uncovered": "fail", "covered": "waived", "waiting": "wait"}


def _journey(row: DepartureRow) -> Cell:
    label = f"{row.kind.capitalize()} {row.number}" if row.number else f"{row.kind.capitalize()}, no number"
    return Cell(label, sub=row.channel, href=url_for("conformance.journey", journey_id=row.root))


def _class(row: DepartureRow) -> Cell:
    sub = f"variant {row.covered_by}" if row.covered_by is not None else ""
    return Cell(row.word.capitalize(), sub=sub, kind=_LOOKS[row.word])


def _variant(row: DepartureRow) -> Cell:
    href = variant_address(row.code, row.site_id, row.channel_id) if row.word != "covered" else ""
    return Cell("Request a variant" if href else "–", href=href, muted=not href)


DEPARTURE_LIST = list_page(
    blueprint,
    Listing(
        name="departures", endpoint="conformance.departures", path="/conformance/departures", permission=Permission.MEASURE_VIEW,
        title="Departures from the standard", lead="Each with its journey, and the variant that covered it where one did",
        unit="departures", source=DEPARTURES, sort="-at",
        empty=Empty(title="No departure fits", sign="pass", text="What is found from the events of journeys comes here by itself."),
        filters=(
            choice("word", DEPARTURE_CLASSES, label="Class"), site_filter(), channel_filter(),
            pick("process", "Process", lambda _: [(one.key, one.title) for one in PROCESSES.values()]),
            pick("code", "Departure", lambda _: sorted(((one.code, one.title) for one in RULES.values()), key=lambda o: o[1])),
            day_filter("since", "From"), day_filter("until", "To"), key_filter("journey", "Journey"),
        ),
        columns=(
            column("code", "Departure", cell=lambda row: Cell(row.rule.title, sub=step_words(row.rule.step))),
            column("title", "What it is called", lambda row: row.rule.title, file_only=True),
            column("standard", "Standard", lambda row: row.rule.standard, file_only=True),
            column("step", "Step", lambda row: row.rule.step, file_only=True),
            column("process", "Process", lambda row: PROCESSES[row.process].title),
            column("journey", "Journey", "number", cell=_journey),
            column("kind", "Document", file_only=True),
            column("site", "Site"),
            column("channel", "Channel", file_only=True),
            column("at", "When", cell=lambda row: Cell(ago(row.at), sub=moment(row.at))),
            column("word", "Class", cell=_class),
            column("covered_by", "Variant", file_only=True),
            column("variant", "", cell=_variant, value=lambda _: "", page_only=True),
        ),
    ),
)  # fmt: skip
