"""Payouts of partners for programs: handed in as files, matched, posted, reversed; what partners owe or left unexplained."""

from __future__ import annotations

from hashlib import sha256
from typing import IO, Any, NamedTuple

from app.api.framework import check_version, operation
from app.api.lists import listed
from app.api.v1.numbers import as_amount, as_minor, fresh
from app.api.v1.settlement_models import (
    DocumentBody,
    HandInQuery,
    KindAnswer,
    MappingBody,
    NewPartnerBody,
    OffsetBody,
    OwedAnswer,
    OwedQuery,
    PartnerAnswer,
    PartnerBody,
    PartnerQuery,
    PayoutAnswer,
    PayoutDetail,
    PayoutDocumentAnswer,
    PayoutLineAnswer,
    PayoutQuery,
    TransferAnswer,
    TransferBody,
    WhyBody,
)
from app.api.v1.warehouse_models import Made
from app.api.values import Page
from app.composition.request import reader
from app.importers.bankfiles.values import MOST_BYTES
from app.importers.payoutfiles import PayoutMapping, keep_mapping, take_payout_file
from app.queries.places import realm_of_site
from app.queries.settlement import (
    PARTNERS,
    PAYOUTS,
    PartnerRow,
    PayoutRow,
    partner_row,
    payout_of_line,
    payout_page,
    payout_row,
)
from app.queries.settlement_owed import OWED, OwedRow
from app.queries.settlement_transfers import transfer_offers
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.settling.explaining import accept_difference, offset_differences
from erpcore.billing.settling.matching import choose_document, match_again
from erpcore.billing.settling.posting import post_payout, reverse_payout
from erpcore.billing.settling.taking import PartnerContent, add_partner, change_partner
from erpcore.billing.settling.transfers import PayoutByLine, receive_transfers
from erpcore.kernel.work import UnitOfWork

TAG = "Settlement"


class Content(NamedTuple):
    """A file that came, and by what it is known again."""

    data: bytes
    digest: str


def _read(query: HandInQuery, file: IO[bytes]) -> Content:
    data = file.read(MOST_BYTES + 1)
    return Content(data, sha256(data).hexdigest())


def _partner(row: PartnerRow) -> PartnerAnswer:
    names = (
        "id",
        "code",
        "name",
        "site_id",
        "site",
        "channel_id",
        "channel",
        "currency",
        "fee_rate",
        "waiting",
        "version",
    )
    return PartnerAnswer(
        **{name: getattr(row, name) for name in names}, is_mapped=row.mapping is not None,
        owed=as_amount(row.paid_out_minor, row.currency), reserve=as_amount(row.reserve_minor, row.currency),
        unexplained=as_amount(row.unexplained_minor, row.currency),
    )  # fmt: skip


def _facts(row: PayoutRow) -> dict[str, Any]:
    names = (
        "id",
        "reference",
        "partner_id",
        "partner",
        "site_id",
        "state",
        "fault",
        "currency",
        "taken_at",
        "posted_at",
        "version",
    )
    sums = ("gross", "transfer", "paid", "owed", "unexplained")
    return {name: getattr(row, name) for name in names} | {
        name: as_amount(getattr(row, f"{name}_minor"), row.currency) for name in sums
    }


def _payout(row: PayoutRow) -> PayoutAnswer:
    return PayoutAnswer(**_facts(row))


def _detail(payout: int, work: UnitOfWork | None = None) -> PayoutDetail:
    session, who = (fresh(work), work.actor) if work else (reader(), actor())
    page = payout_page(session, who, payout, page=None)
    code = page.row.currency
    own = (
        "id", "line_no", "kind", "booked_on", "order_reference", "text", "fault", "result", "confidence", "explanation",
    )  # fmt: skip
    return PayoutDetail(
        **_facts(page.row),
        kinds=[
            KindAnswer(
                kind=one.kind, lines=one.lines, amount=as_amount(one.amount_minor, code),
                unexplained=as_amount(one.unexplained_minor, code),
            )
            for one in page.kinds
        ],
        lines=[
            PayoutLineAnswer(
                **{name: getattr(one, name) for name in own}, tax=as_amount(one.tax_minor, code),
                amount=None if one.amount_minor is None else as_amount(one.amount_minor, code),
                unexplained=as_amount(one.open_minor, code),
                documents=[
                    PayoutDocumentAnswer(id=it.id, number=it.number, is_credit=it.is_credit, amount=as_amount(it.minor, code))
                    for it in one.documents
                ],
            )
            for one in page.lines
        ],
        transfers=[
            TransferAnswer(
                bank_line=one.line, booked_on=one.booked_on, amount=as_amount(one.amount_minor, code), confidence=one.confidence,
                why=one.why,
            )
            for one in transfer_offers(session, page.row)
        ],
    )  # fmt: skip


@operation(
    "GET", "/settlement-partners", permission=Permission.INVOICE_READ, summary="List partners that sell for us", tag=TAG,
    query=PartnerQuery, answer=Page[PartnerAnswer],
)  # fmt: skip
def list_partners(query: PartnerQuery) -> Page[PartnerAnswer]:
    return listed(PARTNERS, query, _partner)


@operation(
    "POST", "/settlement-partners", permission=Permission.PARTNER_KEEP, summary="Add a partner that sells for us", tag=TAG,
    body=NewPartnerBody, answer=Made, status=201,
    example={"site": 1001, "channel": 1002, "code": "bazaar", "name": "Bazaar", "fee_rate": "0.12"},
)  # fmt: skip
def add_settlement_partner(work: UnitOfWork, body: NewPartnerBody) -> Made:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    content = PartnerContent(name=body.name, fee_rate=body.fee_rate)
    return Made(id=add_partner(work, body.site, body.channel, code=body.code, content=content))


@operation(
    "POST", "/settlement-partners/{partner_id}", permission=Permission.PARTNER_KEEP,
    summary="Say anew what was agreed with a partner", tag=TAG, body=PartnerBody, answer=PartnerAnswer, versioned=True,
    example={"name": "Bazaar", "fee_rate": "0.15"},
)  # fmt: skip
def change_settlement_partner(work: UnitOfWork, partner_id: int, body: PartnerBody, version: int) -> PartnerAnswer:
    row = partner_row(work.session, work.actor, partner_id)
    check_version(version, row.version)
    work.realm = row.realm
    change_partner(work, partner_id, PartnerContent(name=body.name, fee_rate=body.fee_rate), seen_version=version)
    return _partner(partner_row(fresh(work), work.actor, partner_id))


@operation(
    "POST", "/settlement-partners/{partner_id}/mapping", permission=Permission.PARTNER_KEEP,
    summary="Say how a partner's files are read", tag=TAG, body=MappingBody, answer=PartnerAnswer,
    example={"day": "Date", "kind": "Type", "order": "Order", "amount": "Amount", "kinds": {"Order": "sale"}},
)  # fmt: skip
def map_settlement_partner(work: UnitOfWork, partner_id: int, body: MappingBody) -> PartnerAnswer:
    work.realm = partner_row(work.session, work.actor, partner_id).realm
    keep_mapping(work, partner_id, PayoutMapping(**body.model_dump(mode="json")))
    return _partner(partner_row(fresh(work), work.actor, partner_id))


@operation(
    "GET", "/partner-payouts", permission=Permission.INVOICE_READ, summary="List payouts of partners", tag=TAG,
    query=PayoutQuery, answer=Page[PayoutAnswer],
)  # fmt: skip
def list_payouts(query: PayoutQuery) -> Page[PayoutAnswer]:
    return listed(PAYOUTS, query, _payout)


@operation(
    "POST", "/partner-payouts", permission=Permission.PAYOUT_IMPORT,
    summary="Hand a partner's payout in: CSV or a workbook, by the partner's mapping", tag=TAG, query=HandInQuery,
    answer=PayoutDetail, status=201, takes_file=True, prepare=_read,
)  # fmt: skip
def hand_payout_in(work: UnitOfWork, query: HandInQuery, prepared: Content) -> PayoutDetail:
    row = partner_row(work.session, work.actor, query.partner)
    work.realm = row.realm
    total = None if query.total is None else as_minor(query.total, row.currency, "total")
    taken = take_payout_file(work, row.id, prepared.data, query.file_name, reference=query.reference, total_minor=total)
    return _detail(taken.id, work)


@operation(
    "GET", "/partner-payouts/{payout_id}", permission=Permission.INVOICE_READ, summary="One payout with its lines", tag=TAG,
    answer=PayoutDetail,
)  # fmt: skip
def show_payout(payout_id: int) -> PayoutDetail:
    return _detail(payout_id)


@operation(
    "POST", "/partner-payouts/{payout_id}/match", permission=Permission.PAYOUT_POST,
    summary="Set the lines of a payout against our documents anew", tag=TAG, answer=PayoutDetail, versioned=True,
)  # fmt: skip
def match_payout(work: UnitOfWork, payout_id: int, version: int) -> PayoutDetail:
    _seen(work, payout_id, version)
    match_again(work, payout_id, seen_version=version)
    return _detail(payout_id, work)


@operation(
    "POST", "/partner-payouts/{payout_id}/post", permission=Permission.PAYOUT_POST, summary="Post a payout", tag=TAG,
    answer=PayoutDetail, versioned=True,
)  # fmt: skip
def post_partner_payout(work: UnitOfWork, payout_id: int, version: int) -> PayoutDetail:
    _seen(work, payout_id, version)
    post_payout(work, payout_id, seen_version=version)
    return _detail(payout_id, work)


@operation(
    "POST", "/partner-payouts/{payout_id}/reverse", permission=Permission.PAYOUT_POST,
    summary="Take a posted payout out of the books; it waits as before", tag=TAG, body=WhyBody, answer=PayoutDetail,
    versioned=True, example={"reason": "posted for the wrong partner"},
)  # fmt: skip
def reverse_partner_payout(work: UnitOfWork, payout_id: int, body: WhyBody, version: int) -> PayoutDetail:
    _seen(work, payout_id, version)
    reverse_payout(work, payout_id, reason=body.reason, seen_version=version)
    return _detail(payout_id, work)


@operation(
    "POST", "/partner-payouts/{payout_id}/transfers", permission=Permission.RECEIPT_APPLY,
    summary="Say that an entry of the bank is the money of a payout", tag=TAG, body=TransferBody, answer=PayoutDetail,
    example={"bank_line": 2001},
)  # fmt: skip
def receive_payout_transfer(work: UnitOfWork, payout_id: int, body: TransferBody) -> PayoutDetail:
    work.realm = payout_row(work.session, work.actor, payout_id).realm
    receive_transfers(work, [PayoutByLine(line=body.bank_line, payout=payout_id)])
    return _detail(payout_id, work)


@operation(
    "POST", "/partner-payout-lines/{line_id}/document", permission=Permission.PAYOUT_POST,
    summary="Say which invoice or credit memo a line is about", tag=TAG, body=DocumentBody, answer=PayoutDetail,
    example={"document": 1201},
)  # fmt: skip
def choose_line_document(work: UnitOfWork, line_id: int, body: DocumentBody) -> PayoutDetail:
    row = payout_of_line(work.session, work.actor, line_id)
    work.realm = row.realm
    choose_document(work, line_id, body.document)
    return _detail(row.id, work)


@operation(
    "POST", "/partner-payout-lines/{line_id}/accept", permission=Permission.DEBT_WRITE_OFF,
    summary="Accept what is not explained of a line", tag=TAG, body=WhyBody, answer=PayoutDetail,
    example={"reason": "too small to ask"},
)  # fmt: skip
def accept_line_difference(work: UnitOfWork, line_id: int, body: WhyBody) -> PayoutDetail:
    row = payout_of_line(work.session, work.actor, line_id)
    work.realm = row.realm
    accept_difference(work, line_id, reason=body.reason)
    return _detail(row.id, work)


@operation(
    "POST", "/partner-payout-lines/{line_id}/offset", permission=Permission.PAYOUT_POST,
    summary="Set two lines of a partner against each other", tag=TAG, body=OffsetBody, answer=PayoutDetail,
    example={"other": 3002, "reason": "they gave it back"},
)  # fmt: skip
def offset_line_differences(work: UnitOfWork, line_id: int, body: OffsetBody) -> PayoutDetail:
    row = payout_of_line(work.session, work.actor, line_id)
    work.realm = row.realm
    payout_of_line(work.session, work.actor, body.other)
    offset_differences(work, line_id, body.other, reason=body.reason)
    return _detail(row.id, work)


@operation(
    "GET", "/partner-owed", permission=Permission.INVOICE_READ, summary="List what partners owe or left unexplained", tag=TAG,
    query=OwedQuery, answer=Page[OwedAnswer],
)  # fmt: skip
def list_owed(query: OwedQuery) -> Page[OwedAnswer]:
    return listed(OWED, query, _owed, key=lambda row: (row.kind, row.id))


def _owed(row: OwedRow) -> OwedAnswer:
    names = OwedAnswer.model_fields.keys() - {"owed"}
    return OwedAnswer(**{name: getattr(row, name) for name in names}, owed=as_amount(row.minor, row.currency))


def _seen(work: UnitOfWork, payout: int, version: int) -> None:
    """The payout is of the version that the caller has seen, and the unit of work of its realm."""
    row = payout_row(work.session, work.actor, payout)
    check_version(version, row.version)
    work.realm = row.realm
