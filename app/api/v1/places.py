"""Zones, locations, lots and closed periods for programs: what there is, blocking a location, moving goods between places."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from pydantic import Field

from app.api.companies import of_company
from app.api.framework import operation
from app.api.lists import asked_of, listed, only, part_of, which
from app.api.v1.numbers import Key, pointing
from app.api.v1.warehouse_models import BinList, Done, List, Made, ReasonBody, bin_list
from app.api.values import Answer, Body, Page, PageQuery, Quantity, Realm
from app.composition.order_names import order_names
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.locations import LOCATIONS, Kind, one_location
from app.queries.lots import LOTS
from app.queries.periods import closes_of
from app.queries.places import realm_of_site
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.inventory.places import add_zone, block_location
from erpcore.inventory.shifting import MoveBin, move_bins
from erpcore.kernel.work import UnitOfWork

TAG = "Warehouse"


class LocationAnswer(Answer):
    """A place with a label, along the way people walk; `bins` of how many `items` lie there."""

    id: int
    site_id: int
    code: str
    kind: str
    zone: str
    walk: int
    is_blocked: bool
    bins: int
    items: int


class LocationList(List):
    """The locations of a site."""

    items: list[LocationAnswer]


class LocationQuery(Body):
    """Which site's locations, along the way people walk. `empty`: nothing lies there."""

    site: Key
    text: str = part_of("the code")
    kind: Kind | None = None
    zone: Key | None = which("Only those in this zone.")
    blocked: bool = only("blocked ones")
    empty: bool = only("those in which nothing lies")


class ZoneBody(Body):
    """A part of a site."""

    site: Key
    code: str = Field(min_length=1, max_length=120)
    name: str = Field(min_length=1, max_length=120)


class MoveBody(Body):
    """From one place of a site to another; null is the default place."""

    site: Key
    item: Key
    quantity: Quantity
    source: Key | None = None
    location: Key | None = None
    lot: Key | None = None
    status: str = Field("available", max_length=12)


class LotAnswer(Answer):
    """A lot or serial number with what of it is in stock at the sites that the token sees."""

    id: int
    code: str
    is_serial: bool
    item_id: int
    item: str
    expires_on: date | None
    on_hand: Quantity


class LotQuery(PageQuery):
    """Which lots."""

    realm: Realm = "live"
    text: str = part_of("the code or the item")
    left: bool = Field(default=True, description="Only those of which some is in stock.")
    expiring: bool = only("those that expire within 30 days, or have expired")
    serial: bool = only("serial numbers")


class CloseAnswer(Answer):
    """The books are closed before `until` from `at` on; `opens`: an earlier day than before."""

    until: date
    reason: str
    by: int
    at: datetime
    opens: bool


class CloseList(List):
    """The steps of a company, the newest first: that one counts."""

    items: list[CloseAnswer]


class PeriodQuery(Body):
    """Whose books."""

    entity: Key


@operation(
    "GET", "/locations", permission=Permission.STOCK_READ, summary="Locations of a site", tag=TAG, query=LocationQuery,
    answer=LocationList,
)  # fmt: skip
def list_locations(query: LocationQuery) -> LocationList:
    asked = replace(asked_of(query), realm=realm_of_site(reader(), actor(), query.site))
    rows = [LocationAnswer.model_validate(row) for row in LOCATIONS.every(reader(), actor(), asked, now())]
    return LocationList(count=len(rows), items=rows)


@operation(
    "POST", "/zones", permission=Permission.LOCATION_CHANGE, summary="Set up a zone", tag=TAG, body=ZoneBody, answer=Made,
    status=201, example={"site": 1001, "code": "COLD", "name": "Cold store"},
)  # fmt: skip
def set_up_zone(work: UnitOfWork, body: ZoneBody) -> Made:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    with pointing():
        return Made(id=add_zone(work, body.site, body.code, body.name))


def _switch(work: UnitOfWork, location: int, reason: str, *, blocked: bool) -> Done:
    work.realm = one_location(work.session, work.actor, location).realm
    block_location(work, location, blocked=blocked, reason=reason)
    return Done(state="blocked" if blocked else "open")


@operation(
    "POST", "/locations/{location_id}/block", permission=Permission.LOCATION_CHANGE, summary="Let nothing be picked from a location",
    tag=TAG, body=ReasonBody, answer=Done, example={"reason": "a beam is bent"},
)  # fmt: skip
def block(work: UnitOfWork, location_id: int, body: ReasonBody) -> Done:
    return _switch(work, location_id, body.reason, blocked=True)


@operation(
    "POST", "/locations/{location_id}/open", permission=Permission.LOCATION_CHANGE, summary="Let goods be picked there again",
    tag=TAG, body=ReasonBody, answer=Done, example={"reason": "the beam is mended"},
)  # fmt: skip
def unblock(work: UnitOfWork, location_id: int, body: ReasonBody) -> Done:
    return _switch(work, location_id, body.reason, blocked=False)


@operation(
    "POST", "/bin-moves", permission=Permission.STOCK_PUT_AWAY, summary="Move goods to another place of the site", tag=TAG,
    body=MoveBody, answer=BinList, status=201, example={"site": 1001, "item": 1004, "quantity": "5", "source": 1011, "location": 1012},
)  # fmt: skip
def move_goods(work: UnitOfWork, body: MoveBody) -> BinList:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    with pointing():
        move_bins(work, [MoveBin(**dict(body))], rules=rules(), cells=cells(), order_names=order_names)
    return bin_list(work, body.site, body.item)


@operation(
    "GET", "/lots", permission=Permission.STOCK_READ, summary="Lots and serial numbers", tag=TAG, query=LotQuery,
    answer=Page[LotAnswer],
)  # fmt: skip
def list_lots(query: LotQuery) -> Page[LotAnswer]:
    return listed(LOTS, query, LotAnswer.model_validate)


@operation(
    "GET", "/periods", permission=Permission.LEDGER_READ, summary="Up to which day the books are closed", tag=TAG,
    query=PeriodQuery, answer=CloseList,
)  # fmt: skip
def list_periods(query: PeriodQuery) -> CloseList:
    company = of_company(query.entity)
    rows = [CloseAnswer.model_validate(row) for row in closes_of(reader(), company.id)]
    return CloseList(count=len(rows), items=rows)
