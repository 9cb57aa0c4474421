"""Trial balance, profit and loss and balance sheet: any days and segment, each figure a way to what it adds up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from flask import render_template, request, url_for

from app.composition.request import now, reader
from app.queries.places import EntityPick, all_channels, entities_seen, sites_seen
from app.queries.statements import Adds, AskedReport, By, Figure, ReportColumn, ReportPage, report_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.exports import csv_file, xlsx_file
from app.web.ledger.views import blueprint
from erpcore.kernel.clock import local_day, out_of_time
from erpcore.kernel.errors import NotFound
from erpcore.kernel.money import from_minor
from erpcore.ledger.statements import RESULT_OF_YEAR, Period, Report, Row, Section

_DAY = timedelta(days=1)
TITLES = {
    Report.TRIAL_BALANCE: "Trial balance of a period", Report.PROFIT_AND_LOSS: "Profit and loss",
    Report.BALANCE_SHEET: "Balance sheet",
}  # fmt: skip
BY_WORDS = {
    By.NOTHING: "The period before", By.SITE: "Sites", By.CHANNEL: "Channels", By.CELL: "Sites and channels",
}  # fmt: skip
_LEADS = {
    Report.TRIAL_BALANCE: "What each account held before the period, what the period added, and what it holds after",
    Report.PROFIT_AND_LOSS: "Income less cost and expenses; follow any figure to the entries behind it",
    Report.BALANCE_SHEET: "What the company has and owes; the result is derived from its accounts and posted nowhere",
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the address asks for, as far as it makes sense. ``turned``: the days came the other way round."""

    entity: EntityPick
    asked: AskedReport
    turned: bool


def _asked_day(name: str) -> date | None:
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return None if out_of_time(found) else found


def entity_wanted() -> EntityPick | None:
    """The company that the address asks for, or the first; ``None`` for who sees none. Raises ``NotFound`` for another's."""
    entities, key = entities_seen(reader(), actor()), asked_key("entity")
    entity = next((one for one in entities if one.id == key), None) if key is not None else next(iter(entities), None)
    if entity is None and key is not None:
        raise NotFound("not_found")
    return entity


def asked_period(today: date) -> tuple[Period, bool]:
    """The days that the address asks for, this month unless it says otherwise, and whether they came the other way round."""
    until = _asked_day("until") or today
    since = _asked_day("since") or until.replace(day=1)
    return Period(since=min(since, until), until=max(since, until)), since > until


def _wanted(report: Report) -> Wanted | None:
    """Read the address; ``None`` for who sees no company. Raises ``NotFound`` for another's company, site or channel."""
    entity = entity_wanted()
    if entity is None:
        return None
    site, channel = asked_key("site"), asked_key("channel")
    if site and site not in {one.id for one in sites_seen(reader(), actor()) if one.entity_id == entity.id}:
        raise NotFound("site_unknown", site=site)
    if channel and channel not in {one.id for one in all_channels(reader())}:
        raise NotFound("not_found")
    period, turned = asked_period(local_day(now(), entity.time_zone))
    by, figure = request.args.get("by", ""), request.args.get("figure", "")
    asked = AskedReport(
        report=report, entity=entity.id, period=period, site=site, channel=channel,
        by=By(by) if by in set(By) else By.NOTHING, figure=Figure(figure) if figure in set(Figure) else Figure.CLOSING,
        start=max(asked_key("start") or 0, 0),
    )  # fmt: skip
    return Wanted(entity=entity, asked=asked, turned=turned)


def in_words(day: date) -> str:
    """A day in the head of a column."""
    return f"{day.day} {day:%b %Y}"


def span_in_words(since: date, until: date) -> str:
    """The days of a period, month and year said once where they are the same."""
    if since.year != until.year:
        return f"{in_words(since)} – {in_words(until)}"
    return f"{since.day}{'' if since.month == until.month else f' {since:%b}'} – {in_words(until)}"


def head(column: ReportColumn) -> str:
    """What stands over a column of figures."""
    if column.adds is not Adds.PERIOD or column.until is None:
        return column.label
    return in_words(column.until) if column.since is None else span_in_words(column.since, column.until)


def behind(asked: AskedReport, column: ReportColumn, row: Row) -> str:
    """The address of what a figure adds up: its lines, or of the year's result its profit and loss; empty for other sums."""
    site = asked.site if column.site is None else column.site
    channel = asked.channel if column.channel is None else column.channel
    if column.adds in (Adds.CHANGE, Adds.OTHERS) or column.until is None:
        return ""
    if row.account is None and row.label == RESULT_OF_YEAR:
        year = column.until.replace(month=1, day=1)
        return _address(
            asked, report=Report.PROFIT_AND_LOSS, since=year, until=column.until, site=site, channel=channel, by=None
        )
    if row.account is None:
        return ""
    return url_for(
        "ledger.show_lines", entity=asked.entity, account=row.account.id, since=column.since, until=column.until,
        site=site or None, channel=channel or None, siteless=1 if site == 0 else None,
        channelless=1 if channel == 0 else None,
    )  # fmt: skip


def _address(asked: AskedReport, *, report: Report | None = None, kind: str = "", **changes: Any) -> str:
    """The same question otherwise."""
    values: dict[str, Any] = {
        "entity": asked.entity, "since": asked.period.since, "until": asked.period.until, "site": asked.site,
        "channel": asked.channel, "by": asked.by or None, "start": asked.start or None,
        "figure": asked.figure if asked.by and asked.figure is not Figure.CLOSING else None,
    }  # fmt: skip
    return url_for(f"ledger.{_endpoint(report or asked.report)}{kind}", **{**values, **changes})


def report_tabs(asked: AskedReport | None, entity: int, period: Period) -> list[dict[str, Any]]:
    """The reports beside each other, of the same company and days; ``asked``: the one that is shown, none for the margin."""
    if asked is not None:
        tabs = [
            {"label": TITLES[one], "current": one is asked.report, "href": _address(asked, report=one, start=None)}
            for one in Report
        ]
    else:
        whole: dict[str, Any] = {"entity": entity, "since": period.since, "until": period.until}
        tabs = [
            {"label": TITLES[one], "current": False, "href": url_for(f"ledger.{_endpoint(one)}", **whole)}
            for one in Report
        ]
    margin = url_for("ledger.show_margin", entity=entity, since=period.since, until=period.until)
    group = url_for("ledger.show_consolidated", since=period.since, until=period.until)
    return [
        *tabs, {"label": "Margin", "current": asked is None, "href": margin},
        {"label": "All companies", "current": False, "href": group},
    ]  # fmt: skip


def _endpoint(report: Report) -> str:
    return f"report_{report.value.replace('-', '_')}"


def _periods(asked: AskedReport, today: date) -> list[dict[str, Any]]:
    """The periods that are one press away."""
    month = today.replace(day=1)
    last_month = (month - _DAY).replace(day=1)
    quarter = today.replace(month=3 * ((today.month - 1) // 3) + 1, day=1)
    named = (
        ("This month", month, today), ("Last month", last_month, month - _DAY), ("This quarter", quarter, today),
        ("This year", date(today.year, 1, 1), today), ("Last year", date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    )  # fmt: skip
    chosen = (asked.period.since, asked.period.until)
    return [
        {
            "label": label,
            "on": (since, until) == chosen,
            "href": _address(asked, since=None, until=None)
            if (since, until) == chosen
            else _address(asked, since=since, until=until),
        }
        for label, since, until in named
    ]


def show_report(report: Report) -> Any:
    """The page of a report."""
    wanted = _wanted(report)
    page = report_page(reader(), actor(), wanted.asked) if wanted else None
    entity = wanted.entity if wanted else None
    context: dict[str, Any] = {
        "entity": entity,
        "page": page,
        "wanted": wanted,
        "realm": entity.realm if entity else "live",
    }
    if wanted and entity:
        asked = wanted.asked
        context |= {
            "periods": _periods(asked, local_day(now(), entity.time_zone)), "asked": asked,
            "reports": report_tabs(asked, asked.entity, asked.period),
            "entities": entities_seen(reader(), actor()), "head": head, "behind": partial(behind, asked),
            "sites": [one for one in sites_seen(reader(), actor()) if one.entity_id == entity.id],
            "channels": all_channels(reader()), "to_file": lambda kind: _address(asked, kind=f"_{kind}"),
            "own": url_for(f"ledger.{_endpoint(report)}"), "is_part": actor().sites is not None, "by_words": BY_WORDS,
            "figures": list(Figure), "days": span_in_words(asked.period.since, asked.period.until),
            "beyond": _address(asked, start=page.beyond or None) if page and page.others else "",
        }  # fmt: skip
    return render_template(
        "ledger/report.html", report=report, title=TITLES[report], lead_text=_LEADS[report], **context
    )


def _file(wanted: Wanted, page: ReportPage) -> tuple[list[str], Iterator[list[Any]]]:
    """The report as rows: section, account code, what it is, and a number for each column."""
    heads = ["Section", "Account", "Name", *(head(column) for column in page.columns)]

    def line(section: Section, row: Row) -> list[Any]:
        figures: list[Decimal] = [from_minor(one, wanted.entity.currency) for one in row.figures]
        account = row.account
        return [section.title, account.code if account else "", account.name if account else row.label, *figures]

    def rows() -> Iterator[list[Any]]:
        for section in page.statement.sections:
            for row in (*section.rows, section.total):
                yield line(section, row)
            if section.title in page.statement.results:
                yield line(section, page.statement.results[section.title])

    return heads, rows()


def report_file(report: Report, kind: str) -> Any:
    """The same report as a file."""
    wanted = _wanted(report)
    if wanted is None:
        raise NotFound("not_found")
    heads, rows = _file(wanted, report_page(reader(), actor(), wanted.asked))
    period = wanted.asked.period
    segments = f"-by-{wanted.asked.by}" if wanted.asked.by else ""
    name = f"{report.value}{segments}-{wanted.entity.code}-{period.since}-{period.until}"
    return (csv_file if kind == "csv" else xlsx_file)(name, heads, rows)


def _serve(report: Report) -> None:
    guard, path = require(Permission.LEDGER_READ), f"/ledger/{report.value}"
    blueprint.add_url_rule(path, _endpoint(report), guard(partial(show_report, report)))
    for kind in ("csv", "xlsx"):
        blueprint.add_url_rule(
            f"{path}.{kind}", f"{_endpoint(report)}_{kind}", guard(partial(report_file, report, kind))
        )


for _report in Report:
    _serve(_report)
