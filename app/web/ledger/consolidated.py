"""The books of all companies in one currency: each translated beside the others, with the rates that did it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import render_template, request, url_for

from app.composition.request import now, reader
from app.messages import sentence
from app.queries.consolidation import AskedGroup, GroupPage, group_page
from app.queries.places import EntityPick, entities_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.chosen import asked_realm, said_realm
from app.web.exports import csv_file, xlsx_file
from app.web.ledger.reports import TITLES, asked_period, in_words, span_in_words
from app.web.ledger.views import blueprint
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.money import from_minor
from erpcore.ledger.statements import Report, Row, Section

_LEADS = {
    Report.TRIAL_BALANCE: "What each account holds at the end, of all companies in one currency",
    Report.PROFIT_AND_LOSS: "Income less cost and expenses of all companies, each month at its average rate",
    Report.BALANCE_SHEET: "What all companies have and owe, at the rate of the last day",
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the address asks for, as far as it makes sense."""

    asked: AskedGroup
    turned: bool
    currencies: list[str]


def _wanted() -> Wanted | None:
    """Read the address; ``None`` for who sees no company of the realm. Raises ``NotFound`` for a currency that none of them keeps."""
    realm = asked_realm()
    companies = [one for one in entities_seen(reader(), actor()) if one.realm == realm]
    if not companies:
        return None
    currencies = sorted({one.currency for one in companies})
    currency = request.args.get("currency", "").strip().upper() or _usual(companies)
    if currency not in currencies:
        raise NotFound("currency_of_none", field="currency", currency=currency)
    # Where it is tomorrow already is of no matter: the books of all are read up to one day.
    period, turned = asked_period(min(local_day(now(), one.time_zone) for one in companies))
    name = request.args.get("report", "")
    report = Report(name) if name in set(Report) else Report.BALANCE_SHEET
    asked = AskedGroup(report=report, companies=companies, currency=currency, period=period)
    return Wanted(asked=asked, turned=turned, currencies=currencies)


def _usual(companies: list[EntityPick]) -> str:
    """The currency of the company that was there first."""
    return min(companies, key=lambda one: one.id).currency


def _address(asked: AskedGroup, kind: str = "", **changes: Any) -> str:
    values: dict[str, Any] = {
        "report": asked.report.value, "currency": asked.currency, "since": asked.period.since, "until": asked.period.until,
        **said_realm(asked.companies[0].realm),
    }  # fmt: skip
    return url_for(f"ledger.show_consolidated{kind}", **{**values, **changes})


def _behind(page: GroupPage, place: int, row: Row) -> str:
    """The lines of the company's account, in its own currency; empty for what is derived."""
    if row.account is None or (row.account.id, place) not in page.places:
        return ""
    since = page.asked.period.since if page.asked.report is Report.PROFIT_AND_LOSS else None
    return url_for(
        "ledger.show_lines", entity=page.asked.companies[place].id, account=page.places[row.account.id, place], since=since,
        until=page.asked.period.until,
    )  # fmt: skip


def _tabs(asked: AskedGroup) -> list[dict[str, Any]]:
    """The reports of all companies, and the way back to those of one."""
    tabs = [
        {"label": TITLES[one], "current": one is asked.report, "href": _address(asked, report=one.value)}
        for one in Report
    ]
    days: dict[str, Any] = {"since": asked.period.since, "until": asked.period.until}
    one_company = url_for(f"ledger.report_{asked.report.value.replace('-', '_')}", **days)
    return [*tabs, {"label": "One company", "current": False, "href": one_company}]


def _shown(rate: Decimal) -> str:
    """At least four places, so that rates of a column stand under each other."""
    whole, _, part = f"{rate.normalize():f}".partition(".")
    return f"{whole}.{part.ljust(4, '0')}"


@blueprint.get("/ledger/consolidated")
@require(Permission.LEDGER_READ)
def show_consolidated() -> Any:
    wanted = _wanted()
    if wanted is None:
        return render_template(
            "ledger/consolidated.html", wanted=None, page=None, title=TITLES[Report.BALANCE_SHEET], realm=asked_realm()
        )
    asked, page, refusal = wanted.asked, None, ""
    try:
        page = group_page(reader(), actor(), asked)
    except RuleBroken as missing:
        refusal = sentence(missing)
    html = render_template(
        "ledger/consolidated.html", wanted=wanted, asked=asked, page=page, refusal=refusal, title=TITLES[asked.report],
        lead_text=_LEADS[asked.report], realm=asked.companies[0].realm, is_part=actor().sites is not None,
        days=span_in_words(asked.period.since, asked.period.until),
        reports=_tabs(asked), rate=_shown, month=lambda first: f"{first:%B %Y}", day=in_words,
        behind=lambda place, row: _behind(page, place, row) if page else "", to_file=lambda kind: _address(asked, f"_{kind}"),
    )  # fmt: skip
    return html, 422 if refusal else 200


def _file(kind: str) -> Any:
    wanted = _wanted()
    if wanted is None:
        raise NotFound("not_found")
    asked = wanted.asked
    page = group_page(reader(), actor(), asked)
    heads = ["Section", "Account", "Name", *(one.code for one in asked.companies), f"All in {asked.currency}"]

    def line(section: Section, row: Row) -> list[Any]:
        account = row.account
        figures = [from_minor(one, asked.currency) for one in row.figures]
        return [section.title, account.code if account else "", account.name if account else row.label, *figures]

    def rows() -> Iterator[list[Any]]:
        for section in page.statement.sections:
            for row in (*section.rows, section.total):
                yield line(section, row)
            if section.title in page.statement.results:
                yield line(section, page.statement.results[section.title])

    name = f"consolidated-{asked.report.value}-{asked.currency}-{asked.period.since}-{asked.period.until}"
    return (csv_file if kind == "csv" else xlsx_file)(name, heads, rows())


@blueprint.get("/ledger/consolidated.csv")
@require(Permission.LEDGER_READ)
def show_consolidated_csv() -> Any:
    return _file("csv")


@blueprint.get("/ledger/consolidated.xlsx")
@require(Permission.LEDGER_READ)
def show_consolidated_xlsx() -> Any:
    return _file("xlsx")
