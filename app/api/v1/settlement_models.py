"""What programs send and get of partners, their payouts, and what is owed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from app.api.lists import REALM, OneOf, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Amount, Answer, Body, PageQuery, Realm
from app.importers.bankfiles.table import DAYS
from app.queries.settlement import STATES
from app.queries.settlement_owed import BUCKETS, KINDS

Rate = Annotated[Decimal, Field(ge=0, le=Decimal("0.5"), max_digits=7, decimal_places=6)]


class PartnerAnswer(Answer):
    """A partner: the agreed share of what is sold, and what it owes, holds and left unexplained by our books."""

    id: int
    code: str
    name: str
    site_id: int
    site: str
    channel_id: int
    channel: str
    currency: str
    fee_rate: Decimal
    is_mapped: bool
    waiting: int
    owed: Amount
    reserve: Amount
    unexplained: Amount
    version: int


class PartnerQuery(PageQuery):
    """Which partners."""

    realm: Realm | None = REALM
    text: str = part_of("the code, the name or the channel")
    site: Key | None = which("Only those of this site.")


class PartnerBody(Body):
    """What is said of a partner."""

    name: str = Field(min_length=1, max_length=120)
    fee_rate: Rate = Field(description="The agreed share of what is sold: 0.12 for twelve percent.")


class NewPartnerBody(PartnerBody):
    """A partner that is not there yet."""

    site: Key
    channel: Key
    code: str = Field(min_length=1, max_length=40)


class MappingBody(Body):
    """How files of a partner are read: the headings of its columns, and its words for the kinds of lines."""

    delimiter: Literal[";", ",", "\t", "|"] = ";"
    decimal: Literal[",", "."] = ","
    day_form: Annotated[str, Field(pattern="|".join(one.replace(".", r"\.") for one in DAYS))] = "2026-02-28"
    day: str = Field(min_length=1, max_length=60)
    kind: str = Field(min_length=1, max_length=60)
    order: str = Field(min_length=1, max_length=60)
    amount: str = Field(min_length=1, max_length=60)
    tax: str = Field("", max_length=60)
    currency: str = Field("", max_length=60)
    text: str = Field("", max_length=60)
    kinds: dict[str, str] = Field(
        min_length=1, max_length=100, description="The partner's word for each kind: sale, refund, fee and so on."
    )


class PayoutAnswer(Answer):
    """A payout: `received` waits to be posted, `refused` moved nothing and says why. `owed`: what the bank has not brought of it."""

    id: int
    reference: str
    partner_id: int
    partner: str
    site_id: int
    state: str
    fault: str | None
    currency: str
    gross: Amount
    transfer: Amount
    paid: Amount
    owed: Amount
    unexplained: Amount
    taken_at: datetime
    posted_at: datetime | None
    version: int


class PayoutDocumentAnswer(Answer):
    """So much of a line settles this invoice, or this credit memo."""

    id: int
    number: str
    is_credit: bool
    amount: Amount


class PayoutLineAnswer(Answer):
    """A line as the partner wrote it, and what it was found to be; `unexplained` of it nobody has settled."""

    id: int
    line_no: int
    kind: str | None
    booked_on: date | None
    order_reference: str | None
    amount: Amount | None
    tax: Amount
    text: str | None
    fault: str | None
    result: str | None
    confidence: int
    explanation: str | None
    unexplained: Amount
    documents: list[PayoutDocumentAnswer]


class KindAnswer(Answer):
    """What the lines of one kind come to."""

    kind: str
    lines: int
    amount: Amount
    unexplained: Amount


class TransferAnswer(Answer):
    """An entry of the bank that may be the money of the payout."""

    bank_line: int
    booked_on: date
    amount: Amount
    confidence: int
    why: str


class PayoutDetail(PayoutAnswer):
    """A payout with its sums by kind, all its lines, and entries of the bank that may be its money."""

    kinds: list[KindAnswer]
    lines: list[PayoutLineAnswer]
    transfers: list[TransferAnswer]


class PayoutQuery(PageQuery):
    """Which payouts."""

    realm: Realm | None = REALM
    state: Annotated[str | None, OneOf(STATES)] = None
    owed: bool = only("those that the bank has not brought whole")
    text: str = part_of("the number, the partner or the file")
    partner: Key | None = which("Only of this partner.")
    site: Key | None = which("Only of this site.")


class OwedAnswer(Answer):
    """Something that a partner owes, or, negative, we owe it. `link_id` is the invoice or the payout."""

    kind: str
    id: int
    link_id: int
    number: str
    what: str
    partner_id: int
    partner: str
    site: str
    since: datetime
    owed: Amount
    currency: str


class OwedQuery(PageQuery):
    """Which of what is owed or not explained."""

    realm: Realm | None = REALM
    kind: Annotated[str | None, OneOf(KINDS)] = None
    text: str = part_of("the number, the partner or the explanation")
    partner: Key | None = which("Only of this partner.")
    age: Annotated[str | None, OneOf(tuple(BUCKETS))] = which("Only those so many days old.")
    site: Key | None = which("Only of this site.")


class HandInQuery(Body):
    """Whose file it is, by which number the partner calls the payout, and what is paid where no line of the file says it."""

    partner: Key
    reference: str = Field(min_length=1, max_length=120)
    file_name: str = Field(max_length=200)
    total: Amount | None = None


class WhyBody(Body):
    """Why."""

    reason: str = Field(min_length=1, max_length=500)


class DocumentBody(Body):
    """The invoice or credit memo that a line is about; without one the line's own number says it again."""

    document: Key | None = None


class OffsetBody(Body):
    """The other line, and why the two belong together."""

    other: Key
    reason: str = Field(min_length=1, max_length=500)


class TransferBody(Body):
    """The entry of the bank that is the money of the payout."""

    bank_line: Key
