"""The distributor's set is complete, steps that cannot be kept are refused, and two versions tell their difference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.composition.process_desk import known
from erpcore.kernel.errors import RuleBroken
from erpcore.ports import Process
from governance.processes.bundled import bundled_processes, bundled_streams
from governance.processes.content import Content, ExceptionPath, HandOff, lines
from governance.processes.rules import NEEDED, check_complete, check_step, compare
from tests.support.processes import a_step

CODES = {f"{one.code}.{step.code}": step for one in bundled_processes() for step in one.content.steps}
PATH = ExceptionPath(
    code="rush", name="Urgent", when="It hurries.", actions=("Ask.", "Mark it."), role="customer_service", otherwise="Late."
)  # fmt: skip


def test_the_set_has_the_eight_processes_of_a_distributor_with_six_to_twelve_steps_each():
    assert [(one.code, len(one.content.steps)) for one in bundled_processes()] == [
        ("quote_to_order", 6), ("order_to_cash", 9), ("warehouse", 10), ("returns_to_credit", 7), ("channel_settlement", 7),
        ("replenishment", 7), ("procure_to_pay", 8), ("record_to_report", 7),
    ]  # fmt: skip
    assert {one.stream for one in bundled_processes()} == {one.code for one in bundled_streams()}
    assert {one.value for one in Process} <= {one.code for one in bundled_processes()}


@pytest.mark.parametrize("process", bundled_processes(), ids=lambda one: one.code)
def test_every_step_of_the_set_can_be_kept_and_handed_in(process):
    for step in process.content.steps:
        check_step(step, known())
        assert step.automation, step.code
    check_complete(process.content, lambda code: code in CODES)


def test_the_set_documents_the_exception_paths_that_distributors_live_with():
    paths = {(path.code, f"{code}") for code, step in CODES.items() for path in step.exceptions}
    wanted = {
        ("damaged_inbound", "warehouse.receive"), ("damaged_in_transit", "warehouse.deliver"), ("deduction", "order_to_cash.apply"),
        ("urgent_order", "order_to_cash.capture"), ("short_pick", "warehouse.pick"), ("credit_hold", "order_to_cash.check"),
        ("price_override", "order_to_cash.capture"), ("without_number", "returns_to_credit.receive"),
        ("deduction_partner", "channel_settlement.claim"),
    }  # fmt: skip
    assert wanted <= paths
    assert len(paths) == 49


def test_every_process_of_the_set_is_reached_from_another_one_or_reaches_one():
    linked = set()
    for code, step in CODES.items():
        for one in step.handoffs:
            if one.to.partition(".")[0] != code.partition(".")[0]:
                linked |= {code.partition(".")[0], one.to.partition(".")[0]}
    assert linked == {one.code for one in bundled_processes()}


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"code": "Take Order"}, "code_invalid", "code"),
        ({"code": "x" * 41}, "code_invalid", "code"),
        ({"code": "9lives"}, "code_invalid", "code"),
        ({"name": " "}, "name_missing", "name"),
        ({"standard": "x" * 2001}, "text_too_long", "standard"),
        ({"system": "x" * 121}, "text_too_long", "system"),
        ({"inputs": ("one",) * 21}, "too_many_lines", "inputs"),
        ({"role": "king"}, "process_role_unknown", "role"),
        ({"owner": "king"}, "process_role_unknown", "owner"),
        ({"measures": ("happiness",)}, "process_measure_unknown", "measures"),
        ({"points": ("gravity",)}, "policy_point_unknown", "points"),
        ({"reference": "Manage sales orders"}, "reference_is_no_id", "reference"),
        ({"reference": "abc"}, "reference_is_no_id", "reference"),
        ({"exceptions": (PATH, PATH)}, "named_twice", "exceptions"),
        ({"exceptions": (replace(PATH, actions=()),)}, "exception_incomplete", "exceptions"),
        ({"exceptions": (replace(PATH, otherwise=" "),)}, "exception_incomplete", "exceptions"),
        ({"exceptions": (replace(PATH, role=""),)}, "process_role_unknown", "exceptions"),
        ({"handoffs": (HandOff(to="a.b", what="x"), HandOff(to="a.b", what="y"))}, "named_twice", "handoffs"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_kept_is_refused_at_its_field(changes, code, field):
    with pytest.raises(RuleBroken) as refused:
        check_step(replace(a_step(), **changes), known())
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_framework_id_is_kept_as_an_id():
    check_step(replace(a_step(), reference="4.2.1-b"), known())


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_what_a_step_lacks_is_named_when_it_is_handed_in(name):
    with pytest.raises(RuleBroken) as refused:
        check_complete(Content((replace(a_step(), **{name: " "}),)), lambda _code: True)
    assert refused.value.facts == {"step": "Take the order", "missing": [NEEDED[name]]}


def test_a_hand_off_to_a_step_that_is_not_there_and_a_version_without_steps_are_not_handed_in():
    with pytest.raises(RuleBroken, match="handoff_unknown"):
        check_complete(Content((a_step(handoffs=(HandOff(to="moon.land", what="x"),)),)), lambda _code: False)
    with pytest.raises(RuleBroken, match="process_without_steps"):
        check_complete(Content(), lambda _code: True)


def test_two_versions_tell_what_is_new_gone_changed_and_moved():
    one, two, three, four = (a_step(code, name=code.title()) for code in ("one", "two", "three", "four"))
    old = Content((one, two, three))
    new = Content((replace(two, level="At once.", exceptions=(PATH,)), one, four))
    found = compare(old, new)
    assert [(row.code, row.what, row.was, row.now) for row in found] == [
        ("two", "changed", 2, 1), ("one", "moved", 1, 2), ("four", "added", None, 3), ("three", "removed", 3, None),
    ]  # fmt: skip
    assert [(change.field, change.before, change.after) for change in found[0].changes] == [
        ("level", "The same day.", "At once."),
        ("exceptions", "", "Urgent: It hurries. Ask. Mark it. (customer service). Otherwise: Late."),
    ]


def test_a_removed_step_stands_where_it_stood_and_equal_versions_have_no_difference():
    one, two, three = (a_step(code) for code in ("one", "two", "three"))
    found = compare(Content((one, two, three)), Content((one, three)))
    assert [(row.code, row.what) for row in found] == [("one", "same"), ("two", "removed"), ("three", "same")]
    assert {row.what for row in compare(Content((one, two)), Content((one, two)))} == {"same"}


def test_the_fingerprint_is_of_what_is_said_and_of_its_order():
    one, two = a_step("one"), a_step("two")
    assert Content((one, two)).fingerprint == Content((a_step("one"), a_step("two"))).fingerprint
    assert len({Content((one, two)).fingerprint, Content((two, one)).fingerprint, Content((one,)).fingerprint}) == 3


def test_lines_are_what_was_typed_without_the_empty_ones():
    assert lines(" one \n\n two\r\n") == ("one", "two")
