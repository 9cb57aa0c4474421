"""Each template finds what its sentence says, and a journey is judged the same whatever order its steps are heard of in."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erpcore.kernel.errors import NotFound
from readiness.conformance import activities as a
from readiness.conformance.activities import ACTIVITIES
from readiness.conformance.catalogue import PROCESS_OF, PROCESSES, RULES, find_rule
from readiness.conformance.checker import Plan, Run, check
from readiness.conformance.templates import DAY, HOUR, Absence, ExactlyOnce, Precedence, Response, Step, WithinTime
from tests.support import conforming as plain

#: A busy machine may take its time to think of examples.
CALMLY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
A, B, C = 1, 2, 3
PLANS = {key: Plan(process) for key, process in PROCESSES.items()}


def step(at, activity, key=0, seq=None):
    return Step(at, at if seq is None else seq, activity, key, at // DAY)


def found(template, steps, end=None):
    """What a template says of these steps, as (seq, is it the step itself, is it only due)."""
    watch = template.watch()
    for one in sorted(steps):
        if one.activity in template.activities:
            watch.feed(one)
    return sorted((one.seq, one.is_step, one.is_due) for one in watch.found(end))


def one_of(*activities):
    return frozenset(activities)


TEMPLATES = [
    Precedence(first=one_of(A), then=one_of(B)),
    Precedence(first=one_of(A), then=one_of(B), keyed=True),
    Response(first=one_of(A), then=one_of(B)),
    Response(first=one_of(A), then=one_of(B), keyed=True),
    Absence(step=one_of(A)),
    Absence(step=one_of(A), after=one_of(B)),
    ExactlyOnce(step=one_of(A)),
    ExactlyOnce(step=one_of(A), instead=one_of(B)),
    WithinTime(first=one_of(A), then=one_of(B), limit=5),
    WithinTime(first=one_of(A), then=one_of(B), limit=5, keyed=True),
]
STEPS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from([A, B, C]), st.integers(0, 2)), max_size=9).map(
    lambda told: [Step(at, seq, activity, key, 0) for seq, (at, activity, key) in enumerate(told, 1)]
)


@pytest.mark.parametrize("template", TEMPLATES)
@CALMLY
@given(steps=STEPS, ends=st.booleans())
def test_a_template_finds_what_the_quantifiers_say(template, steps, ends):
    end = max(steps) if ends and steps else None
    assert found(template, steps, end) == plain.naive(template, steps, end)


PROCESS_STEPS = st.sampled_from(sorted(PROCESSES)).flatmap(
    lambda key: st.tuples(
        st.just(key),
        st.lists(
            st.tuples(
                st.integers(0, 40), st.sampled_from(sorted(set(PLANS[key].by_activity) | PLANS[key].ends)),
                st.integers(0, 2),
            ),
            max_size=14,
        ),
        st.randoms(use_true_random=False),
    )
)  # fmt: skip


@CALMLY
@given(told=PROCESS_STEPS)
def test_steps_heard_of_in_any_order_are_judged_as_all_at_once(told):
    key, parts, random = told
    steps = [Step(at * 6 * HOUR, seq, activity, part, at // 4) for seq, (at, activity, part) in enumerate(parts, 1)]
    together = check(PLANS[key], steps)
    shuffled = list(steps)
    random.shuffle(shuffled)
    run = Run(PLANS[key])
    for one in shuffled:
        run.feed(one)
    assert run.findings() == together
    assert run.steps == sorted(steps)
    # Kept and taken up again in the middle, it comes to the same.
    half = Run(PLANS[key], sorted(shuffled[: len(shuffled) // 2]))
    for one in shuffled[len(shuffled) // 2 :]:
        half.feed(one)
    assert (half.findings(), half.end) == (together, run.end)
    # A step that is told twice is one step.
    for one in steps:
        half.feed(one)
    assert half.findings() == together


def order(*told):
    """Steps of an order, an hour apart unless given their own hour."""
    out, hour = [], 0
    for one in told:
        activity, *more = one if isinstance(one, tuple) else (one,)
        key, hour = (more[0] if more else 0), (more[1] if len(more) > 1 else hour + 1)
        out.append(Step(hour * HOUR, len(out) + 1, activity, key, hour // 24))
    return out


SMOOTH = (
    a.ORDER_CAPTURED, a.ORDER_VALIDATED, a.ORDER_PROMISED, a.ORDER_RELEASED, a.ORDER_ALLOCATED, (a.GOODS_PICKED, 7),
    (a.GOODS_SHIPPED, 7), (a.INVOICE_DUE, 7), (a.INVOICE_POSTED, 7), a.GOODS_DELIVERED, a.INVOICE_SETTLED, a.ORDER_CLOSED,
)  # fmt: skip


def codes(steps, process="order_to_cash"):
    return [one.rule.code for one in check(PLANS[process], steps)]


def test_an_order_that_goes_by_the_book_departs_from_nothing():
    assert codes(order(*SMOOTH)) == []


@pytest.mark.parametrize(
    ("code", "steps"),
    [
        ("captured_twice", [*SMOOTH[:1], *SMOOTH]),
        ("price_overridden", [a.ORDER_CAPTURED, a.PRICE_OVERRIDDEN, *SMOOTH[1:]]),
        ("released_under_override", [*SMOOTH[:3], a.ORDER_HELD, a.HOLD_OVERRIDDEN, *SMOOTH[3:]]),
        ("released_without_promise", [a.ORDER_CAPTURED, a.ORDER_RELEASED, a.ORDER_PROMISED, *SMOOTH[4:]]),
        ("amended_after_release", [*SMOOTH[:4], a.ORDER_AMENDED, *SMOOTH[4:]]),
        ("allocation_overridden", [*SMOOTH[:5], a.ALLOCATION_OVERRIDDEN, *SMOOTH[5:]]),
        ("picked_short", [*SMOOTH[:5], a.PICKED_SHORT, *SMOOTH[5:]]),
        ("shipped_without_pick", [*SMOOTH[:5], *SMOOTH[6:]]),
        ("invoiced_before_shipped", [*SMOOTH[:6], (a.INVOICE_POSTED, 7), (a.GOODS_SHIPPED, 7), *SMOOTH[7:]]),
        ("credit_without_return", [*SMOOTH, a.CREDIT_WITHOUT_RETURN]),
        ("shipment_left_standing", [*SMOOTH[:5], (a.GOODS_PICKED, 7, 10), (a.GOODS_SHIPPED, 7, 35), *SMOOTH[7:]]),
        ("invoiced_late", [*SMOOTH[:7], (a.INVOICE_DUE, 7, 10), (a.INVOICE_POSTED, 7, 59), a.ORDER_CLOSED]),
        ("pick_over_limit", [*SMOOTH[:5], (a.TASK_STARTED, 9, 6), (a.TASK_FINISHED, 9, 11), *SMOOTH[5:]]),
        ("shipped_not_invoiced", [*SMOOTH[:7], a.ORDER_CLOSED]),
    ],
)  # fmt: skip
def test_an_order_that_leaves_the_path_is_found_by_its_code(code, steps):
    assert codes(order(*steps)) == [code]


def test_nothing_is_picked_or_shipped_before_release():
    steps = order(a.ORDER_CAPTURED, a.ORDER_PROMISED, (a.GOODS_PICKED, 7), (a.GOODS_SHIPPED, 7), a.ORDER_RELEASED)
    assert codes(steps) == ["picked_before_release", "shipped_before_release"]


def test_a_day_to_the_microsecond_is_still_in_time():
    at = 10 * HOUR
    picked, base = Step(at, 6, a.GOODS_PICKED, 7, 0), order(*SMOOTH[:5])
    for late, expected in ((0, []), (1, ["shipment_left_standing"])):
        shipped = Step(at + DAY + late, 7, a.GOODS_SHIPPED, 7, 1)
        assert codes([*base, picked, shipped]) == expected


def test_what_is_due_departs_from_a_moment_that_is_known_before():
    steps = order(*SMOOTH[:7], (a.INVOICE_DUE, 7, 10))
    (late,) = check(PLANS["order_to_cash"], steps)
    assert (late.rule.code, late.is_due, late.is_step, late.at, late.day) == (
        "invoiced_late",
        True,
        False,
        58 * HOUR,
        2,
    )
    assert check(PLANS["order_to_cash"], order(*SMOOTH[:7], (a.INVOICE_DUE, 7, 10), (a.INVOICE_POSTED, 7, 58))) == []


def test_a_step_that_is_heard_of_late_takes_a_departure_back():
    steps = order(*SMOOTH)
    without = [one for one in steps if one.activity != a.GOODS_PICKED]
    run = Run(PLANS["order_to_cash"])
    for one in without:
        run.feed(one)
    assert [one.rule.code for one in run.findings()] == ["shipped_without_pick"]
    run.feed(steps[5])
    assert run.findings() == []


def test_returns_purchases_and_transfers_have_rules_of_their_own():
    assert (
        codes(order(a.RETURN_REQUESTED, a.RETURN_AUTHORISED, a.RETURN_RECEIVED, a.RETURN_CREDITED), "returns_to_credit")
        == []
    )
    assert codes(order(a.RETURN_REQUESTED, a.RETURN_RECEIVED, a.RETURN_CREDITED), "returns_to_credit") == [
        "received_without_authorisation"
    ]
    assert codes(order(a.RETURN_REQUESTED, a.RETURN_AUTHORISED, a.RETURN_CREDITED), "returns_to_credit") == [
        "credited_before_received"
    ]
    assert codes(order(a.PURCHASE_ORDERED, a.PURCHASE_SETTLED), "procure_to_pay") == ["received_unconfirmed"]
    assert codes(order(a.PURCHASE_ORDERED, a.PURCHASE_CONFIRMED, a.PURCHASE_CLOSED), "procure_to_pay") == [
        "closed_unreceived"
    ]
    assert codes(order(a.TRANSFER_SHIPPED, (a.TRANSFER_LOST, 0, 80)), "warehouse") == ["transfer_late", "transfer_lost"]
    assert codes(order(a.WAVE_PLANNED, a.WAVE_RELEASED, a.WAVE_COMPLETED), "warehouse") == []


def test_every_rule_has_a_code_of_its_own_a_step_and_its_sentences():
    rules = [rule for process in PROCESSES.values() for rule in process.rules]
    assert len(RULES) == len(rules) == len(PROCESS_OF)
    for rule in rules:
        assert rule.code.isidentifier()
        assert rule.code == rule.code.lower()
        assert len(rule.code) <= 40
        assert rule.standard.endswith(".")
        assert rule.sentence.endswith(".")
        assert not rule.title.endswith(".")
        assert rule.step.count(".") == 1
        assert rule.template.activities <= set(ACTIVITIES)
    assert find_rule("picked_short").title == "Picked short"
    with pytest.raises(NotFound) as refused:
        find_rule("picked_shorter")
    assert (refused.value.code, refused.value.facts) == ("deviation_unknown", {"deviation": "picked_shorter"})


def test_a_long_journey_is_judged_as_its_parts_are():
    random = Random(3)
    steps = [
        Step(random.randrange(10**12), seq, random.choice(sorted(ACTIVITIES)), random.randrange(4), 0)
        for seq in range(400)
    ]
    run = Run(PLANS["order_to_cash"])
    for one in steps:
        run.feed(one)
    assert run.findings() == check(PLANS["order_to_cash"], steps)
