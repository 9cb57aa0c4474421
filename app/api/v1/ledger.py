"""The books for programs: reports of any days, whole entries, and the posting rules they are kept by."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from app.api.companies import of_company
from app.api.framework import operation
from app.api.lists import listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount
from app.api.values import Amount, Answer, Body, Page, PageQuery
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.journal_lines import LINES, WHOLE_ENTRIES, LineRow, WholeEntry
from app.queries.places import sites_seen
from app.queries.posting_rules import rules_with_examples
from app.queries.posting_trials import Event, Means, find_waiting, would_post
from app.queries.statements import Adds, AskedReport, By, Figure, report_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.rule_shape import RuleSide
from erpcore.ledger.statements import Period, Report, Row

TAG = "Ledger"


#: A site or channel; 0 for entries of none.
PartKey = Annotated[int, Field(ge=0, le=2**63 - 1)]


class ReportQuery(Body):
    """Which report: from the first of the month until today unless `since` and `until` say otherwise, both included. `site` and
    `channel` 0: only what belongs to none. `start` leaves so many segments out, where there are more than have columns.
    """

    report: Report
    entity: Key
    since: date | None = None
    until: date | None = None
    site: PartKey | None = None
    channel: PartKey | None = None
    by: By = Field(By.NOTHING, description="Segments beside each other; a cell is a site and a channel.")
    figure: Figure = Field(Figure.CLOSING, description="What segments show of a trial balance.")
    start: int = Field(0, ge=0, le=100_000)

    @model_validator(mode="after")
    def _begins_first(self) -> ReportQuery:
        if self.since and self.until and self.since > self.until:
            raise ValueError("the period ends before it begins")
        return self


class ReportColumnAnswer(Answer):
    """Whose lines a column adds up, from the beginning where `since` is null. `site` and `channel`: those of a segment, 0 for
    entries of none, null where it is apart by none. `adds`: a part, the others that have no column, or all. `is_change`: the
    first less the second.
    """

    label: str
    adds: Adds
    since: date | None
    until: date | None
    site: int | None
    channel: int | None
    is_change: bool


class ReportRowAnswer(Answer):
    """A row with a figure for each column; `account` is null for what is derived."""

    label: str
    account: int | None
    figures: list[Amount]


class ReportSectionAnswer(Answer):
    """Rows and what they come to; `result` stands after it where the report has one."""

    title: str
    rows: list[ReportRowAnswer]
    total: ReportRowAnswer
    result: ReportRowAnswer | None


class ReportAnswer(Answer):
    """A report of a company. `check` is nil everywhere when the books balance. `others`: so many segments have no column;
    `beyond`: the `start` that shows the next of them, 0 for none.
    """

    report: str
    currency: str
    columns: list[ReportColumnAnswer]
    sections: list[ReportSectionAnswer]
    check: list[Amount]
    others: int
    beyond: int


class EntryLineAnswer(Answer):
    """A side of an entry."""

    line_no: int
    account_id: int
    account: str
    party: str | None
    debit: Amount
    credit: Amount


class EntryAnswer(Answer):
    """An entry with its lines; never changed once it is there."""

    id: int
    entity_id: int
    site_id: int | None
    channel_id: int | None
    entry_on: date
    rule: str
    document_type: str
    document_id: int
    reverses_id: int | None
    currency: str
    text: str | None
    lines: list[EntryLineAnswer]


class EntryQuery(PageQuery):
    """Which entries."""

    text: str = part_of("the entry's words")
    entity: Key | None = which("Only those of this company's books; without it, of all that the caller sees.")
    rule: str | None = Field(None, max_length=48, description="Only those that this posting rule made.")
    day: date | None = which("Only those of this day.")
    since: date | None = which("The first day.")
    until: date | None = which("The last day.")
    account: Key | None = which("Only those with a line on this account.")


class LineAnswer(Answer):
    """A side of an entry, with what the entry says."""

    entry_id: int
    line_no: int
    entry_on: date
    rule: str
    document_type: str
    document_id: int
    text: str | None
    account: str
    party: str | None
    entity: str
    site: str | None
    channel: str | None
    currency: str
    debit: Amount
    credit: Amount


class LineQuery(PageQuery):
    """Which lines."""

    entity: Key | None = which("Only those of this company's books; without it, of all that the caller sees.")
    account: Key | None = which("Only those on this account.")
    since: date | None = which("The first day.")
    until: date | None = which("The last day.")
    site: Key | None = which("Only those of this site.")
    channel: Key | None = which("Only those of this channel.")
    siteless: bool = only("those of no site")
    channelless: bool = only("those of no channel")


class RuleSideAnswer(Answer):
    """An account by its role. `may_turn`: its amount may also come on the other side."""

    role: str
    may_turn: bool


class RuleAnswer(Answer):
    """What posts when; `example` is one of its newest entries that the token sees."""

    name: str
    document: str
    journal: str
    event: str
    when: str
    debits: list[RuleSideAnswer]
    credits: list[RuleSideAnswer]
    example: int | None


class TrialBody(Body):
    """Which event would happen to which document; `amount`: what a goods receipt costs more."""

    event: Event
    document: Key
    amount: Decimal | None = Field(None, description="Of `late_cost` alone.")


class TriedEntry(Answer):
    """An entry as it would be posted; it has no id, for there is none."""

    entity_id: int
    site_id: int | None
    channel_id: int | None
    entry_on: date
    rule: str
    document_type: str
    currency: str
    text: str | None
    lines: list[EntryLineAnswer]


class TrialAnswer(Answer):
    """What would be posted; none where no amount moves."""

    entries: list[TriedEntry]


class RuleList(Answer):
    """The table that the books are kept by."""

    count: int
    items: list[RuleAnswer]


@operation("GET", "/ledger/reports", permission=Permission.LEDGER_READ, summary="A report of the books", tag=TAG, query=ReportQuery, answer=ReportAnswer)  # fmt: skip
def show_report(query: ReportQuery) -> ReportAnswer:
    company = of_company(query.entity)
    if query.site and query.site not in {
        one.id for one in sites_seen(reader(), actor()) if one.entity_id == company.id
    }:
        raise NotFound("site_unknown", site=query.site)
    until = query.until or max(local_day(now(), company.time_zone), query.since or date.min)
    since = query.since or until.replace(day=1)
    asked = AskedReport(
        report=query.report, entity=company.id, period=Period(since=since, until=until), site=query.site,
        channel=query.channel, by=query.by, figure=query.figure, start=query.start,
    )  # fmt: skip
    page = report_page(reader(), actor(), asked)
    code = company.currency

    def row(one: Row) -> ReportRowAnswer:
        account = one.account.id if one.account else None
        return ReportRowAnswer(
            label=one.label, account=account, figures=[as_amount(minor, code) for minor in one.figures]
        )

    results = page.statement.results
    return ReportAnswer(
        report=query.report, currency=code, check=[as_amount(minor, code) for minor in page.statement.check],
        others=page.others, beyond=page.beyond,
        columns=[
            ReportColumnAnswer(
                label=one.label, adds=one.adds, since=one.since, until=one.until, site=one.site, channel=one.channel,
                is_change=one.is_change,
            )
            for one in page.columns
        ],
        sections=[
            ReportSectionAnswer(
                title=one.title, rows=[row(each) for each in one.rows], total=row(one.total),
                result=row(results[one.title]) if one.title in results else None,
            )
            for one in page.statement.sections
        ],
    )  # fmt: skip


def _lines_of(one: WholeEntry) -> list[EntryLineAnswer]:
    return [
        EntryLineAnswer(
            line_no=line.line_no, account_id=line.account_id, account=line.account, party=line.party,
            debit=as_amount(line.debit_minor, one.currency), credit=as_amount(line.credit_minor, one.currency),
        )
        for line in one.lines
    ]  # fmt: skip


def _entry(one: WholeEntry) -> EntryAnswer:
    return EntryAnswer(
        id=one.id, entity_id=one.entity_id, site_id=one.site_id, channel_id=one.channel_id, entry_on=one.entry_on,
        rule=one.rule, document_type=one.document_type, document_id=one.document_id, reverses_id=one.reverses_id,
        currency=one.currency, text=one.text, lines=_lines_of(one),
    )  # fmt: skip


@operation("GET", "/ledger/entries", permission=Permission.LEDGER_READ, summary="Entries with their lines", tag=TAG, query=EntryQuery, answer=Page[EntryAnswer])  # fmt: skip
def list_entries(query: EntryQuery) -> Page[EntryAnswer]:
    if query.entity is not None:
        of_company(query.entity)
    return listed(WHOLE_ENTRIES, query, _entry)


def _line(row: LineRow) -> LineAnswer:
    own = {name: getattr(row, name) for name in LineAnswer.model_fields if name not in ("debit", "credit")}
    debit, credit = (as_amount(minor, row.currency) for minor in (row.debit_minor, row.credit_minor))
    return LineAnswer(debit=debit, credit=credit, **own)


@operation("GET", "/ledger/lines", permission=Permission.LEDGER_READ, summary="Lines of entries", tag=TAG, query=LineQuery, answer=Page[LineAnswer])  # fmt: skip
def list_ledger_lines(query: LineQuery) -> Page[LineAnswer]:
    """By day, then by entry: what is posted later on an earlier day stands before it."""
    return listed(LINES, query, _line, key=lambda row: (row.entry_on, row.entry_id, row.line_no))


def _sides(all_sides: tuple[RuleSide, ...]) -> list[RuleSideAnswer]:
    return [RuleSideAnswer(role=side.role, may_turn=side.may_turn) for side in all_sides]


@operation("GET", "/posting-rules", permission=Permission.LEDGER_READ, summary="The posting rules", tag=TAG, answer=RuleList)  # fmt: skip
def list_posting_rules() -> RuleList:
    items = [
        RuleAnswer(
            name=row.rule.name, document=row.rule.document, journal=row.rule.journal, event=row.rule.event, when=row.rule.when,
            debits=_sides(row.rule.debits), credits=_sides(row.rule.credits), example=row.example,
        )
        for row in rules_with_examples(reader(), actor())
    ]  # fmt: skip
    return RuleList(count=len(items), items=items)


@operation(
    "POST", "/posting-trials", permission=Permission.LEDGER_READ, summary="What an event would post; nothing is written", tag=TAG,
    body=TrialBody, answer=TrialAnswer, example={"event": "shipment", "document": 1203},
)  # fmt: skip
def try_posting(work: UnitOfWork, body: TrialBody) -> TrialAnswer:
    """The services that post are asked, and all of it is taken back. What the event would be refused with is the refusal here."""
    document = find_waiting(work.session, work.actor, body.event, body.document)
    work.realm = document.realm
    found = would_post(work, document, Means(rules(), cells(), body.amount))
    return TrialAnswer(
        entries=[
            TriedEntry(
                entity_id=one.entity_id, site_id=one.site_id, channel_id=one.channel_id, entry_on=one.entry_on, rule=one.rule,
                document_type=one.document_type, currency=one.currency, text=one.text, lines=_lines_of(one),
            )
            for one in found
        ]
    )  # fmt: skip
