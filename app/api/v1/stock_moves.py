"""How stock came and went, for programs, and an adjustment taken back."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from app.api.framework import operation
from app.api.v1.body_models import ReasonBody
from app.api.v1.numbers import as_amount, fresh
from app.api.values import Amount, Answer, Body, Quantity
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.stock import stock_move, stock_page, stock_place
from app.queries.stock_moves import MoveRow
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.inventory.stock import reverse_adjustment
from erpcore.kernel.work import UnitOfWork

TAG = "Stock"


class MovesQuery(Body):
    """Where the list goes on."""

    before: int | None = Field(None, ge=1, description="`older` of the part before: only what came before that move.")


class MoveAnswer(Answer):
    """One move. `value` null: unknown cost, or the token may not see costs. `location` null: the usual place."""

    id: int
    quantity: Quantity
    value: Amount | None
    reason: str
    note: str | None
    document: str
    document_type: str
    document_id: int
    location: str | None
    lot: str | None
    status: str
    moved_at: datetime
    is_reversible: bool


class MoveList(Answer):
    """The newest moves first. `count` are all there are; `older` null: nothing came before these."""

    count: int
    older: int | None
    items: list[MoveAnswer]


def _answer(row: MoveRow, currency: str) -> MoveAnswer:
    told = row.value_minor is not None and actor().may(Permission.COST_READ)
    return MoveAnswer(
        id=row.id, quantity=row.quantity, value=as_amount(row.value_minor or 0, currency) if told else None, reason=row.reason,
        note=row.note, document=row.document, document_type=row.document_type, document_id=row.document_id,
        location=row.location, lot=row.lot, status=row.status, moved_at=row.moved_at, is_reversible=row.is_reversible,
    )  # fmt: skip


@operation(
    "GET", "/sites/{site_id}/stock/{item_id}/moves", permission=Permission.STOCK_READ, summary="How an item came and went at a site",
    tag=TAG, query=MovesQuery, answer=MoveList,
)  # fmt: skip
def list_stock_moves(site_id: int, item_id: int, query: MovesQuery) -> MoveList:
    page = stock_page(reader(), actor(), site_id, item_id, before=query.before)
    items = [_answer(row, page.place.row.currency) for row in page.moves]
    return MoveList(count=page.move_count, older=page.older, items=items)


@operation(
    "POST", "/sites/{site_id}/stock/{item_id}/moves/{move_id}/reverse", permission=Permission.STOCK_ADJUST,
    summary="Take an adjustment back", tag=TAG, body=ReasonBody, answer=MoveAnswer, example={"reason": "counted the wrong bin"},
)  # fmt: skip
def reverse_stock_move(work: UnitOfWork, site_id: int, item_id: int, move_id: int, body: ReasonBody) -> MoveAnswer:
    """The answer is the move that was taken back."""
    place = stock_place(work.session, work.actor, site_id, item_id)
    stock_move(work.session, site_id, item_id, move_id)
    work.realm = place.realm
    reverse_adjustment(work, move_id, body.reason, rules=rules(), cells=cells())
    return _answer(stock_move(fresh(work), site_id, item_id, move_id), place.row.currency)
