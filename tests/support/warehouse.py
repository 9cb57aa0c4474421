"""Builders: a warehouse with places, tracked items, goods on their way, and people who work there."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import text

from app.composition.uow import reading
from erpcore.inventory.adjusting import Adjust, adjust
from erpcore.inventory.places import AddLocation, KeepItem, add_locations, keep_item
from erpcore.inventory.receiving import Expect, ReceivedLine, ReceiveGoods, expect_receipts, receive_goods
from erpcore.kernel.actor import Actor
from erpcore.masterdata.services import NewSite, add_site
from tests.support.core import MONDAY, OPEN, RULES

TODAY = MONDAY.date()
WAREHOUSE = frozenset(
    {
        "warehouse:stock:receive", "warehouse:stock:count", "warehouse:stock:adjust", "warehouse:stock:put_away",
        "warehouse:stock:change_status", "warehouse:count:plan", "warehouse:count:approve", "warehouse:transfer:ship",
        "warehouse:receipt:expect", "warehouse:stock:approve_adjustment", "warehouse:location:change",
    }
)  # fmt: skip


def somebody(number, *, sites=None):
    """A person of the warehouse who may do everything there."""
    return Actor(id=number, role="warehouse_supervisor", permissions=WAREHOUSE, sites=sites)


ANNA, BEN, CARLA = somebody(101), somebody(102), somebody(103)


def locations(business, *codes, kind="storage", site=None):
    """Locations in walking order; returns their ids."""
    with business.work() as work:
        return add_locations(
            work,
            [AddLocation(site=site or business.site, code=code, kind=kind, walk=n) for n, code in enumerate(codes, 1)],
        )


def second_site(business, code="HAM", **changes):
    """Another site of the entity."""
    with business.work() as work:
        return add_site(
            work,
            NewSite(
                **{
                    "entity": business.entity, "code": code, "name": "Hamburg", "kind": "branch", "country": "Germany",
                    "time_zone": "Europe/Berlin", **changes,
                }
            ),
        ).id  # fmt: skip


def tracked(business, how, item=0):
    """The item is kept by lot or serial number from now on; nothing of it may be there yet."""
    with business.work() as work:
        keep_item(work, KeepItem(item=business.items[item], tracking=how))


def received(business, quantity, *, item=0, actor=None, site=None, **line):
    """A goods receipt of one line."""
    with business.work(actor) as work:
        return receive_goods(
            work,
            ReceiveGoods(
                site=site or business.site, paper="DN 771",
                lines=[ReceivedLine(item=business.items[item], quantity=Decimal(quantity), **line)],
            ),
            rules=RULES, cells=OPEN,
        )  # fmt: skip


def expected(business, quantity, *, item=0, days=3, site=None, **changes):
    """An expected receipt; returns its id."""
    with business.work() as work:
        (key,) = expect_receipts(
            work,
            [
                Expect(
                    **{
                        "site": site or business.site, "item": business.items[item], "quantity": Decimal(quantity),
                        "expected_on": TODAY + timedelta(days=days), "number": "PO-1", "supplier": "Rohrwerk AG", **changes,
                    }
                )
            ],
            rules=RULES, cells=OPEN,
        )  # fmt: skip
    return key


def adjusted(business, quantity, *, actor=ANNA, item=0, **changes):
    """An adjustment asked for by Anna."""
    with business.work(actor) as work:
        (done,) = adjust(
            work,
            [
                Adjust(
                    **{
                        "site": business.site, "item": business.items[item], "quantity": Decimal(quantity), "reason": "damaged",
                        "note": "fell off the shelf", **changes,
                    }
                )
            ],
            rules=RULES, cells=OPEN,
        )  # fmt: skip
    return done


def no_names(work, lines):
    """Orders by the ids of their lines."""
    return [f"line {line}" for line in lines]


def balance(business, *, item=0, site=None):
    """(on hand, reserved, blocked, placed) of an item, in whole units."""
    with reading(business.database) as session:
        row = session.execute(
            text("SELECT on_hand, reserved, blocked, placed FROM stock_balance WHERE site_id = :s AND item_id = :i"),
            {"s": site or business.site, "i": business.items[item]},
        ).one_or_none()
    return tuple(int(value) // 1000 for value in row) if row else (0, 0, 0, 0)


def bins(business, *, item=0, site=None):
    """{(location, lot, status): quantity} of what is not empty, by codes."""
    with reading(business.database) as session:
        rows = session.execute(
            text(
                "SELECT l.code AS location, t.code AS lot, b.status, b.quantity FROM stock_bin b "
                "LEFT JOIN location l ON l.id = b.location_id LEFT JOIN lot t ON t.id = b.lot_id "
                "WHERE b.quantity > 0 AND b.site_id = :s AND b.item_id = :i"
            ),
            {"s": site or business.site, "i": business.items[item]},
        ).all()
    return {(row.location, row.lot, row.status): int(row.quantity) // 1000 for row in rows}


def lot_id(business, code, item=0):
    """The id of a lot by its code."""
    with reading(business.database) as session:
        return session.execute(
            text("SELECT id FROM lot WHERE code = :c AND item_id = :i"), {"c": code, "i": business.items[item]}
        ).scalar_one()


def everything(business):
    """How many rows each table has and what the balances and bins say: what a refusal must leave as it is."""
    tables = (
        "stock_move", "stock_bin", "bin_hold", "goods_receipt", "goods_receipt_line", "expected_receipt", "stock_transfer",
        "stock_transfer_line", "count_task", "stock_adjustment", "journal_entry", "journal_line", "event_log", "transition", "lot",
        "reservation", "period_close", "sales_order", "order_line", "item_unit",
    )  # fmt: skip
    with reading(business.database) as session:
        counts = {name: session.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one() for name in tables}
        states = [
            session.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2")).all()
            for name in ("stock_balance", "stock_bin", "expected_receipt", "count_task", "stock_transfer_line")
        ]
    return counts, states


def day(offset):
    """So many days from the Monday on which tests play."""
    return TODAY + timedelta(days=offset)


YESTERDAY = date.fromordinal(TODAY.toordinal() - 1)
