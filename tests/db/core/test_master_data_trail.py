"""What is changed of master data stands in the audit trail: whose, what, before and after; many at once as one act."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import orjson
import pytest
from sqlalchemy import select, text

from app.composition.uow import reading
from app.queries.audit_words import codes_of, in_words
from erpcore.fulfilment.carriers.services import NewCarrier, NewService, add_carrier, add_service
from erpcore.fulfilment.packing.services import NewCartonType, add_carton_type
from erpcore.inventory.count_plan import set_cadence
from erpcore.inventory.places import AddLocation, KeepItem, add_locations, add_zone, keep_item
from erpcore.kernel.audit import AuditEntry, verify_chain
from erpcore.kernel.errors import DomainError
from erpcore.ledger.services import open_chart
from erpcore.masterdata.addresses import AddressContent, add_address, change_address, end_address
from erpcore.masterdata.calendars import Calendar, workdays
from erpcore.masterdata.services import (
    NewCustomer,
    NewEntity,
    NewItem,
    NewSite,
    add_commitment,
    add_customers,
    add_entity,
    add_items,
    add_site,
    add_tax_rate,
    ensure_channel,
    ensure_customer_group,
    ensure_item_group,
)
from erpcore.masterdata.units import AddPack, add_packs
from tests.support.core import a_business

DAY = date(2026, 3, 2)
HOME = AddressContent(code="HOME", name="Ada Lovelace", country="DE", street="Hauptstr. 7", postal_code="47051", city="Duisburg")  # fmt: skip


@pytest.fixture
def business(database):
    return a_business(database, items=1)


def acts_of(business, change):
    """The acts that one unit of work kept: kind, object and facts."""
    with reading(business.database) as session:
        last = session.scalar(text("SELECT MAX(position) FROM audit_link")) or 0
    with business.work() as work:
        change(work)
    with reading(business.database) as session:
        assert verify_chain(session).broken_at is None
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.position > last).order_by(AuditEntry.position, AuditEntry.ordinal)
        )
        return [(one.kind, one.subject_type, orjson.loads(one.content)["facts"]) for one in rows]


def test_each_change_is_one_act_of_its_object(business):
    here = business
    calendar = Calendar(valid_from=DAY, week=workdays(time(8), time(17)), closed=())
    site = NewSite(entity=here.entity, code="BER", name="Berlin", kind="branch", country="Germany", time_zone="Europe/Berlin", calendar=calendar)  # fmt: skip
    entity = NewEntity(code="FR01", name="Maison", country="France", currency="EUR", time_zone="Europe/Paris")
    carton = NewCartonType(entity=here.entity, code="S", name="Small", length_mm=300, width_mm=200, height_mm=100, tare_kg=Decimal("0.2"))  # fmt: skip
    changes = [
        (lambda work: add_entity(work, entity), ["entity.added"]),
        (lambda work: add_site(work, site), ["site.added", "site_calendar.set"]),
        (lambda work: ensure_channel(work, "web", "Web shop"), ["channel.added"]),
        (lambda work: ensure_channel(work, "web", "Web shop"), []),
        (lambda work: ensure_customer_group(work, "trade", "Trade"), ["customer_group.added"]),
        (lambda work: ensure_item_group(work, "tools", "Tools"), ["item_group.added"]),
        (lambda work: add_tax_rate(work, entity=here.entity, country="France", rate=Decimal("0.2"), valid_from=DAY), ["tax_rate.added"]),
        (lambda work: add_commitment(work, site=here.site, channel=here.channel, lead_days=3, valid_from=DAY), ["commitment.kept"]),
        (lambda work: add_packs(work, [AddPack(item=here.items[0], code="box", name="Box", numerator=12)]), ["item.packs_added"]),
        (lambda work: add_zone(work, here.site, "A", "Aisles"), ["zone.added"]),
        (lambda work: add_locations(work, [AddLocation(site=here.site, code="B-1", zone="B")]), ["zone.added", "location.added"]),
        (lambda work: set_cadence(work, here.site, "A", 10), ["count_cadence.set"]),
        (lambda work: add_carton_type(work, carton), ["carton_type.added"]),
    ]  # fmt: skip
    for change, kinds in changes:
        assert [kind for kind, _, _ in acts_of(business, change)] == kinds


def test_before_and_after_are_kept_and_said_in_words(business):
    item = KeepItem(item=business.items[0], tracking="none", order_multiple=Decimal(5))
    ((kind, subject, facts),) = acts_of(business, lambda work: keep_item(work, item))
    assert (kind, subject, facts) == (
        "item.kept",
        "item",
        {"tracking": ["none", "none"], "order_multiple": [None, "5"]},
    )
    with reading(business.database) as session:
        codes = codes_of(session, [(subject, business.items[0], facts), ("zone", None, {"site": business.site})])
    assert in_words(subject, business.items[0], facts, codes) == "order multiple: nothing → 5; tracking: none → none"
    assert in_words("zone", None, {"site": business.site}, codes) == "site: DUI"
    assert in_words("zone", None, {"site": -1}, codes) == "site: number -1"
    nothing = {"code": "V-1", "values": {}, "deviations": [], "scope": {}, "valid_until": None}
    assert in_words("variant", 1, nothing, codes) == "code: V-1", "what says nothing is left out"


def test_many_at_once_are_one_act_with_a_digest_that_tells_them_apart(business):
    def goods(cost):
        return [NewItem(entity=business.entity, code=f"X{cost}-{at}", name="x", standard_cost=cost) for at in range(40)]

    found = [
        acts_of(business, lambda work, cost=cost: add_items(work, goods(cost))) for cost in (Decimal(1), Decimal(2))
    ]
    assert [[(kind, facts["count"]) for kind, _, facts in acts] for acts in found] == [[("item.added", 40)]] * 2
    digests = {acts[0][2]["content"] for acts in found}
    assert len(digests) == 2
    said = in_words("item", 1, found[0][0][2], {})
    assert said.startswith(f"40 at once; digest: {found[0][0][2]['content'][:12]}…; last number: ")
    assert acts_of(business, lambda work: add_items(work, [])) == []
    ((_, _, chart),) = acts_of(business, lambda work: open_chart(work, add_entity(work, NewEntity(code="X", name="X", country="France", currency="EUR", time_zone="Europe/Paris")).id))[1:]  # fmt: skip
    assert chart["count"] > 10


def test_the_trail_does_not_say_who_customers_are_or_where_they_live(business):
    person = NewCustomer(entity=business.entity, code="C77", name="Ada Lovelace", country="Germany", currency="EUR")
    acts = acts_of(business, lambda work: add_customers(work, [person]))
    made = []
    acts += acts_of(business, lambda work: made.append(add_address(work, business.customer, HOME, valid_from=DAY).id))
    moved = AddressContent(code="HOME", name="Ada Lovelace", country="DE", street="Nebenstr. 8", postal_code="47051", city="Duisburg")  # fmt: skip
    acts += acts_of(business, lambda work: change_address(work, made[0], moved, valid_from=DAY))
    other = AddressContent(code="WORK", name="Ada Lovelace", country="DE", street="Am Hafen 1", city="Duisburg")
    acts += acts_of(business, lambda work: made.append(add_address(work, business.customer, other, valid_from=DAY).id))
    acts += acts_of(business, lambda work: end_address(work, made[1], on=DAY))
    assert [kind for kind, _, _ in acts] == [
        "customer.added", "customer_address.added", "customer_address.changed", "customer_address.added", "customer_address.ended",
    ]  # fmt: skip
    assert acts[2][2]["parts"] == ["street"]
    said = orjson.dumps([facts for _, _, facts in acts]).decode()
    assert not [word for word in ("Ada", "Lovelace", "Hauptstr", "Nebenstr", "Hafen", "47051") if word in said]


def test_a_carrier_and_its_service_are_two_acts_and_a_refused_one_is_none(business):
    made = []
    carrier = NewCarrier(entity=business.entity, code="DHL", name="Parcel")
    assert [kind for kind, _, _ in acts_of(business, lambda work: made.append(add_carrier(work, carrier).id))] == ["carrier.added"]  # fmt: skip
    service = NewService(carrier=made[0], code="STD", name="Standard", transit_days=2, base_charge=Decimal(5), per_kg=Decimal(1))  # fmt: skip
    ((kind, _, facts),) = acts_of(business, lambda work: add_service(work, service))
    assert (kind, facts["carrier"], facts["transit_days"]) == ("carrier.service_added", made[0], 2)
    with reading(business.database) as session:
        before = verify_chain(session).links
    with pytest.raises(DomainError, match="code_in_use"), business.work() as work:
        add_carrier(work, carrier)
    with reading(business.database) as session:
        assert verify_chain(session).links == before
