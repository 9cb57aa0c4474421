"""Both sides of goods between companies as services write and find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import and_, or_, select

from erpcore.inventory.sisters.models import SisterDocument, SisterKind, SisterLine, SisterSide
from erpcore.kernel.errors import NotFound
from erpcore.kernel.events import Place
from erpcore.kernel.first import add_first
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, ensure_account, post_entries
from erpcore.masterdata.queries import SiteFacts


@dataclass(slots=True)
class SideLine:
    """A line of one side: thousandths of its item, the agreed price in millionths, amount and worth in minor units."""

    item: int
    quantity: int
    price: int
    amount: int
    cost: int = 0


@dataclass(slots=True)
class OneSide:
    """What is written at one company."""

    side: SisterSide
    site: SiteFacts
    sister: SiteFacts
    place: Place
    rate: int | None
    lines: list[SideLine] = field(default_factory=list)

    @property
    def amount(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def cost(self) -> int:
        return sum(line.cost for line in self.lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What both sides say alike; ``day`` is the sender's, so that both stand in the same period."""

    transfer: int
    number: str
    key: str
    kind: SisterKind
    agreed_currency: str
    agreed: int
    day: date
    reason: str | None = None


def write_sides(work: UnitOfWork, told: Told, sides: Sequence[OneSide]) -> list[int]:
    """Write the documents of both companies and post them; returns their ids.

    Raises ``Conflict("sister_sent_meanwhile")`` where somebody else has just written one of that key.
    """
    ids = []
    for one in sides:
        entity = one.site.entity
        key = work.ids.one()
        head = SisterDocument(
            id=key, transfer_id=told.transfer, key=told.key, side=one.side, kind=told.kind, entity_id=entity.id,
            sister_id=one.sister.entity.id, site_id=one.site.id, currency=entity.currency, amount_minor=one.amount,
            agreed_currency=told.agreed_currency, agreed_minor=told.agreed, cost_minor=one.cost, rate_id=one.rate,
            posted_on=told.day, posted_at=work.now, posted_by=work.actor.id, reason=told.reason,
        )  # fmt: skip
        add_first(work, head, "sister_sent_meanwhile", number=told.number)
        work.session.add_all(
            SisterLine(
                document_id=key, line_no=number, item_id=line.item, quantity=_decimal(line.quantity, QUANTITY_PLACES),
                agreed_price=_decimal(line.price, PRICE_PLACES), amount_minor=line.amount, cost_minor=line.cost,
            )
            for number, line in enumerate(one.lines, 1)
        )  # fmt: skip
        post_entries(work, _entries(work, told, one, key))
        ids.append(key)
    work.session.flush()
    return ids


def _decimal(value: int, places: int) -> Decimal:
    return Decimal(value).scaleb(-places)


def _entries(work: UnitOfWork, told: Told, one: OneSide, document: int) -> list[Entry]:
    sign = 1 if told.kind is SisterKind.SENT else -1
    amount, cost = sign * one.amount, sign * one.cost
    posted = {
        SisterSide.SALE: (
            ("sister_sale", [Side(AccountRole.SISTER_RECEIVABLE, amount), Side(AccountRole.SISTER_REVENUE, -amount)]),
            ("sister_cost", [Side(AccountRole.SISTER_COST, cost), Side(AccountRole.INVENTORY, -cost)]),
        ),
        SisterSide.PURCHASE: (
            (
                "sister_purchase",
                [
                    Side(AccountRole.INVENTORY, cost),
                    Side(AccountRole.ADJUSTMENT, amount - cost),
                    Side(AccountRole.SISTER_PAYABLE, -amount),
                ],
            ),
        ),
    }[one.side]
    for _, sides in posted:
        for side in sides:
            if side.role is not None:
                ensure_account(work, one.site.entity.id, side.role)
    return [
        Entry(
            rule=rule, place=one.place, document_type="sister_document", document_id=document, journey=told.transfer,
            entry_on=told.day, posted_at=work.now, currency=one.site.entity.currency, sides=sides,
            text=told.number,
        )
        for rule, sides in posted
    ]  # fmt: skip


def sent_by_key(work: UnitOfWork, entity: int, sister: int, key: str) -> int | None:
    """The transfer that the one company sent to the other under this key, if any: by either side, should one have been removed."""
    one = SisterDocument
    sold = and_(one.side == SisterSide.SALE, one.entity_id == entity, one.sister_id == sister)
    bought = and_(one.side == SisterSide.PURCHASE, one.entity_id == sister, one.sister_id == entity)
    query = select(one.transfer_id).where(or_(sold, bought), one.key == key, one.kind == SisterKind.SENT)
    return work.session.scalars(query.limit(1)).first()


def sides_of(work: UnitOfWork, transfer: int) -> dict[tuple[str, str], tuple[SisterDocument, list[SisterLine]]]:
    """The documents of a transfer with their lines, by kind and side. Raises ``NotFound`` where one of the two sides is not there:
    whoever goes on from half of it would make it worse.
    """
    heads = list(work.session.scalars(select(SisterDocument).where(SisterDocument.transfer_id == transfer)))
    keys = [one.id for one in heads]
    lines = list(
        work.session.scalars(
            select(SisterLine)
            .where(SisterLine.document_id.in_(keys))
            .order_by(SisterLine.document_id, SisterLine.line_no)
        )
    )
    found = {(one.kind, one.side): (one, [line for line in lines if line.document_id == one.id]) for one in heads}
    for side in SisterSide:
        if (SisterKind.SENT, side) not in found:
            raise NotFound("sister_side_missing", transfer=transfer, side=side)
    return found
