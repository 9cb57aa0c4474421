"""Service commitments, sourcing lanes, charges and services for programs."""

from __future__ import annotations

from datetime import date, time
from typing import Literal

from pydantic import Field

from app.api.companies import in_company
from app.api.framework import operation
from app.api.lists import asked_of, only, part_of
from app.api.v1.numbers import Key, as_amount, as_minor, fresh, pointing
from app.api.values import Amount, Answer, Body, Realm
from app.composition.request import now, reader
from app.queries.charges import CHARGES, one_charge
from app.queries.places import realm_of_site, sites_seen
from app.queries.serving import COMMITMENTS, LANES, CommitmentRow, LaneRow, one_commitment, one_lane
from app.security.permissions import Permission
from app.security.require import actor
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
    standing: Literal["now", "later", "ended"]


class CommitmentQuery(Body):
    """Which commitments, as on their page. `group` 0: for customers without a commitment of their group."""

    realm: Realm = "live"
    site: Key | None = None
    channel: Key | None = None
    group: int | None = Field(
        None, ge=0, le=2**63 - 1, description="Only those of this group; 0: of customers without one."
    )
    basis: Literal["ship", "delivery"] | None = None
    standing: Literal["now", "later", "ended"] | None = None
    text: str = part_of("the site, the channel or the group")


class CommitmentList(Answer):
    """All that fit, by site and channel."""

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


class LaneQuery(Body):
    """Which lanes, as on their page. `others`: those for every country that has none."""

    realm: Realm = "live"
    site: Key | None = None
    others: bool = only("those for every country that has none")
    text: str = part_of("the country")


class LaneList(Answer):
    """All that fit, by site and country."""

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


class ChargeQuery(Body):
    """Which charges and services, as on their page. `rush`: what a rush costs."""

    realm: Realm = "live"
    entity: Key | None = None
    kind: Literal["charge", "service"] | None = None
    leaves: Literal["first_goods", "last_goods", "by_itself"] | None = None
    rush: bool = only("what a rush costs")
    text: str = part_of("the code or name")


class ChargeList(Answer):
    """All that fit, by code."""

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
    query=CommitmentQuery, answer=CommitmentList,
)  # fmt: skip
def list_commitments(query: CommitmentQuery) -> CommitmentList:
    rows = [_commitment(row) for row in COMMITMENTS.every(reader(), actor(), asked_of(query), now())]
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
    return _commitment(one_commitment(fresh(work), work.actor, key, work.now))


@operation(
    "POST", "/service-commitments/{commitment_id}/end", permission=Permission.MASTERDATA_CHANGE,
    summary="Let a service commitment end", tag=TAG, body=UntilBody, answer=CommitmentAnswer, example={"until": "2026-12-31"},
)  # fmt: skip
def finish_commitment(work: UnitOfWork, commitment_id: int, body: UntilBody) -> CommitmentAnswer:
    work.realm = one_commitment(work.session, work.actor, commitment_id, work.now).realm
    with pointing():
        end_commitment(work, commitment_id, body.until)
    return _commitment(one_commitment(fresh(work), work.actor, commitment_id, work.now))


@operation(
    "GET",
    "/sourcing-lanes",
    permission=Permission.MASTERDATA_READ,
    summary="List sourcing lanes",
    tag=TAG,
    query=LaneQuery,
    answer=LaneList,
)
def list_lanes(query: LaneQuery) -> LaneList:
    rows = [_lane(row) for row in LANES.every(reader(), actor(), asked_of(query), now())]
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
    return _lane(one_lane(fresh(work), work.actor, key))


@operation(
    "DELETE", "/sourcing-lanes/{lane_id}", permission=Permission.MASTERDATA_CHANGE, summary="Drop a sourcing lane", tag=TAG,
    answer=None,
)  # fmt: skip
def drop_sourcing_lane(work: UnitOfWork, lane_id: int) -> None:
    work.realm = one_lane(work.session, work.actor, lane_id).realm
    drop_lane(work, lane_id)


@operation(
    "GET", "/charges", permission=Permission.MASTERDATA_READ, summary="List charges and services", tag=TAG,
    query=ChargeQuery, answer=ChargeList,
)  # fmt: skip
def list_charges(query: ChargeQuery) -> ChargeList:
    rows = [ChargeAnswer.model_validate(row) for row in CHARGES.every(reader(), actor(), asked_of(query), now())]
    return ChargeList(count=len(rows), items=rows)


@operation(
    "POST", "/charges", permission=Permission.MASTERDATA_CHANGE, summary="Keep a charge or service", tag=TAG, body=ChargeBody,
    answer=ChargeAnswer, status=201,
    example={"entity": 1000, "code": "FREIGHT", "name": "Freight", "leaves": "first_goods"},
)  # fmt: skip
def keep_charge(work: UnitOfWork, body: ChargeBody) -> ChargeAnswer:
    in_company(work, body.entity)
    with pointing():
        (item,) = declare_charges(work, [DeclareCharge(**dict(body))])
    return ChargeAnswer.model_validate(one_charge(fresh(work), work.actor, item))
