"""Builders: a site that keeps cost layers or an average, goods that come at a price, late costs, and what the layers say."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import text

from app.composition.uow import reading
from erpcore.inventory.costing.choosing import ChooseCosting, choose_costing
from erpcore.inventory.costing.late import AddLateCost, add_late_costs
from tests.support.supply import a_supplier, ordered, took_in


def chosen(business, method="fifo", *, site=None, actor=None, **changes):
    """The site values its stock by this method from now on; returns the choice."""
    command = ChooseCosting(**{"site": site or business.site, "method": method, "reason": "audit", **changes})
    with business.work(actor) as work:
        return choose_costing(work, [command])[0]


def bought(business, price, quantity, *, item=0, site=None, code=None):
    """Goods that came at a price of their purchase order; returns the goods receipt."""
    supplier = a_supplier(business, code or f"S{str(price).replace('.', '')}", prices=((str(price), item),))
    return took_in(business, ordered(business, supplier, ((item, quantity),), site=site), quantity, item=item)


def cost_came(business, receipt, amount, *, paper="FR 77", actor=None, **changes):
    """Goods of a receipt cost so much more."""
    command = AddLateCost(receipt=receipt.id, paper=paper, amount=Decimal(amount), **changes)
    with business.work(actor) as work:
        return add_late_costs(work, [command])[0]


def layers(business, item=0, site=None):
    """(came, left, value in minor units) of the layers, the first first, in whole units."""
    with reading(business.database) as session:
        rows = session.execute(
            text(
                "SELECT quantity, quantity_left, value_minor FROM cost_layer WHERE item_id = :item AND site_id = :site "
                "ORDER BY came_at, id"
            ),
            {"item": business.items[item], "site": site or business.site},
        )
        return [(row[0] // 1000, row[1] // 1000, row[2]) for row in rows]


def worth(business, item=0, site=None):
    """(method, on hand in whole units, value in minor units) of an item at a site."""
    with reading(business.database) as session:
        row = session.execute(
            text("SELECT method, on_hand, value_minor FROM stock_balance WHERE item_id = :item AND site_id = :site"),
            {"item": business.items[item], "site": site or business.site},
        ).one()
        return (row[0], row[1] // 1000, row[2])


def posted(business, role, rule=None):
    """What entries (of a rule) put on the account, debit positive, in minor units."""
    with reading(business.database) as session:
        return session.execute(
            text(
                "SELECT COALESCE(SUM(l.debit_minor - l.credit_minor), 0) FROM journal_line l "
                "JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id "
                "WHERE a.role = :role AND (:rule = '' OR e.rule = :rule)"
            ),
            {"role": role, "rule": rule or ""},
        ).scalar_one()
