"""What the impact graph counts: things and not rows, documents once, the rules that were met, and days where a company is."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select, update

from app.composition.approving import Ask, ask
from app.composition.uow import reading
from app.queries.impact.consequences import consequences
from app.queries.impact.kinds import Kind
from erpcore.orders.models import SalesOrder
from erpcore.pricing.models import PriceRule
from governance.approvals.models import ApprovalRule
from governance.approvals.rules import Facts, Materiality
from governance.raci.models import RaciDuty
from tests.support.approvals import KIND, a_rule, asked, person, things
from tests.support.impact import Named, a_named_world, a_viewer
from tests.support.processes import the_set
from tests.support.steering import a_programme


def _group(level, kind):
    return next(group for group in level.groups if group.kind is kind)


def _then(named, kind, key):
    found = named.walk(kind, key)
    with reading(named.steered.database) as session:
        return found, consequences(session, a_viewer(), found, named.clock.now())


def test_of_a_relation_with_several_rows_things_are_counted(database, clock):
    named = a_named_world(database, clock)
    duties = (
        (named.steered.chair.id, "responsible"), (named.steered.chair.id, "consulted"), (named.steered.office.id, "informed"),
    )  # fmt: skip
    with named.steered.work() as work:
        for holder, duty in duties:
            work.session.add(
                RaciDuty(
                    id=work.ids.one(), subject_kind="data_domain", subject="price", duty=duty, holder_kind="person",
                    holder_id=holder, given_by=1, given_at=work.now, reason="for this test",
                )
            )  # fmt: skip
    people = _group(named.walk("data-domain", "price", most=1).touches[0], Kind.PERSON)
    assert [len(people.things), people.left, people.total] == [1, 1, 2]
    # The one thing that is read keeps all that leads to it.
    assert sorted(len(edges) for edges in people.things.values()) in ([1], [2])
    assert _group(named.walk("data-domain", "price").touches[0], Kind.PERSON).left == 0


def test_an_open_order_counts_once_however_many_things_next_to_it_have_it(database, clock):
    named = a_named_world(database, clock)
    _, then = _then(named, "variant", named.variant)
    assert [(one.of.kind, one.number) for one in then.open] == [(Kind.VARIANT, 2)]
    _, then = _then(named, "variant", named.hidden)
    assert then.open == ()  # nothing ran under it, whatever is open at its site
    _, then = _then(named, "wave", named.steered.wave)
    assert [(one.of.kind, one.number) for one in then.open] == [(Kind.SITE, 2)]
    # One id that is the beginning of another is another variant.
    with named.steered.work() as work:
        one = work.session.scalars(select(SalesOrder.id).limit(1)).one()
        work.session.execute(
            update(SalesOrder).where(SalesOrder.id == one).values(variants=f"{named.variant}1,{named.hidden}")
        )
    assert [one.number for one in _then(named, "variant", named.variant)[1].open] == [1]
    assert [one.number for one in _then(named, "variant", named.hidden)[1].open] == [1]


def test_a_wave_that_changes_is_a_matter_for_its_gate_and_for_who_does_its_processes(database, clock):
    named = a_named_world(database, clock)
    found, then = _then(named, "wave", named.steered.wave)
    assert then.gates == ("W2 entry gate",)
    assert "Warehouse supervisor" in [found.name(ref).label for ref in then.roles]
    # Site, cell, wave: its gate is three steps away.
    found, then = _then(named, "site", named.duisburg)
    assert then.gates == ("W2 entry gate",)
    found, then = _then(named, "process", "warehouse")
    assert "Warehouse supervisor" in [found.name(ref).label for ref in then.roles]
    found, then = _then(named, "policy-point", "partial_shipment")
    assert [text for _, text in then.trainings] == ["Loading whole orders", "Loading whole orders"][
        : len(then.trainings)
    ]
    assert then.trainings
    found, then = _then(named, "person", named.steered.finance.id)
    assert then.gates == ("W2 entry gate",)
    # Who may not see gates does not learn of them this way.
    floor = a_viewer("warehouse_operator", sites=frozenset({named.duisburg}))
    assert not [ref for ref in named.walk("step", "warehouse.ship", who=floor).turned if ref.kind is Kind.GATE]


def test_a_rule_of_approval_has_the_requests_that_met_it_and_no_others(database, clock):
    steered = a_programme(database, clock)
    the_set(database, clock, owner=steered.finance.id)
    made, business = things(), steered.business
    made.versions.update({2: 1, 3: 1})
    high = a_rule(business, "high", materiality=Materiality.HIGH)
    usual = a_rule(business, "usual", capacity="role:pmo")
    asker = person(business, "process_owner")
    asked(business, asker, subject=1, facts=Facts(materiality=Materiality.LOW))
    asked(business, asker, subject=2, facts=Facts(materiality=Materiality.LOW))
    asked(business, asker, subject=3, facts=Facts(materiality=Materiality.HIGH))
    named = a_walker(steered, clock)
    assert _requests(named, usual) == ["2 requests that wait"]
    assert _requests(named, high) == ["1 request that waits"]
    # What waits keeps the rules that it was asked under; the next version has what is asked from then on.
    with business.work() as work:
        work.session.execute(update(ApprovalRule).where(ApprovalRule.id == high).values(state="ended"))
    later = a_rule(business, "higher", materiality=Materiality.HIGH)
    assert _requests(named, later) == []
    assert _requests(named, high) == ["1 request that waits"]


def test_a_variant_that_waits_is_touched_by_the_rules_it_met(database, clock):
    named = a_named_world(database, clock)
    things()
    business = named.steered.business
    high, usual = a_rule(business, "high", materiality=Materiality.HIGH), a_rule(business, "usual")
    with business.work(person(business, "process_owner")) as work:
        asked_for = Ask(
            kind=KIND, subject_type="variant", subject_id=named.variant, subject_version=1, summary="V-1",
            facts=Facts(materiality=Materiality.LOW),
        )  # fmt: skip
        ask(work, asked_for)
    rules = _group(named.walk("variant", named.variant).touched_by[0], Kind.APPROVAL_RULE)
    assert [ref.id for ref in rules.things] == [str(usual)]
    assert not any(group.kind is Kind.VARIANT for group in named.walk("approval-rule", high).touches[0].groups)


def test_what_ends_with_a_day_is_over_when_that_day_begins_where_its_company_is(database, clock):
    named = a_named_world(database, clock)
    with named.steered.work() as work:
        work.session.execute(update(PriceRule).where(PriceRule.id == named.price).values(valid_until=date(2026, 3, 3)))
    before = named.walk("item-group", named.group)
    assert _group(before.touched_by[0], Kind.PRICE_RULE).total == 1
    in_force = [one.number for one in named.walk("data-domain", "price").counts if one.tally.name == "prices"]
    clock.advance(
        timedelta(hours=14, minutes=30)
    )  # half past midnight of 3 March in Berlin, and still the 2nd in London
    assert clock.now().date() == date(2026, 3, 2)
    after = named.walk("item-group", named.group)
    assert not [group for group in after.touched_by[0].groups if group.kind is Kind.PRICE_RULE]
    left = [one.number for one in named.walk("data-domain", "price").counts if one.tally.name == "prices"]
    assert sum(left) == sum(in_force) - 1


def a_walker(steered, clock):
    """Walks in a programme that has no named world."""
    return Named(steered, clock, 0, 0, 0, 0, 0, 0)


def _requests(named, rule):
    found = named.walk("approval-rule", rule)
    return [one.words for one in found.counts if one.tally.name == "requests"]
