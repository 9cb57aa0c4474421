"""A business whose parcels a carrier drives, and the bills that the carrier sends."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import text

from app.composition.uow import reading
from app.importers.carrierbills import BillHead, take_typed_bill, typed_lines
from erpcore.billing.freight.posting import post_bill, reverse_bill
from erpcore.fulfilment.carriers.models import Carrier
from erpcore.fulfilment.packing.services import PackCarton, pack_cartons
from erpcore.fulfilment.shipping import ShipShipment, ship_shipments
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import ANNA, a_floor, a_task, person, picked_by
from tests.support.steps import allocated

CLERK, FINANCE, OTHER = person(301, "billing"), person(302, "finance"), person(303, "finance")
DAY = date(2026, 3, 2)


def a_sender(database, **more):
    """A business whose parcels DHL drives at 4.50 and 0.30 a kilogram: a parcel of 8.2 kg is expected to cost 6.96."""
    business = a_business(database, stock=1_000, **more)
    business.floor = a_floor(business)
    with reading(database) as session:
        business.carrier = session.query(Carrier.id).filter_by(entity_id=business.entity).scalar()
    return business


def packed(business, quantity=10):
    """A parcel that is packed and has not left."""
    (task,) = a_task(business, allocated(business, ((0, quantity),)))
    shipment = picked_by(business, ANNA, task.id).shipments[0]
    with business.work(ANNA) as work:
        pack_cartons(work, [PackCarton(shipment=shipment.id, carton_type=business.floor.box, weight_kg=Decimal("8.2"))])
    return shipment


def sent(business, tracking=None, quantity=10):
    """A parcel that has left, under this tracking number: 6.96 are expected for it."""
    shipment = packed(business, quantity)
    with business.work(ANNA) as work:
        return ship_shipments(
            work, [ShipShipment(shipment=shipment.id, tracking_number=tracking)], rules=RULES, cells=OPEN
        )[0]


def take(business, lines, number="R-1", *, total=None, who=CLERK, day=DAY, **head):
    """Take a bill of typed lines (``shipment; amount; tax``), whose total is their sum unless told otherwise."""
    entries = typed_lines("\n".join(lines), "EUR")
    minor = sum(one.amount_minor + one.tax_minor for one in entries) if total is None else total
    command = BillHead(
        carrier=business.carrier, site=business.site, number=number, billed_on=day, total_minor=minor, **head
    )
    with business.work(who) as work:
        return take_typed_bill(work, command, entries, rules=RULES)


def post(business, bill, who=FINANCE, **more):
    with business.work(who) as work:
        return post_bill(work, bill, rules=RULES, **more)


def reverse(business, bill, why="billed for another company", who=FINANCE):
    with business.work(who) as work:
        reverse_bill(work, bill, reason=why)


def rows(business, sql):
    with reading(business.database) as session:
        return [tuple(row) for row in session.execute(text(sql))]


def found(business, bill):
    """What each line was found to be, and why."""
    return rows(business, f"SELECT result, explanation FROM carrier_bill_line WHERE bill_id = {bill} ORDER BY line_no")


def line_ids(business, bill):
    return [
        key for (key,) in rows(business, f"SELECT id FROM carrier_bill_line WHERE bill_id = {bill} ORDER BY line_no")
    ]


def sums(business):
    """What stands on the accounts of freight."""
    sql = (
        "SELECT a.role, SUM(l.debit_minor - l.credit_minor) FROM journal_line l JOIN ledger_account a ON a.id = l.account_id "
        "WHERE a.role IN ('freight', 'freight_accrued', 'payable', 'input_tax') GROUP BY a.role"
    )
    return {role: int(minor) for role, minor in rows(business, sql) if minor}
