"""A rule that contradicts one in force is refused by name when it is saved, whatever kind it is, and nothing else changes.

Prices and rules of approval have theirs beside their own tests. What is kept by key, or where the youngest holds (lanes, taxes), has
nothing to contradict.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from erpcore.billing.dunning.procedures import WriteProcedure, write_procedure
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError
from erpcore.masterdata.commitments import NewCommitment, keep_commitments
from erpcore.masterdata.lanes import KeepLane, keep_lanes
from erpcore.orders.protections import ProtectStock, protect_stock
from governance.variants.services import SettleVariant, settle_variant
from tests.support.core import a_business
from tests.support.dunning import LEVELS
from tests.support.policies import DECIDES, approve, ask_for
from tests.support.rows import rows
from tests.support.trader import fingerprint_of

ANYBODY = Actor.system("test")


def a_commitment(business):
    command = NewCommitment(site=business.site, channel=business.channel, lead_days=9, valid_from=date(2026, 1, 1))
    return ANYBODY, lambda work: keep_commitments(work, [command])


def a_protection(business):
    def command(quantity):
        return ProtectStock(
            site=business.site, item=business.items[0], customer=business.customer, quantity=Decimal(quantity),
            contract="F-7", valid_from=date(2026, 3, 2),
        )  # fmt: skip

    with business.work() as work:
        protect_stock(work, [command(5)])
    return ANYBODY, lambda work: protect_stock(work, [command(9)])


def a_dunning_procedure(business):
    def command(name):
        return WriteProcedure(
            entity=business.entity,
            name=name,
            valid_from=date(2026, 3, 9),
            levels=LEVELS,
            interval_days=7,
            min_total_minor=0,
        )

    with business.work() as work:
        write_procedure(work, command("Usual"))
    return ANYBODY, lambda work: write_procedure(work, command("Strict"))


def a_policy(point, value, other):
    """Two approved variants of one rank for one point and place."""

    def kind(business):
        asked = ask_for(business, point, other)
        approve(business, point, value)
        return DECIDES, lambda work: settle_variant(
            work, SettleVariant(variant=asked, is_agreed=True, reason="as well")
        )

    return kind


KINDS = {
    "service commitment": (a_commitment, "commitment_overlaps"),
    "stock protection": (a_protection, "protection_exists"),
    "dunning procedure": (a_dunning_procedure, "dunning_overlaps"),
    "allocation policy": (a_policy("allocation_rule", "priority", "fair_share"), "variant_overlaps"),
    "sourcing policy": (a_policy("sourcing_rule", "nearest", "most_stock"), "variant_overlaps"),
    "backorder policy": (a_policy("backorder_rule", "cancel_after_days", "re_promise"), "variant_overlaps"),
    "take-back policy": (a_policy("take_back_rule", "never", "second_person"), "variant_overlaps"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_that_contradicts_another_is_refused_and_nothing_else_changes(database, kind):
    business = a_business(database, items=1)
    make, code = KINDS[kind]
    who, act = make(business)
    before = fingerprint_of(database)
    with pytest.raises(DomainError) as refused, business.work(who) as work:
        act(work)
    assert refused.value.code == code
    assert fingerprint_of(database) == before


def test_a_lane_kept_again_replaces_the_one_before_and_stands_alone(database):
    business = a_business(database, items=1)
    for days, cost in ((2, 500), (4, 900)):
        with business.work() as work:
            keep_lanes(work, [KeepLane(site=business.site, country="Germany", transit_days=days, cost_minor=cost)])
    assert rows(database, "SELECT transit_days, cost_minor FROM sourcing_lane") == [(4, 900)]
