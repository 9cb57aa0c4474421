"""Which tax do the lines of an invoice bear? Resolved when it is drafted, for the day the goods left, and stamped with the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from erpcore.billing.records import InvoiceRow
from erpcore.fulfilment.records import ShipmentRow
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.masterdata.tax import NO_RULE, Tax, Taxed, taxes
from erpcore.masterdata.tax_models import TaxRate
from erpcore.orders.addressing import countries_of
from erpcore.orders.documents import Line, Order

#: How tax is rounded, as documents say it.
ROUNDING = "Tax is rounded once for each rate, on the sum of its lines, half away from zero."
#: What holds of credits besides.
ROUNDING_OF_CREDITS = "All credits of an invoice together give back the tax that it charged, and never more."


class Resolved(NamedTuple):
    """The tax on what a shipment holds of an order line; ``day``: the one it is unknown for, ``None`` where it is known."""

    tax: Tax
    day: date | None


def taxes_of(
    work: UnitOfWork, orders: Mapping[int, Order], by_line: Mapping[int, Line], shipments: Sequence[ShipmentRow]
) -> dict[tuple[int, int], Resolved]:
    """The tax by shipment and order line: from where it left, to where it went, on that day there."""
    known = items(work, {by_line[line].item_id for one in shipments for line, _ in one.lines})
    buyers = customers(work, {orders[one.order_id].customer_id for one in shipments})
    countries = countries_of(work, {one.ship_to_id for one in shipments})
    asked: dict[tuple[int, int], Taxed] = {}
    for one in shipments:
        order, site = orders[one.order_id], site_facts(work, one.site_id)
        buyer = buyers[order.customer_id]
        day = local_day(one.confirmed_at or work.now, site.time_zone)
        to = countries.get(one.ship_to_id, order.ship_country)
        for line, _ in one.lines:
            item = known[by_line[line].item_id]
            asked[one.id, line] = Taxed(
                order.entity_id, site.country, to, buyer.id, buyer.tax_class, item.tax_class, day
            )  # fmt: skip
    found = taxes(work, asked.values())
    return {key: Resolved(found[one], one.on if found[one].rate is None else None) for key, one in asked.items()}


def under_one_tax(
    shipments: Sequence[ShipmentRow], found: Mapping[tuple[int, int], Resolved]
) -> list[tuple[list[ShipmentRow], dict[int, Tax]]]:
    """The shipments of a collective invoice, apart where parts of one order line bear different taxes: each with its taxes by line.

    A line of an invoice has one tax. What left before a rate changed and what left after it go on invoices of their own.
    """
    groups: list[tuple[list[ShipmentRow], dict[int, Resolved]]] = []
    for one in shipments:
        of = {line: found[one.id, line] for line, _ in one.lines}
        for held, known in groups:
            if all(known.get(line, tax) == tax for line, tax in of.items()):
                held.append(one)
                known.update(of)
                break
        else:
            groups.append(([one], of))
    return [(held, {line: each.tax for line, each in known.items()}) for held, known in groups]


def stamp_taxes(invoice: InvoiceRow, found: Mapping[int, Tax]) -> None:
    """Write rate and rule on each line; the invoice says whether all are determined."""
    for line in invoice.lines:
        tax = found[line.order_line_id]
        line.tax_rate, line.tax_rule_id, line.tax_exemption_id = tax.rate, tax.rule, tax.exemption
    invoice.is_tax_determined = all(line.tax_rate is not None for line in invoice.lines)


def why_undetermined(invoice: InvoiceRow, found: Mapping[int, Tax]) -> str:
    """Why the first line that has no tax has none; empty when all have one."""
    if invoice.is_tax_determined:
        return ""
    return next((found[line.order_line_id].why for line in invoice.lines if line.tax_rate is None), NO_RULE)


def is_taxed(invoice: InvoiceRow) -> bool:
    """Whether each line bears a tax: one that a rule determined, or one that somebody named."""
    return all(line.tax_rate is not None for line in invoice.lines)


def named_tax(work: UnitOfWork, entity: int, rule: int) -> Tax:
    """The tax of a rule that somebody names, though it does not fit by itself; raises ``NotFound`` for one of another company."""
    (row,) = read_rows(work, TaxRate, ("id", "entity_id", "rate"), "id", [rule]) or (None,)
    if row is None or row.entity_id != entity:
        raise NotFound("tax_rule_unknown", field="tax_rule", rule=rule)
    return Tax(int(row.rate), row.id)


def name_tax(invoice: InvoiceRow, tax: Tax) -> list[dict[str, int | None]]:
    """Stamp the lines that bear no tax with this one; returns what of them is to be saved. That it was named stays visible: the
    invoice's tax is not determined by itself.
    """
    named = [line for line in invoice.lines if line.tax_rate is None]
    for line in named:
        line.tax_rate, line.tax_rule_id = tax.rate, tax.rule
    return [
        {
            "invoice": invoice.id, "line": line.order_line_id, "new_tax_rate": line.tax_rate, "new_tax_rule_id": line.tax_rule_id,
            "new_tax_exemption_id": None,
        }
        for line in named
    ]  # fmt: skip
