"""What programs send and get about dunning."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from app.api.lists import which
from app.api.v1.numbers import Key
from app.api.values import Amount, Answer, Body, PageQuery, Realm
from erpcore.billing.dunning.procedures import MOST_LEVELS


class LevelBody(Body):
    """A step of a procedure."""

    days_overdue: int = Field(ge=1, le=3650)
    minimum: Amount | None = None
    fee: Amount | None = None
    letter: Literal["reminder", "demand", "final"]
    respite_days: int = Field(10, ge=0, le=3650)
    note: str | None = Field(None, max_length=500)


class ProcedureBody(Body):
    """How a company asks customers of a group, or of all groups that have none of their own, from a day on."""

    entity: Key
    group: Key | None = None
    name: str = Field(min_length=1, max_length=200)
    valid_from: date
    interval_days: int = Field(7, ge=1, le=3650)
    minimum_total: Amount | None = None
    levels: list[LevelBody] = Field(min_length=1, max_length=MOST_LEVELS)


class RunBody(Body):
    """Of which company; the run is of its today."""

    entity: Key


class RunStepBody(Body):
    """What to do with it. A cancellation needs its `reason`."""

    move: Literal["confirm", "cancel"]
    reason: str | None = Field(None, max_length=300)
    version: int | None = Field(None, ge=1)


class ReasonBody(Body):
    """Why."""

    reason: str = Field(min_length=1, max_length=300)


class BlockBody(Body):
    """Nobody asks before `until`; for one invoice where `document` names it."""

    kind: Literal["dispute", "agreement", "insolvency", "other"]
    reason: str = Field(min_length=1, max_length=300)
    until: date
    document: Key | None = None


class PromiseBody(Body):
    """What is promised until the end of a day, and by whom."""

    amount: Amount
    until: date
    said_by: str = Field(min_length=1, max_length=200)
    note: str | None = Field(None, max_length=1000)
    document: Key | None = None


class FeeBody(Body):
    """So much of a fee out of a receipt; without one it is waived, with a reason."""

    amount: Amount
    receipt: Key | None = None
    reason: str | None = Field(None, max_length=300)


class RunQuery(PageQuery):
    """Which runs."""

    realm: Realm = "live"
    state: Literal["proposed", "confirmed", "done", "cancelled"] | None = which("Only runs in this state.")
    company: Key | None = which("Only runs of this company.")


class RunAnswer(Answer):
    """A run of a list."""

    id: int
    entity_id: int
    run_on: date
    state: str
    currency: str
    notices: int
    issued: int
    overdue: Amount
    fees: Amount
    proposed_by: int
    confirmed_by: int | None
    version: int


class NoticeAnswer(Answer):
    """What one customer is asked for."""

    id: int
    number: str
    customer_id: int
    level: int
    letter: str
    pay_until: date
    overdue: Amount
    fee: Amount
    state: str
    reason: str
    letter_state: str
    documents: int


class LeftOutAnswer(Answer):
    """An overdue invoice that is not asked for, and why."""

    document: int
    number: str
    customer_id: int
    open: Amount
    reason: str


class RunDetail(RunAnswer):
    """A run with its notices, and the largest of what it leaves out."""

    asked: list[NoticeAnswer]
    left_out: list[LeftOutAnswer]


class PromiseAnswer(Answer):
    """A promise; its `state` is what receipts say."""

    id: int
    document: int | None
    amount: Amount
    came: Amount
    until: date
    said_by: str
    state: str


class BlockAnswer(Answer):
    """A block."""

    id: int
    kind: str
    reason: str
    until: date
    owner_id: int
    is_over: bool


class StandAnswer(Answer):
    """An open invoice and its level."""

    document: int
    number: str
    due_on: date
    open: Amount
    days_over: int
    level: int


class CustomerAnswer(Answer):
    """A customer as dunning sees them."""

    customer_id: int
    currency: str
    invoices: list[StandAnswer]
    promises: list[PromiseAnswer]
    blocks: list[BlockAnswer]
    notices: list[NoticeAnswer]
