"""Which tax do the lines of an invoice bear? Resolved when it is drafted, for the day the goods left, and stamped with the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from erpcore.billing.records import InvoiceRow
from erpcore.fulfilment.records import ShipmentRow
from erpcore.kernel.clock import local_day
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.masterdata.tax import NO_RULE, Tax, Taxed, taxes
from erpcore.orders.addressing import countries_of
from erpcore.orders.documents import Line, Order

#: How tax is rounded, as documents say it.
ROUNDING = "Tax is rounded once for each rate, on the sum of its lines, half away from zero."


def taxes_of(
    work: UnitOfWork, orders: Mapping[int, Order], by_line: Mapping[int, Line], shipments: Sequence[ShipmentRow]
) -> dict[int, Tax]:
    """The tax on each order line of these shipments: from where it left, to where it went, on that day there."""
    known = items(work, {by_line[line].item_id for one in shipments for line, _ in one.lines})
    buyers = customers(work, {orders[one.order_id].customer_id for one in shipments})
    countries = countries_of(work, {one.ship_to_id for one in shipments})
    asked: dict[int, Taxed] = {}
    for one in shipments:
        order, site = orders[one.order_id], site_facts(work, one.site_id)
        buyer = buyers[order.customer_id]
        day = local_day(one.confirmed_at or work.now, site.time_zone)
        to = countries.get(one.ship_to_id, order.ship_country)
        for line, _ in one.lines:
            item = known[by_line[line].item_id]
            asked[line] = Taxed(
                order.entity_id, site.country, to, buyer.id, buyer.tax_class, item.tax_class, day
            )  # fmt: skip
    found = taxes(work, asked.values())
    return {line: found[one] for line, one in asked.items()}


def stamp_taxes(invoice: InvoiceRow, found: Mapping[int, Tax]) -> None:
    """Write rate and rule on each line; the invoice says whether all are determined."""
    for line in invoice.lines:
        tax = found[line.order_line_id]
        line.tax_rate, line.tax_rule_id, line.tax_exemption_id = tax.rate, tax.rule, tax.exemption
    invoice.is_tax_determined = all(line.tax_rate is not None for line in invoice.lines)


def why_undetermined(invoice: InvoiceRow, found: Mapping[int, Tax]) -> str:
    """Why the first line that has no tax has none."""
    return next((found[line.order_line_id].why for line in invoice.lines if line.tax_rate is None), NO_RULE)
