"""A variant against the standard: each side's documents, figures with intervals computed here by hand, and what they prove."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from math import sqrt

import pytest

from app.composition.calendars import SiteCalendars
from app.composition.cases import Document, NoteCases, Subject, note_cases
from app.composition.uow import reading
from app.queries.variant_cases import CASES
from app.queries.variant_comparison import Finding, Side, comparison, span_of
from app.queries.variant_margins import MARGIN
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.services import ensure_item_group
from erpcore.orders.holds import HoldKind, HoldOrder, hold_orders
from governance.variants.kinds import Kind
from governance.variants.register import Scope
from readiness.conformance.drilldown import journeys_behind
from tests.support.core import a_business
from tests.support.operate import a_closed_site, open_cells
from tests.support.policies import ask_for, decide
from tests.support.queries import MOST, queries
from tests.support.registered import figured, in_force, ordered

EYES = Actor.system("test")
Z = 1.959963984540054


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def held(business, orders):
    with business.work() as work:
        hold_orders(work, [HoldOrder(order=one.id, kind=HoldKind.ADDRESS, reason="no number") for one in orders])
    return [one.id for one in orders]


def wilson(x, n):
    """Wilson's limits, written out."""
    p = x / n
    middle, half = p + Z * Z / (2 * n), Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return (middle - half) / (1 + Z * Z / n), (middle + half) / (1 + Z * Z / n)


def compared(business, variant, actor=EYES):
    with reading(business.database) as session:
        return comparison(session, actor, variant, business.clock.now())


def figure(page, key, dimension=None):
    return next(one for one in page.figures if (one.key, one.dimension) == (key, dimension))


def findings(one):
    return [verdict.finding for verdict in one.verdicts]


class Told:
    """Forty orders at Duisburg by the standard, four of them held; then a variant there, with 30 of 40 held, while Bremen goes on
    by the standard with two of 40 held.
    """

    def __init__(self, business):
        self.business, self.bremen = business, a_closed_site(business)
        self.before = held(business, ordered(business, 40)[:4])
        business.clock.advance(timedelta(days=10))
        self.variant = in_force(business, {"partial_shipment": False}, cost_minor=9_000, cost_currency="EUR")
        self.under = held(business, ordered(business, 40)[:30])
        self.elsewhere = held(business, ordered(business, 40, site=self.bremen)[:2])
        business.clock.advance(timedelta(days=20))
        figured(business)


def test_each_side_is_counted_and_only_intervals_that_lie_apart_prove_anything(business):
    told = Told(business)
    with queries(business.database) as ran:
        page = compared(business, told.variant)
    assert len(ran) <= MOST
    assert [(one.side, one.start, one.end, one.text) for one in page.parts] == [
        (Side.UNDER, date(2026, 3, 12), date(2026, 4, 1), "Under it"),
        (Side.ELSEWHERE, date(2026, 3, 12), date(2026, 4, 1), "Standard at other sites"),
        (Side.BEFORE, date(2026, 2, 20), date(2026, 3, 12), "Duisburg, before it began"),
    ]
    assert [one.count for one in page.volumes] == [40, 40, 40]
    for dimension in (None, "held"):
        row = figure(page, "order_exception_rate", dimension)
        assert row.spans[0] == (date(2026, 3, 12), date(2026, 3, 25))
        assert [(one.numerator, one.denominator, one.provisional) for one in row.readings] == [
            (30, 40, False), (2, 40, False), (4, 40, False),
        ]  # fmt: skip
        for x, one in zip((30, 2, 4), row.readings, strict=True):
            low, high = wilson(x, 40)
            assert float(one.interval.low) == pytest.approx(low, abs=2e-6)
            assert float(one.interval.high) == pytest.approx(high, abs=2e-6)
        assert findings(row) == [Finding.WORSE, Finding.WORSE]
    touchless = figure(page, "touchless_rate")
    assert [(one.numerator, one.denominator) for one in touchless.readings] == [(0, 40)] * 3
    assert findings(touchless) == [Finding.UNPROVEN, Finding.UNPROVEN]
    # Nothing was shipped: an age that is still running proves nothing.
    assert findings(figure(page, "order_cycle_time.p50")) == [Finding.TOO_FEW, Finding.TOO_FEW]
    margin = figure(page, MARGIN)
    assert [(one.value, one.count, one.numerator, one.denominator) for one in margin.readings] == [
        (Decimal("0.6"), 40, 40 * 6000, 40 * 10_000)
    ] * 3
    assert findings(margin) == [Finding.UNPROVEN, Finding.UNPROVEN]
    # 90.00 a month is 90 · 12 · 20 ÷ 365 = 59.18 in twenty days, and 1.48 for each of forty documents.
    assert (page.keeping.per_month, page.keeping.in_window, page.keeping.per_document) == (9_000, 5_918, 148)


def test_orders_that_somebody_had_to_look_after_stand_in_for_tickets_each_once(business):
    told = Told(business)

    def said(orders, text):
        documents = [Document(subject=Subject.ORDER, id=order, site=business.site) for order in orders]
        with business.work() as work:
            note_cases(work, NoteCases(documents=documents, text=text))

    said(told.under[:25], "called the customer")
    said(told.under[:5], "called again")
    said(told.elsewhere[:1], "address found")
    row = figure(compared(business, told.variant), CASES)
    assert [(one.numerator, one.denominator) for one in row.readings] == [(25, 40), (1, 40), (0, 40)]
    for x, one in zip((25, 1), row.readings, strict=False):
        low, high = wilson(x, 40)
        assert float(one.interval.low) == pytest.approx(low, abs=2e-6)
        assert float(one.interval.high) == pytest.approx(high, abs=2e-6)
    assert findings(row) == [Finding.WORSE, Finding.WORSE]


def test_the_documents_behind_a_figure_are_those_of_its_side_and_its_days(business):
    told = Told(business)
    page = compared(business, told.variant)
    today = date(2026, 4, 1)
    for side, wanted in ((Side.UNDER, told.under), (Side.ELSEWHERE, told.elsewhere), (Side.BEFORE, told.before)):
        part = page.of_side(side)
        with reading(business.database) as session:
            found = journeys_behind(
                session, "order_exception_rate", part.scope, as_of=business.clock.now(), dimension="held",
                calendars=SiteCalendars(session), between=span_of(part, "order_exception_rate", today),
            )  # fmt: skip
        assert sorted(one.id for one in found) == sorted(wanted)


def test_a_small_sample_says_how_many_more_it_needs(business):
    ordered(business, 40)
    business.clock.advance(timedelta(days=10))
    variant = in_force(business, {"partial_shipment": False})
    held(business, ordered(business, 5))
    business.clock.advance(timedelta(days=20))
    figured(business)
    row = figure(compared(business, variant), "order_exception_rate")
    assert [one.count for one in row.readings] == [5, 0, 40]
    assert findings(row) == [Finding.UNKNOWN, Finding.TOO_FEW]
    assert [one.why for one in row.verdicts] == ["There is no other site to see.", "25 more orders needed under it"]


def test_what_is_too_young_proves_nothing(business):
    told = Told(business)
    business.clock.set(business.clock.now() - timedelta(days=18))
    row = figure(compared(business, told.variant), "order_exception_rate")
    assert row.readings[0].count == 40
    assert [one.why for one in row.verdicts] == [
        "Too young: what comes late is not in yet.", "30 more orders needed to hold it against",
    ]  # fmt: skip


def test_what_ran_under_another_variant_of_the_same_point_is_no_standard(business):
    bremen = a_closed_site(business)
    in_force(business, {"price_tolerance_permille": 25}, scope=Scope(entity=business.entity))
    variant = in_force(business, {"partial_shipment": False})
    in_force(business, {"partial_shipment": False}, scope=Scope(site=bremen, channel=business.channel))
    ordered(business, 3)
    ordered(business, 4, site=bremen)
    business.clock.advance(timedelta(days=10))
    figured(business)
    assert [one.count for one in compared(business, variant).volumes] == [3, 0, 0]


def test_a_variant_of_another_point_leaves_the_standard_what_it_is(business):
    bremen = a_closed_site(business)
    in_force(business, {"price_tolerance_permille": 25}, scope=Scope(entity=business.entity))
    variant = in_force(business, {"partial_shipment": False})
    ordered(business, 3)
    ordered(business, 4, site=bremen)
    business.clock.advance(timedelta(days=10))
    figured(business)
    assert [one.count for one in compared(business, variant).volumes] == [3, 4, 0]


def test_one_of_a_channel_is_held_against_other_channels(business):
    variant = in_force(business, {"partial_shipment": False}, scope=Scope(channel=business.channel))
    ordered(business, 2)
    business.clock.advance(timedelta(days=3))
    figured(business)
    page = compared(business, variant)
    assert page.of_side(Side.ELSEWHERE).text == "Standard through other channels"
    assert [one.count for one in page.volumes] == [2, 0, 0]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"deviations": ("picked_short",)}, "stamped on no document"),
        ({"values": {"substitution_rule": "same_group"}, "group": True}, "set line by line"),
        (
            {"values": {"partial_shipment": False}, "kind": Kind.STANDARD_CHANGE, "scope": Scope(), "days": None},
            "holds for everybody",
        ),
    ],
)
def test_what_cannot_be_compared_says_why(business, made, said):
    made = dict(made)
    if made.pop("group", False):
        with business.work() as work:
            made["scope"] = Scope(item_group=ensure_item_group(work, "pipes", "Pipes").id)
    variant = in_force(business, **made)
    business.clock.advance(timedelta(days=5))
    figured(business)
    assert said in compared(business, variant).why_not


def test_on_its_first_day_nothing_is_compared_and_one_that_was_never_agreed_to_is_not_found(business):
    variant = in_force(business, {"partial_shipment": False})
    assert compared(business, variant).why_not == "It is not in force for a whole day yet."
    asked = ask_for(business, "price_tolerance_permille", 25)
    with pytest.raises(NotFound):
        compared(business, asked)


def test_one_that_ended_is_compared_as_it_was(business):
    told = Told(business)
    decide(business, told.variant, "revoke")
    business.clock.advance(timedelta(days=30))
    figured(business)
    page = compared(business, told.variant)
    assert (page.parts[0].start, page.parts[0].end) == (date(2026, 3, 12), date(2026, 4, 1))
    assert figure(page, "order_exception_rate").spans[0] == (date(2026, 3, 12), date(2026, 4, 1))
    assert [one.count for one in page.volumes] == [40, 40, 40]


def test_somebody_of_one_site_holds_it_against_what_they_see_alone(business):
    told = Told(business)
    here = Actor(id=1, role="site_lead", permissions=frozenset(), sites=frozenset({business.site}))
    page = compared(business, told.variant, here)
    assert [one.count for one in page.volumes] == [40, 0, 40]
    assert figure(page, "order_exception_rate").verdicts[0].why == "There is no other site to see."
    with pytest.raises(NotFound):
        compared(
            business,
            told.variant,
            Actor(id=2, role="site_lead", permissions=frozenset(), sites=frozenset({told.bremen})),
        )


def test_late_figures_prove_nothing(business):
    told = Told(business)
    ordered(business)
    business.clock.advance(timedelta(minutes=5))
    page = compared(business, told.variant)
    assert set(findings(figure(page, "order_exception_rate"))) == {Finding.UNKNOWN}
    assert "behind" in figure(page, "order_exception_rate").verdicts[0].why
