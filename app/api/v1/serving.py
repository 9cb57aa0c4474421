"""Service commitments, sourcing lanes, charges and services for programs."""

from __future__ import annotations

from datetime import date, time

from pydantic import Field

from app.api.framework import operation
from app.api.v1.numbers import Key, as_amount, as_minor, fresh, pointing
from app.api.values import Amount, Answer, Body
from app.composition.request import reader
from app.queries.charges import charges
from app.queries.places import entities_seen, realm_of_site, sites_seen
from app.queries.serving import CommitmentRow, LaneRow, commitments, lanes, one_commitment
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.charges import DeclareCharge, declare_charges
from erpcore.masterdata.commitments import NewCommitment, end_commitment, keep_commitments
from erpcore.masterdata.lanes import KeepLane, drop_lane, keep_lanes

TAG = "Service commitments"


class CommitmentAnswer(Answer):
    """What a site promises in a channel. `group_id` null: customers without a commitment of their group. `weekdays`: Monday 1, Tuesday 2, …"""

    id: int
    site_id: int
    channel_id: int
    group_id: int | None
    basis: str
    lead_days: int
    transit_days: int
    cut_off: time | None
    early_days: int
    late_days: int
    weekdays: int | None
    fill_target_permille: int | None
    valid_from: date
    valid_until: date | None


class CommitmentList(Answer):
    """All of them, by site and channel."""

    count: int
    items: list[CommitmentAnswer]


class CommitmentBody(Body):
    """A new commitment. Orders taken before keep their committed day."""

    site: Key
    channel: Key
    group: Key | None = None
    basis: str = Field("ship", max_length=8)
    lead_days: int = Field(ge=0, le=365)
    transit_days: int = Field(0, ge=0, le=365)
    cut_off: time | None = None
    early_days: int = Field(0, ge=0, le=365)
    late_days: int = Field(0, ge=0, le=365)
    weekdays: int | None = Field(None, ge=1, le=127)
    fill_target_permille: int | None = Field(None, ge=1, le=1000)
    valid_from: date
    valid_until: date | None = None


class UntilBody(Body):
    """The first day on which it does not hold."""

    until: date


class LaneAnswer(Answer):
    """What it takes to serve a country from a site. `country` *: every other."""

    id: int
    site_id: int
    country: str
    transit_days: int
    cost: Amount
    currency: str


class LaneList(Answer):
    """All of them, by site and country."""

    count: int
    items: list[LaneAnswer]


class LaneBody(Body):
    """A lane; given again for the same site and country it replaces what stood there."""

    site: Key
    country: str = Field(min_length=1, max_length=64)
    transit_days: int = Field(ge=0, le=365)
    cost: Amount


class ChargeAnswer(Answer):
    """A charge or service. `leaves`: `first_goods`, `last_goods` or `by_itself`; `is_rush`: what a rush costs in its company."""

    item: int
    entity_id: int
    code: str
    name: str
    kind: str
    leaves: str
    is_rush: bool


class ChargeList(Answer):
    """All of them, by company and code."""

    count: int
    items: list[ChargeAnswer]


class ChargeBody(Body):
    """A charge or service; given again under the same code it replaces name and terms."""

    entity: Key
    code: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=200)
    kind: str = Field("charge", max_length=12)
    leaves: str = Field("first_goods", max_length=12)
    is_rush: bool = False


def _commitment(row: CommitmentRow) -> CommitmentAnswer:
    return CommitmentAnswer.model_validate(row)


def _lane(row: LaneRow) -> LaneAnswer:
    return LaneAnswer(
        id=row.id, site_id=row.site_id, country=row.country, transit_days=row.transit_days,
        cost=as_amount(row.cost_minor, row.currency), currency=row.currency,
    )  # fmt: skip


@operation(
    "GET", "/service-commitments", permission=Permission.MASTERDATA_READ, summary="List service commitments", tag=TAG,
    answer=CommitmentList,
)  # fmt: skip
def list_commitments() -> CommitmentList:
    rows = [_commitment(row) for row in commitments(reader(), actor())]
    return CommitmentList(count=len(rows), items=rows)


@operation(
    "POST", "/service-commitments", permission=Permission.MASTERDATA_CHANGE, summary="Keep a service commitment", tag=TAG,
    body=CommitmentBody, answer=CommitmentAnswer, status=201,
    example={"site": 1001, "channel": 1002, "lead_days": 2, "cut_off": "14:00", "valid_from": "2026-12-01"},
)  # fmt: skip
def keep_commitment(work: UnitOfWork, body: CommitmentBody) -> CommitmentAnswer:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    with pointing():
        (key,) = keep_commitments(work, [NewCommitment(**dict(body))])
    return _commitment(one_commitment(fresh(work), work.actor, key))


@operation(
    "POST", "/service-commitments/{commitment_id}/end", permission=Permission.MASTERDATA_CHANGE,
    summary="Let a service commitment end", tag=TAG, body=UntilBody, answer=CommitmentAnswer, example={"until": "2026-12-31"},
)  # fmt: skip
def finish_commitment(work: UnitOfWork, commitment_id: int, body: UntilBody) -> CommitmentAnswer:
    work.realm = one_commitment(work.session, work.actor, commitment_id).realm
    with pointing():
        end_commitment(work, commitment_id, body.until)
    return _commitment(one_commitment(fresh(work), work.actor, commitment_id))


@operation(
    "GET",
    "/sourcing-lanes",
    permission=Permission.MASTERDATA_READ,
    summary="List sourcing lanes",
    tag=TAG,
    answer=LaneList,
)
def list_lanes() -> LaneList:
    rows = [_lane(row) for row in lanes(reader(), actor())]
    return LaneList(count=len(rows), items=rows)


@operation(
    "POST", "/sourcing-lanes", permission=Permission.MASTERDATA_CHANGE, summary="Keep a sourcing lane", tag=TAG, body=LaneBody,
    answer=LaneAnswer, status=201, example={"site": 1001, "country": "Germany", "transit_days": 2, "cost": "9.50"},
)  # fmt: skip
def keep_sourcing_lane(work: UnitOfWork, body: LaneBody) -> LaneAnswer:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    currency = next(one.currency for one in sites_seen(work.session, work.actor) if one.id == body.site)
    command = KeepLane(
        site=body.site, country=body.country, transit_days=body.transit_days,
        cost_minor=as_minor(body.cost, currency, "cost"),
    )  # fmt: skip
    with pointing():
        (key,) = keep_lanes(work, [command])
    return _lane(next(row for row in lanes(fresh(work), work.actor) if row.id == key))


@operation(
    "DELETE", "/sourcing-lanes/{lane_id}", permission=Permission.MASTERDATA_CHANGE, summary="Drop a sourcing lane", tag=TAG,
    answer=None,
)  # fmt: skip
def drop_sourcing_lane(work: UnitOfWork, lane_id: int) -> None:
    row = next((one for one in lanes(work.session, work.actor) if one.id == lane_id), None)
    if row is None:
        raise NotFound("lane_unknown", lane=lane_id)
    work.realm = row.realm
    drop_lane(work, lane_id)


@operation(
    "GET", "/charges", permission=Permission.MASTERDATA_READ, summary="List charges and services", tag=TAG, answer=ChargeList,
)  # fmt: skip
def list_charges() -> ChargeList:
    rows = [ChargeAnswer.model_validate(row) for row in charges(reader(), actor())]
    return ChargeList(count=len(rows), items=rows)


@operation(
    "POST", "/charges", permission=Permission.MASTERDATA_CHANGE, summary="Keep a charge or service", tag=TAG, body=ChargeBody,
    answer=ChargeAnswer, status=201,
    example={"entity": 1000, "code": "FREIGHT", "name": "Freight", "leaves": "first_goods"},
)  # fmt: skip
def keep_charge(work: UnitOfWork, body: ChargeBody) -> ChargeAnswer:
    entity = next((one for one in entities_seen(work.session, work.actor) if one.id == body.entity), None)
    if entity is None:
        raise NotFound("entity_unknown", entity=body.entity)
    work.realm = entity.realm
    with pointing():
        (item,) = declare_charges(work, [DeclareCharge(**dict(body))])
    found = next(row for row in charges(fresh(work), work.actor) if row.item == item)
    return ChargeAnswer.model_validate(found)
