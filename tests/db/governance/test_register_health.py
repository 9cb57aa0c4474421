"""The register as a whole: what was in force month by month, what ran under each variant, which could go, and that none expired in use."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from app.composition.uow import reading
from app.jobs.prove import prove_books
from app.queries.register_health import register_health
from app.queries.register_map import MapCell, register_map
from app.queries.variant_control import NAME, compare_variants
from app.queries.variants import VARIANTS, Asked
from erpcore.kernel.actor import Actor
from erpcore.masterdata.services import ensure_item_group
from governance.variants.kinds import Kind
from governance.variants.models import Variant
from governance.variants.register import Scope
from governance.variants.services import owner_leaves
from readiness.conformance.models import DeviationRow
from tests.support.core import a_business
from tests.support.operate import a_closed_site, open_cells
from tests.support.policies import ASKS, decide
from tests.support.queries import MOST, queries
from tests.support.registered import figured, in_force, ordered

EYES = Actor.system("test")


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def health(business, actor=EYES):
    with reading(business.database) as session:
        return register_health(session, actor, business.clock.now())


def ids(found):
    return [one.term.id for one in found]


def test_what_ran_under_each_variant_is_counted_and_what_nobody_uses_is_proposed(business):
    bremen = a_closed_site(business)
    whole = in_force(business, {"partial_shipment": False}, cost_minor=9_000, cost_currency="EUR")
    tolerance = in_force(business, {"price_tolerance_permille": 25}, scope=Scope(entity=business.entity))
    frozen = in_force(
        business, {"count_freeze": True}, scope=Scope(site=bremen), cost_minor=42_000, cost_currency="EUR"
    )
    ordered(business, 2)
    business.clock.advance(timedelta(days=40))
    ordered(business)
    figured(business)
    page = health(business)
    uses = {one.term.id: (one.use.lately, one.use.ever, one.use.last_on, one.per_document) for one in page.held}
    assert uses == {
        whole: (1, 3, date(2026, 4, 11), 9_000), tolerance: (1, 3, date(2026, 4, 11), None), frozen: (0, 0, None, None),
    }  # fmt: skip
    assert (ids(page.unused), ids(page.idle), page.doubt) == ([frozen], [], "")
    (one,) = page.proposals
    assert one.why == (
        "Proposed for retirement: in force for 40 days, and nothing ran under it. Cost of keeping: 420.00 EUR per month. "
        "Read on 11 April 2026."
    )
    assert ids(page.costly) == [frozen, whole]
    assert (page.costs, page.unsaid_costs) == ((("EUR", 51_000),), 1)
    assert (page.expired.documents, page.expired.stamped) == (0, 3)

    business.clock.advance(timedelta(days=31))
    later = health(business)
    assert (ids(later.unused), ids(later.idle)) == ([frozen], [whole, tolerance])
    assert ids(replace(one.held) for one in later.proposals) == [frozen, whole, tolerance]
    assert (
        "nothing ran under it in the last 30 days, 3 documents or steps before, the last on 11 April 2026"
        in later.proposals[1].why
    )


def test_a_young_variant_and_one_by_the_line_are_not_called_unused(business):
    with business.work() as work:
        group = ensure_item_group(work, "pipes", "Pipes").id
    young = in_force(business, {"partial_shipment": False})
    business.clock.advance(timedelta(days=29))
    by_line = in_force(business, {"substitution_rule": "same_group"}, scope=Scope(item_group=group))
    figured(business)
    page = health(business)
    assert (ids(page.held), ids(page.unused), page.proposals) == ([young, by_line], [], ())
    business.clock.advance(timedelta(days=1))
    assert ids(health(business).unused) == [young]


def test_steps_that_it_covers_are_what_runs_under_a_variant_of_work_by_hand(business):
    by_hand = in_force(business, deviations=("price_overridden",))
    business.clock.advance(timedelta(days=31))
    figured(business)
    assert ids(health(business).unused) == [by_hand]
    with business.database.write_engine.begin() as connection:
        now = business.clock.now()
        connection.execute(
            DeviationRow.__table__.insert().values(
                root_id=1, code="price_overridden", seq=1, process="order_to_cash", realm="live", entity=business.entity,
                site=business.site, channel=business.channel, occurred_at=now, occurred_on=now.date(), is_step=True,
                is_due=False, covered_by=by_hand,
            )
        )  # fmt: skip
    page = health(business)
    assert ids(page.unused) == []
    assert [(one.use.lately, one.use.ever, one.use.last_on) for one in page.held] == [(1, 1, date(2026, 4, 2))]


def test_sprawl_counts_what_was_in_force_at_the_end_of_each_month_by_kind(business):
    first = in_force(business, {"partial_shipment": False})
    business.clock.advance(timedelta(days=31))
    in_force(business, {"price_tolerance_permille": 25}, kind=Kind.STRATEGIC_EXCEPTION, days=20)
    business.clock.advance(timedelta(days=31))
    decide(business, first, "revoke")
    months = health(business).months
    assert len(months) == 12
    assert [(one.at.date(), dict(one.by_kind)) for one in months[-4:]] == [
        (date(2026, 2, 28), {}),
        (date(2026, 3, 31), {"controlled_variation": 1}),
        (date(2026, 4, 30), {"controlled_variation": 1}),
        (date(2026, 5, 3), {}),
    ]
    business.clock.set(business.clock.now() - timedelta(days=15))
    assert dict(health(business).months[-1].by_kind) == {"strategic_exception": 1}


def test_where_scopes_meet_the_more_specific_variant_wins_and_other_companies_are_no_overlap(business):
    bremen = a_closed_site(business)
    wide = in_force(business, {"partial_shipment": False}, scope=Scope(entity=business.entity))
    narrow = in_force(business, {"partial_shipment": False}, scope=Scope(channel=business.channel, site=business.site))
    in_force(business, {"count_freeze": True}, scope=Scope(site=bremen))
    in_force(business, {"partial_shipment": False}, scope=Scope(entity=business.entity + 1))
    found = health(business).overlaps
    assert [(one.point, one.wins.id, one.loses.id) for one in found] == [("partial_shipment", narrow, wide)]


def test_one_whose_owner_left_or_that_says_what_the_standard_says_could_go(business):
    ownerless = in_force(business, {"partial_shipment": False})
    figured(business)
    assert health(business).proposals == ()
    with business.work() as work:
        owner_leaves(work, ASKS.id)
    (one,) = health(business).proposals
    assert one.held.term.id == ownerless
    assert "whoever answered for it left on 2 March 2026" in one.why
    standard = in_force(business, {"partial_shipment": False}, kind=Kind.STANDARD_CHANGE, scope=Scope(), days=None)
    business.clock.advance(timedelta(hours=1))
    figured(business)
    assert "it says what the standard says by now" in health(business).proposals[0].why
    assert standard not in ids(health(business).held)


def test_while_the_figures_are_late_nothing_is_called_unused(business):
    in_force(business, {"partial_shipment": False})
    figured(business)
    business.clock.advance(timedelta(days=40))
    ordered(business)
    business.clock.advance(timedelta(minutes=2))
    page = health(business)
    assert (page.unused, page.idle, page.proposals) == ((), (), ())
    assert "behind" in page.doubt
    with reading(business.database) as session:
        assert "behind" in register_map(session, EYES, business.clock.now()).doubt


def test_no_document_runs_under_an_expired_variant_and_a_forged_end_is_found(business):
    whole = in_force(business, {"partial_shipment": False}, days=30)
    first, second = ordered(business, 2)
    business.clock.advance(timedelta(days=30))
    (after,) = ordered(business)
    figured(business)
    assert (first.variants, second.variants, after.variants) == (str(whole), str(whole), "")
    page = health(business)
    assert (page.expired.documents, page.expired.stamped, ids(page.held)) == (0, 2, [])
    with reading(business.database) as session:
        (found,) = compare_variants(session)
    assert (found.site, found.left, found.right, found.difference) == (business.site, 2, 2, 0)
    with business.database.write_engine.begin() as connection:
        connection.execute(update(Variant).values(valid_from=first.captured_at + timedelta(hours=1)))
    found = [one for one in prove_books(business.database, clock=business.clock) if one.control == NAME]
    assert [(one.left, one.right, one.difference, one.first_key) for one in found] == [(2, 0, 2, f"journey {first.id}")]


def test_what_is_entered_afterwards_is_held_against_the_moment_at_which_it_was_entered(business):
    taken = business.clock.now() - timedelta(hours=2)
    whole = in_force(business, {"partial_shipment": False}, days=30)
    (paper,) = ordered(business, source="back-entry", at=taken)
    figured(business)
    assert (paper.captured_at, paper.variants) == (taken, str(whole))
    page = health(business)
    assert (page.expired.documents, page.expired.stamped) == (0, 1)
    with reading(business.database) as session:
        (found,) = compare_variants(session)
    assert (found.left, found.right) == (1, 1)


def test_the_map_counts_what_reaches_a_site_and_the_share_that_ran_under_a_variant(business):
    bremen = a_closed_site(business)
    ordered(business)
    in_force(business, {"partial_shipment": False}, scope=Scope(channel=business.channel))
    in_force(business, {"count_freeze": True}, scope=Scope(site=bremen))
    in_force(business, deviations=("picked_short",), step="warehouse.pick")
    ordered(business, 3)
    figured(business)
    with queries(business.database) as ran, reading(business.database) as session:
        page = register_map(session, EYES, business.clock.now())
    assert len(ran) <= MOST
    assert page.processes == ("order_to_cash", "warehouse")
    assert page.cells == {
        (business.site, "order_to_cash"): MapCell(variants=1, stamped=4, under=3),
        (bremen, "order_to_cash"): MapCell(variants=1), (bremen, "warehouse"): MapCell(variants=1),
        (business.site, "warehouse"): MapCell(variants=1),
    }  # fmt: skip
    assert page.totals == {"order_to_cash": 1, "warehouse": 2}
    with reading(business.database) as session:
        for site, process in page.cells:
            asked = Asked(values={"effective": True, "reaches": site, "process": process})
            assert VARIANTS.one_page(session, EYES, asked, business.clock.now()).total == 1


def test_somebody_of_one_site_sees_neither_variants_nor_documents_of_another(business):
    bremen = a_closed_site(business)
    mine = in_force(business, {"partial_shipment": False})
    in_force(business, {"count_freeze": True}, scope=Scope(site=bremen))
    ordered(business, 2)
    figured(business)
    here = Actor(id=1, role="site_lead", permissions=frozenset(), sites=frozenset({business.site}))
    there = replace(here, sites=frozenset({bremen}))
    assert ids(health(business, here).held) == [mine]
    assert health(business, here).expired.stamped == 2
    assert health(business, there).expired.stamped == 0
    assert mine not in ids(health(business, there).held)
    with reading(business.database) as session:
        assert {site for site, _ in register_map(session, there, business.clock.now()).cells} == {bremen}
