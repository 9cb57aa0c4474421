"""How do the lists of settlement look: payouts, partners, and what they owe or left unexplained?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import now, reader
from app.queries.settlement import PARTNERS, PAYOUTS, STATES, PartnerRow, PayoutRow, partner_rows
from app.queries.settlement_owed import BUCKETS, KINDS, OWED, OwedRow
from app.security.permissions import Permission
from app.security.require import actor
from app.web.figures import amount, counted, heading
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
    choice,
    column,
    flag,
    money,
    pick,
    site_filter,
    text_filter,
)
from app.web.lists.page import list_page
from app.web.settlement.views import blueprint
from erpcore.kernel.money import from_minor

LOOKS = {"received": "wait", "posted": "pass", "refused": "fail"}
_WHAT = {
    "invoice": "Invoiced, not paid out",
    "payout": "Paid out, not at the bank",
    "reserve": "Reserve",
    "unexplained": "Not explained",
}
_AGES = {"0-30": "Up to 30 days", "31-60": "31 to 60 days", "61-90": "61 to 90 days", "over-90": "Over 90 days"}


def _partners_to_pick(_asked: object) -> list[tuple[int, str]]:
    return [(one.id, one.name) for one in partner_rows(reader(), actor())]


def _left(row: PayoutRow) -> Cell:
    kind = "fail" if row.unexplained_minor else ""
    return Cell(amount(row.unexplained_minor, row.currency), kind=kind, muted=not row.unexplained_minor)


PAYOUT_LIST = list_page(
    blueprint,
    Listing(
        name="partner-payouts", endpoint="settlement.show_payouts", path="/partner-payouts", permission=Permission.INVOICE_READ,
        title="Partner payouts", lead="What partners say that they sold, kept and pay; matched line by line, then posted whole",
        unit="payouts", source=PAYOUTS, sort="-taken", template="settlement/payouts.html",
        empty=Empty(title="No payout", text="Hand in the file that a partner sends with its payout.", sign="file"),
        filters=(
            choice("state", STATES, said={"received": "Waiting", "posted": "Posted", "refused": "Refused"}), flag("owed", "Not at the bank"),
            text_filter("Number, partner or file"), pick("partner", "Partner", _partners_to_pick), site_filter(),
        ),
        columns=(
            column("number", "Payout", "reference", cell=lambda row: Cell(row.reference, sub=row.partner, href=url_for("settlement.show", payout_id=row.id))),
            column("partner", "Partner", file_only=True),
            column("state", "State", cell=lambda row: Cell({"received": "Waiting"}.get(row.state, heading(row.state)), kind=LOOKS[row.state])),
            column("site", "Site"),
            column("taken", "Taken", "taken_at"),
            money("gross", "Sold", "gross_minor"),
            money("transfer", "Pays", "transfer_minor"),
            column("owed", "Not at the bank", lambda row: from_minor(row.owed_minor, row.currency), num=True, cell=lambda row: Cell(amount(row.owed_minor, row.currency), muted=not row.owed_minor)),
            column("unexplained", "Not explained", lambda row: from_minor(row.unexplained_minor, row.currency), num=True, cell=_left),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip


def _partner(row: PartnerRow) -> Cell:
    href = url_for("settlement.change", partner_id=row.id) if actor().may(Permission.PARTNER_KEEP) else ""
    return Cell(row.name, sub=f"{row.code} · {row.channel}", href=href)


def _waiting(row: PartnerRow) -> Cell:
    address = url_for("settlement.show_payouts", partner=row.id, state="received")
    return Cell(str(row.waiting), href=address if row.waiting else "", muted=not row.waiting)


PARTNER_LIST = list_page(
    blueprint,
    Listing(
        name="settlement-partners", endpoint="settlement.show_partners", path="/settlement-partners", permission=Permission.INVOICE_READ,
        title="Partners", lead="Who sells for us and pays out: what was agreed, what they owe, hold and left unexplained", unit="partners",
        source=PARTNERS, sort="name", template="settlement/partners.html",
        empty=Empty(title="No partner", text="Add who sells for us through a channel and pays out what customers paid.", sign="person"),
        filters=(text_filter("Code, name or channel"), site_filter()),
        columns=(
            column("name", "Partner", cell=_partner),
            column("code", "Code", file_only=True),
            column("channel", "Channel", file_only=True),
            column("site", "Site"),
            column("fee", "Agreed fee", lambda row: row.fee_rate * 100, num=True, cell=lambda row: f"{row.fee_rate * 100:f}".rstrip("0").rstrip(".") + " %"),
            column("files", "Its files", lambda row: row.mapping is not None,
                   cell=lambda row: Cell("read by a mapping") if row.mapping else Cell("not mapped", kind="warn")),
            column("waiting", "Waiting", num=True, cell=_waiting),
            money("owed", "Not at the bank", "paid_out_minor"),
            money("reserve", "Reserve held", "reserve_minor"),
            money("unexplained", "Not explained", "unexplained_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip


def _owed(row: OwedRow) -> Cell:
    if row.kind == "invoice":
        return Cell(row.number, sub=row.what, href=url_for("billing.show", invoice_id=row.link_id))
    return Cell(row.number, sub=row.what, href=url_for("settlement.show", payout_id=row.link_id))


OWED_LIST = list_page(
    blueprint,
    Listing(
        name="partner-owed", endpoint="settlement.show_owed", path="/partner-owed", permission=Permission.INVOICE_READ,
        title="Owed and not explained", lead="Orders that partners have not paid out, payouts that the bank has not brought, reserves, and what nobody has explained",
        unit="items", source=OWED, sort="since", template="settlement/owed.html",
        empty=Empty(title="Nothing is owed", text="What partners sold is paid out, and every line is explained.", sign="pass"),
        filters=(
            choice("kind", KINDS, said=_WHAT), text_filter("Number, partner or explanation"), pick("partner", "Partner", _partners_to_pick),
            pick("age", "Age", lambda _: [(one, _AGES[one]) for one in BUCKETS]), site_filter(),
        ),
        columns=(
            column("number", "What", cell=_owed),
            column("kind", "Kind", cell=lambda row: Cell(_WHAT[row.kind], kind="fail" if row.kind == "unexplained" else "")),
            column("what", "Explanation", file_only=True),
            column("partner", "Partner", cell=lambda row: Cell(row.partner, sub=row.site)),
            column("site", "Site", file_only=True),
            column("since", "Since"),
            column("age", "Age", lambda row: row.age_days(now()), num=True, cell=lambda row: counted(row.age_days(now()), "day")),
            money("owed", "Owed", "minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip
