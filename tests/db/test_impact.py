"""The impact graph: exact edges of a built story, what is hidden stays hidden and uncounted, and its cost does not grow."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import insert

from app.composition.uow import reading
from app.queries.impact.consequences import consequences
from app.queries.impact.kinds import Kind, Ref
from app.queries.impact.walk import read_kind, search
from erpcore.kernel.errors import NotAllowed, NotFound
from erpcore.pricing.models import PriceRule
from governance.variants.models import Variant
from tests.support.impact import a_named_world, a_viewer, sentences
from tests.support.queries import queries

#: One walk with its sums, over two levels or three and however much is on them.
MOST_OF_A_WALK = 16


def _group(level, kind):
    return next(group for group in level.groups if group.kind is kind)


def test_records_that_name_each_other_are_edges_in_both_directions(database, clock):
    named = a_named_world(database, clock)
    found = named.walk("variant", named.variant)
    assert sentences(found, found.touches[0]) == [
        "V-1 departs from the standard of Ship", "V-1 sets Partial shipment to no", "V-1 holds at Duisburg",
        "V-1 is answered for by Selin Yildiz", "V-1 has Martin Albers as deputy of its owner",
        "V-1 sets the rules of 2 open orders",
    ]  # fmt: skip
    second = sentences(found, found.touches[1])
    assert {
        "Ship is measured by On time in full, lines", "Ship is done by Warehouse supervisor", "Ship is a step of Warehouse",
        "Ship hands over to Invoice: what left", "Ship is checked for “Shipped before release”",
        "Partial shipment decides how Release the order is done", "Duisburg has the cell Duisburg · Wholesale",
        "Duisburg has 2 open orders",
    } <= set(second)  # fmt: skip
    assert "Partial shipment decides how Ship is done" not in second  # Ship is one step away already
    assert "Invoices right at posting is read by Invoices (W2 entry gate)" not in second
    back = named.walk("step", "warehouse.ship")
    assert {
        "V-1 departs from the standard of Ship",
        "R-1 bears on Ship",
        "Partial shipment decides how Ship is done",
    } <= set(sentences(back, back.touched_by[0]))
    gate = named.walk("measure", "invoice_right_at_posting")
    assert [sentences(gate, level) for level in gate.touches[:2]] == [
        ["Invoices right at posting is read by Invoices (W2 entry gate)"], ["Invoices (W2 entry gate) counts in W2 entry gate"],
    ]  # fmt: skip
    assert sentences(gate, gate.touched_by[0]) == ["Invoice is measured by Invoices right at posting"]
    price = named.walk("price-rule", named.price)
    assert price.name(price.centre).label == "Contract price of Pipes for Bautechnik"
    near = sentences(price, price.touches[0])
    said = "Contract price of Pipes for Bautechnik"
    assert {
        f"{said} prices items of Pipes",
        f"{said} holds for Bautechnik",
        f"{said} is part of the data domain Prices",
    } <= set(near)
    assert f"{said} gives prices that Take the order works with, by Price tolerance" in near
    assert "The data domain Prices is read and written in Order to cash" in sentences(price, price.touches[1])
    group = named.walk("item-group", named.group)
    assert sentences(group, group.touched_by[0]) == [f"{said} prices items of Pipes"]
    with reading(database) as session:
        then = consequences(session, a_viewer(), found, clock.now())
    assert [found.name(ref).label for ref in then.sites] == ["Duisburg"]
    # What was ordered under the variant; the same orders stand at its site, and count once.
    assert [(one.of.kind, one.number) for one in then.open] == [(Kind.VARIANT, 2)]
    assert [found.name(ref).label for ref in then.owners] == ["Selin Yildiz", "Martin Albers"]
    assert then.trainings == ((found.centre, "Loading whole orders"),)


def test_what_one_may_not_see_is_neither_named_nor_counted_nor_walked_to(database, clock):
    named = a_named_world(database, clock)
    point = Kind.POINT.value
    everybody = named.walk(point, "partial_shipment")
    assert _group(everybody.touched_by[0], Kind.VARIANT).total == 2
    lead = a_viewer("site_lead", sites=frozenset({named.duisburg}))
    mine = named.walk(point, "partial_shipment", who=lead)
    assert [ref.id for ref in _group(mine.touched_by[0], Kind.VARIANT).things] == [str(named.variant)]
    assert not any(group.kind is Kind.RISK for level in mine.touched_by for group in level.groups)
    for kind, key in (("variant", named.hidden), ("site", named.bremen), ("risk", named.risk)):
        with pytest.raises(NotFound, match="impact_unknown"):
            named.walk(kind, key, who=lead)
    trail = [
        Ref(Kind.VARIANT, str(named.hidden)),
        Ref(Kind.PERSON, str(named.steered.chair.id)),
        Ref(Kind.SITE, str(named.duisburg)),
    ]
    assert named.walk(point, "partial_shipment", who=lead, trail=trail).trail == (trail[2],)
    # Of a person one learns what records say that one may see, and nothing of somebody whom none of them names.
    owner = named.walk("person", named.steered.warehouse.id, who=lead)
    assert "V-1 is answered for by Selin Yildiz" in sentences(owner, owner.touched_by[0])
    assert "V-2 is answered for by Selin Yildiz" not in sentences(owner, owner.touched_by[0])
    with reading(database) as session:
        assert search(session, lead, "whole", clock.now()).get(Kind.VARIANT, {}).keys() == {
            Ref(Kind.VARIANT, str(named.variant))
        }
        assert search(session, lead, "Bremen", clock.now()) == {}
        assert search(session, lead, "%", clock.now()) == search(session, lead, "a\0b", clock.now()) == {}
    floor = a_viewer("warehouse_operator", sites=frozenset({named.duisburg}))
    with pytest.raises(NotAllowed, match="not_allowed"):
        named.walk("variant", named.variant, who=floor)
    step = named.walk("step", "warehouse.ship", who=floor)
    kinds = {group.kind for level in (*step.touches, *step.touched_by) for group in level.groups}
    assert not kinds & {Kind.VARIANT, Kind.POINT, Kind.MEASURE, Kind.CRITERION, Kind.GATE}
    for kind, key in (
        ("site", "0"), ("site", "x"), ("site", "012"), ("site", str(2**63)), ("step", "warehouse.nothing"), ("step", "a\0b"),
        ("cell", "1-1"), ("measure", "otif"), ("role", "emperor"), ("data-domain", "x" * 500), ("person", "999999"),
    ):  # fmt: skip
        with pytest.raises(NotFound, match="impact_unknown"):
            named.walk(kind, key)
    for word in ("unicorn", "documents", ""):
        with pytest.raises(NotFound, match="impact_kind_unknown"):
            read_kind(word)


def test_a_larger_register_costs_no_more_statements_and_says_what_is_left_out(database, clock):
    named = a_named_world(database, clock)

    def asked(kind, key):
        with queries(database) as ran, reading(database) as session:
            found = named.walk(kind, key)
            consequences(session, a_viewer(), found, clock.now())
        return found, len(ran)

    walks = (
        ("variant", named.variant),
        ("item-group", named.group),
        ("policy-point", "partial_shipment"),
        ("site", named.duisburg),
    )
    small = {walk: asked(*walk)[1] for walk in walks}
    assert max(small.values()) <= MOST_OF_A_WALK
    with named.steered.work() as work:
        rule = work.session.get_one(PriceRule, named.price)
        columns = {column.key: getattr(rule, column.key) for column in PriceRule.__table__.columns}
        keys = [work.ids.one() for _ in range(120)]
        work.session.execute(insert(PriceRule), [{**columns, "id": key} for key in keys])
        variant = work.session.get_one(Variant, named.variant)
        held = {column.key: getattr(variant, column.key) for column in Variant.__table__.columns}
        for number, key in enumerate([work.ids.one() for _ in range(60)]):
            work.session.add(Variant(**{**held, "id": key, "code": f"W-{number}"}))
        # One that has ended is found no more from elsewhere.
        ended = {**columns, "id": work.ids.one(), "valid_until": date(2026, 3, 2)}
        work.session.execute(insert(PriceRule), [ended])
    for walk in walks:
        assert asked(*walk)[1] <= small[walk], walk
    group = _group(asked("item-group", named.group)[0].touched_by[0], Kind.PRICE_RULE)
    assert (len(group.things), group.left, group.total, group.is_exact) == (25, 96, 121, True)
    site = asked("site", named.duisburg)[0].touched_by
    held_here = _group(site[0], Kind.VARIANT)
    assert (held_here.total, held_here.is_exact) == (61, True)
    assert site[0].is_cut
    assert all(not group.is_exact for group in site[1].groups)
    whole = named.walk("item-group", named.group, most=200)
    assert (_group(whole.touched_by[0], Kind.PRICE_RULE).total, _group(whole.touched_by[0], Kind.PRICE_RULE).left) == (
        121,
        0,
    )
