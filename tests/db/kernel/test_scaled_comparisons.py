"""A quantity compares as people say it, a difference of quantities in thousandths: alike on both databases."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select

from app.composition.uow import reading
from erpcore.inventory.models import StockBalance
from tests.support.core import a_business


def test_a_column_compares_in_units_and_a_difference_in_thousandths(database):
    business = a_business(database, items=1, stock=10)
    free = StockBalance.on_hand - StockBalance.reserved
    with reading(database) as session:

        def found(condition):
            return session.scalars(select(StockBalance.item_id).where(condition)).all() == [business.items[0]]

        assert found(StockBalance.on_hand >= 10)
        assert not found(StockBalance.on_hand > 10)
        assert found(free >= 10_000)
        assert not found(free > 10_000)
        assert found(free > StockBalance.reserved)
        assert session.scalar(select(StockBalance.on_hand)) == Decimal(10)
        assert session.scalar(select(free)) == 10_000
