"""What went between companies of ours, and do both sides say the same?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from app.queries.listing import SqlList
from erpcore.inventory.documents import StockTransfer
from erpcore.inventory.sisters.models import SisterDocument, SisterKind, SisterLine, SisterSide
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.ledger.models import JournalEntry
from erpcore.masterdata.models import Entity, Item, ItemCounterpart, Site


@dataclass(frozen=True, kw_only=True)
class SisterRow:
    """Goods between two companies, as agreed in the sender's currency. ``mirrored``: the sale has its purchase, alike."""

    id: int
    number: str
    realm: str
    state: str
    from_site: int
    origin: str
    sender: str
    to_site: int
    target: str
    receiver: str
    currency: str
    agreed_minor: int
    mirrored: bool
    turned_back: bool
    shipped_at: datetime
    arrives_on: date
    version: int


_SOLD, _BOUGHT, _BACK = aliased(SisterDocument), aliased(SisterDocument), aliased(SisterDocument)
_FROM, _SENDER = aliased(Site), aliased(Entity)


def _side(one: Any, kind: str, side: str) -> Any:
    return and_(one.transfer_id == StockTransfer.id, one.kind == kind, one.side == side)


def _all() -> Any:
    # A transfer stands here if either side is there: where one was removed, that is what should be seen.
    return (
        select(
            StockTransfer, _FROM.name.label("origin"), _SENDER.name.label("sender"), Site.name.label("target"),
            Entity.name.label("receiver"), _SENDER.realm, _SOLD, _BOUGHT, _BACK.id.label("back"),
        )
        .select_from(StockTransfer)
        .outerjoin(_SOLD, _side(_SOLD, SisterKind.SENT, SisterSide.SALE))
        .outerjoin(_BOUGHT, _side(_BOUGHT, SisterKind.SENT, SisterSide.PURCHASE))
        .outerjoin(_BACK, _side(_BACK, SisterKind.TURNED_BACK, SisterSide.SALE))
        .join(_FROM, _FROM.id == StockTransfer.from_site_id)
        .join(_SENDER, _SENDER.id == _FROM.entity_id)
        .join(Site, Site.id == StockTransfer.site_id)
        .join(Entity, Entity.id == StockTransfer.entity_id)
        .where(_FROM.entity_id != StockTransfer.entity_id)
    )  # fmt: skip


def _seen(query: Any, actor: Actor) -> Any:
    """Seen at both of its sites, as any transfer."""
    if actor.sites is None:
        return query
    seen = sorted(actor.sites)
    return query.where(or_(StockTransfer.from_site_id.in_(seen), StockTransfer.site_id.in_(seen)))


def _row(row: Any) -> SisterRow:
    one: StockTransfer = row.StockTransfer
    sold, bought = row[6], row[7]
    said = sold or bought
    return SisterRow(
        id=one.id, number=one.number, realm=row.realm, state=one.state, from_site=one.from_site_id, origin=row.origin,
        sender=row.sender, to_site=one.site_id, target=row.target, receiver=row.receiver, currency=said.agreed_currency if said else "",
        agreed_minor=said.agreed_minor if said else 0, turned_back=row.back is not None, shipped_at=one.shipped_at,
        arrives_on=one.arrives_on, version=one.version,
        mirrored=bool(sold and bought and sold.agreed_minor == bought.agreed_minor and sold.key == bought.key),
    )  # fmt: skip


#: What went between companies, the newest first.
SISTERS: SqlList[SisterRow] = SqlList(
    select=_all, row=_row, tie=(StockTransfer.id,), usual="-shipped", scope=_seen, realm=_SENDER.realm,
    text=(StockTransfer.number, _FROM.name, Site.name, _SENDER.name, Entity.name), flags=("back", "odd"),
    sorts={
        "number": StockTransfer.number, "origin": _FROM.name, "target": Site.name, "shipped": StockTransfer.shipped_at,
    },
    wanted={
        "site": lambda value, _: or_(StockTransfer.from_site_id == value, StockTransfer.site_id == value),
        "back": lambda _on, _eyes: _BACK.id.is_not(None),
        "odd": lambda _on, _eyes: or_(
            _SOLD.id.is_(None), _BOUGHT.id.is_(None), _SOLD.agreed_minor != _BOUGHT.agreed_minor
        ),
    },
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SideLineRow:
    """A line of one side."""

    item_id: int
    code: str
    name: str
    unit: str
    quantity: Decimal
    agreed_price: Decimal
    amount_minor: int
    cost_minor: int


@dataclass(frozen=True, kw_only=True)
class SideRow:
    """A document at one company with its lines and what it posted."""

    id: int
    side: str
    kind: str
    key: str
    company: str
    currency: str
    amount_minor: int
    cost_minor: int
    rate_id: int | None
    posted_on: date
    reason: str | None
    lines: list[SideLineRow]
    entries: list[int]


@dataclass(frozen=True, kw_only=True)
class SisterPage:
    """Both sides next to each other: a pair for what was sent, and one for what was turned back."""

    head: SisterRow
    pairs: list[tuple[str, SideRow | None, SideRow | None]]


def sister_page(session: Session, actor: Actor, transfer: int) -> SisterPage:
    """Goods between companies from or to a site that one sees; raises ``NotFound``."""
    row = session.execute(_seen(_all(), actor).where(StockTransfer.id == transfer)).one_or_none()
    if row is None:
        raise NotFound("transfer_unknown", id=transfer)
    documents = session.execute(
        select(SisterDocument, Entity.name)
        .join(Entity, Entity.id == SisterDocument.entity_id)
        .where(SisterDocument.transfer_id == transfer)
    ).all()
    keys = [one.id for one, _ in documents]
    lines: dict[int, list[SideLineRow]] = {key: [] for key in keys}
    told = (
        select(SisterLine, Item)
        .join(Item, Item.id == SisterLine.item_id)
        .where(SisterLine.document_id.in_(keys))
        .order_by(SisterLine.document_id, SisterLine.line_no)
    )
    for line, item in session.execute(told):
        lines[line.document_id].append(
            SideLineRow(
                item_id=item.id, code=item.code, name=item.name, unit=item.unit, quantity=line.quantity,
                agreed_price=line.agreed_price, amount_minor=line.amount_minor, cost_minor=line.cost_minor,
            )
        )  # fmt: skip
    posted: dict[int, list[int]] = {key: [] for key in keys}
    entries = select(JournalEntry.document_id, JournalEntry.id).where(
        JournalEntry.document_type == "sister_document", JournalEntry.document_id.in_(keys)
    )
    for document, entry in session.execute(entries.order_by(JournalEntry.id)):
        posted[document].append(entry)
    found = {
        (one.kind, one.side): SideRow(
            id=one.id, side=one.side, kind=one.kind, key=one.key, company=company, currency=one.currency, rate_id=one.rate_id,
            amount_minor=one.amount_minor, cost_minor=one.cost_minor, posted_on=one.posted_on, reason=one.reason,
            lines=lines[one.id], entries=posted[one.id],
        )
        for one, company in documents
    }  # fmt: skip
    pairs = [
        (kind, found.get((kind, SisterSide.SALE)), found.get((kind, SisterSide.PURCHASE)))
        for kind in SisterKind
        if any(key[0] == kind for key in found) or kind is SisterKind.SENT
    ]
    return SisterPage(head=_row(row), pairs=[(str(kind), sold, bought) for kind, sold, bought in pairs])


def sister_sites(session: Session, entity: int, realm: str) -> list[tuple[int, str]]:
    """The sites of the other companies of the realm that hold goods, also those one does not see: goods are sent there."""
    query = select(Site.id, Site.name, Entity.name.label("company")).join(Entity, Entity.id == Site.entity_id)
    query = query.where(Entity.realm == realm, Entity.id != entity, Site.kind != "drop_ship")
    return [(row.id, f"{row.name} · {row.company}") for row in session.execute(query.order_by(Entity.name, Site.name))]


@dataclass(frozen=True, kw_only=True)
class CounterpartRow:
    """The same goods as an item of another company."""

    item_id: int
    code: str
    name: str
    entity_id: int
    company: str


def counterparts_of(session: Session, item: int) -> list[CounterpartRow]:
    """The counterparts of an item, by company."""
    query = (
        select(Item, Entity.name.label("company"))
        .join(ItemCounterpart, ItemCounterpart.counterpart_id == Item.id)
        .join(Entity, Entity.id == Item.entity_id)
        .where(ItemCounterpart.item_id == item)
        .order_by(Entity.name, Item.code)
    )
    return [
        CounterpartRow(item_id=one.id, code=one.code, name=one.name, entity_id=one.entity_id, company=company)
        for one, company in session.execute(query)
    ]
