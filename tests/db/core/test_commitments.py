"""Service commitments: one at a time for the same customers, the committed day of each line comes from them and never changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from erpcore.kernel.errors import Conflict
from erpcore.masterdata.commitments import NewCommitment, end_commitment, keep_commitments
from erpcore.masterdata.services import NewCustomer, add_customers, ensure_channel, ensure_customer_group
from erpcore.orders.services import capture_orders
from tests.db.core.test_purchases import refused
from tests.support.core import OPEN, RULES, a_business
from tests.support.supply import column
from tests.support.threads import at_once
from tests.support.warehouse import day

TUESDAYS_AND_FRIDAYS = 2 | 16


def kept(business, **changes):
    with business.work() as work:
        return keep_commitments(work, [command(business, **changes)])[0]


def command(business, **changes):
    return NewCommitment(
        **{
            "site": business.site,
            "channel": business.channel,
            "lead_days": 1,
            "valid_from": date(2020, 1, 1),
            **changes,
        }
    )


def a_group_customer(business):
    with business.work() as work:
        group = ensure_customer_group(work, "key", "Key accounts").id
        new = NewCustomer(
            entity=business.entity, code="900", name="Big", country="Germany", currency="EUR", group=group
        )
        return group, add_customers(work, [new])[0].id


def committed(business, customer=None):
    order = business.order()
    with business.work() as work:
        (made,) = capture_orders(work, [replace(order, customer=customer or order.customer)], rules=RULES, cells=OPEN)
    return made.lines[0].committed_on


def test_a_group_s_own_commitment_beats_the_standard_one(database):
    business = a_business(database)
    group, big = a_group_customer(business)
    assert committed(business, big) == day(2)
    kept(business, group=group, lead_days=1, fill_target_permille=980)
    assert (committed(business, big), committed(business)) == (day(1), day(2))


def test_a_committed_day_falls_on_a_day_that_is_served(database):
    business = a_business(database)
    group, big = a_group_customer(business)
    kept(business, group=group, lead_days=2, weekdays=TUESDAYS_AND_FRIDAYS)
    # Ordered on Monday, two days on is Wednesday, the next day served is Friday.
    assert committed(business, big) == day(4)


def test_a_later_commitment_leaves_what_was_committed_before(database):
    business = a_business(database)
    before = committed(business)
    (old,) = column(business, "SELECT id FROM service_commitment")
    with business.work() as work:
        end_commitment(work, old, day(1))
    kept(business, lead_days=6, valid_from=day(1))
    assert column(business, "SELECT committed_on FROM order_line") == [
        before if database.is_sqlite is False else before.isoformat()
    ]
    business.clock.set(business.clock.now() + timedelta(days=1))
    assert committed(business) == day(9)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "commitment_overlaps"), ({"valid_from": date(2030, 1, 1)}, "commitment_overlaps"),
        ({"valid_from": date(2019, 1, 1), "valid_until": date(2020, 1, 2)}, "commitment_overlaps"),
        ({"valid_from": date(2019, 1, 1), "valid_until": date(2019, 1, 1)}, "validity_empty"),
        ({"lead_days": -1}, "commitment_days"), ({"transit_days": 999}, "commitment_days"),
        ({"weekdays": 0}, "commitment_weekdays"), ({"weekdays": 128}, "commitment_weekdays"),
        ({"fill_target_permille": 1001}, "commitment_fill"), ({"basis": "hope"}, "choice_unknown"),
        ({"group": 77}, "customer_group_unknown"), ({"channel": 77}, "channel_unknown"),
    ],
)  # fmt: skip
def test_what_contradicts_or_makes_no_sense_is_not_kept(database, changes, code):
    business = a_business(database)
    refused(business, code, lambda work: keep_commitments(work, [command(business, **changes)]), None)


def test_what_ends_where_the_next_begins_is_no_overlap(database):
    business = a_business(database)
    kept(business, valid_from=date(2019, 1, 1), valid_until=date(2020, 1, 1))
    with pytest.raises(Conflict):
        kept(business, valid_from=date(2019, 6, 1), valid_until=date(2019, 7, 1))


def test_two_who_keep_the_same_at_once_keep_one(database):
    business = a_business(database)
    with business.work() as work:
        other = ensure_channel(work, "edi", "EDI").id
    results = at_once(*([lambda: kept(business, channel=other) and None] * 2))
    assert sorted(type(one).__name__ for one in results) == ["Conflict", "NoneType"]
    assert column(business, "SELECT COUNT(*) FROM service_commitment WHERE channel_id = :c", c=other) == [1]
