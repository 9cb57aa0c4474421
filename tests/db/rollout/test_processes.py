"""Versions of processes: written, handed in, approved by somebody else, in force one at a time, and never changed afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from app.composition.process_desk import begin_process, known, take_set_over
from app.composition.uow import reading
from app.queries.processes import compare_versions, step_page, version_page, versions_to_approve
from app.web.processes.presenters import open_moves
from erpcore.kernel.audit import verify_chain
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove, NotAllowed, NotFound, RuleBroken
from governance.processes.flow import VersionKind
from governance.processes.models import BusinessProcess, ProcessStep, ProcessVersion
from governance.processes.queries import process, step_codes, step_exists, step_refs
from governance.processes.records import content_of
from governance.processes.services import (
    CreateProcess,
    CreateStream,
    PutStep,
    create_process,
    create_stream,
    put_step,
    remove_step,
    set_owner,
    shift_step,
)
from tests.support.processes import COUNCIL, OTHER, OWNER, PMO, a_draft, a_step, move, the_set, work_as
from tests.support.web import a_person


def a_process(database, clock, code="order_to_cash", owner=None):
    with work_as(database, clock, PMO) as work:
        stream = create_stream(work, CreateStream(code="customer", name="Customer to cash"))
        return create_process(work, CreateProcess(stream=stream.id, code=code, name="Order to cash", owner=owner)).id


def states(database, code="order_to_cash"):
    with reading(database) as session:
        return {one.number: one.state.value for one in process(session, code).versions}


def test_the_set_is_taken_over_once_as_drafts_of_whoever_took_it(database, clock):
    rows, _ = the_set(database, clock)
    assert len(rows) == 8
    with reading(database) as session:
        refs = step_refs(session)
        assert len(refs) == len(step_codes(session)) == 61
        assert {one.version.author for one in refs} == {PMO.id}
        assert step_exists(session, "warehouse.pick")
        assert not step_exists(session, "warehouse.dance")
        assert not step_exists(session, "warehouse")
        assert not step_exists(session, "warehouse.pi\0ck")
        with pytest.raises(NotFound):
            process(session, "ware\0house")
        page = step_page(session, "warehouse", "ship")
        assert [one.code for one in page.into] == ["warehouse.pack"]
        assert [(one.code, one.is_there) for one in page.out] == [
            ("warehouse.deliver", True), ("order_to_cash.invoice", True), ("channel_settlement.report", True),
        ]  # fmt: skip
        assert (page.before.step.code, page.after.step.code) == ("pack", "deliver")
    with pytest.raises(Conflict, match="processes_there"), work_as(database, clock, PMO) as work:
        take_set_over(work)
    with reading(database) as session:
        assert len(step_refs(session)) == 61


def test_a_version_is_handed_in_approved_by_somebody_else_and_put_in_force(database, clock):
    a_process(database, clock)
    version = a_draft(database, clock, "order_to_cash", a_step())
    assert move(database, clock, version, "submit", by=PMO) == "in_review"
    with reading(database) as session:
        assert [one.version.id for one in versions_to_approve(session, COUNCIL)] == [version]
        assert versions_to_approve(session, PMO) == []
    assert move(database, clock, version, "approve") == "approved"
    assert move(database, clock, version, "go_live") == "live"
    with reading(database) as session:
        found = process(session, "order_to_cash").current
        assert (found.id, found.approved_by, found.submitted_by, found.live_at) == (
            version,
            COUNCIL.id,
            PMO.id,
            clock.now(),
        )
        assert found.fingerprint == content_of(session, version).fingerprint
        assert verify_chain(session).why is None


def test_who_wrote_or_handed_in_a_version_never_approves_it(database, clock):
    a_process(database, clock)
    version = a_draft(database, clock, "order_to_cash", a_step(), by=COUNCIL)
    move(database, clock, version, "submit", by=OTHER)
    for who in (COUNCIL, OTHER):
        with pytest.raises(NotAllowed, match="own_request"):
            move(database, clock, version, "approve", by=who)
    assert states(database) == {1: "in_review"}
    assert move(database, clock, version, "approve", by=OWNER) == "approved"


@pytest.mark.parametrize("owner", [None, OWNER.id])
def test_who_wrote_a_step_of_the_draft_of_another_never_approves_the_version(database, clock, owner):
    a_process(database, clock, owner=owner)
    version = a_draft(database, clock, "order_to_cash", a_step())
    with work_as(database, clock, OWNER) as work:
        put_step(work, PutStep(version=version, code="capture", step=a_step(level="By noon.")), known=known())
    move(database, clock, version, "submit", by=PMO)
    with pytest.raises(NotAllowed, match="own_request"):
        move(database, clock, version, "approve", by=OWNER)
    with reading(database) as session:
        assert versions_to_approve(session, OWNER) == []
        assert [one.version.id for one in versions_to_approve(session, COUNCIL)] == [version]
        page = version_page(session, "order_to_cash")
        assert page.writers == {PMO.id, OWNER.id}
        (shut,) = [one["why"] for one in open_moves(page, OWNER) if one["name"] == "approve"]
    assert "you wrote it" in shut
    assert move(database, clock, version, "approve", by=COUNCIL) == "approved"


def test_the_owner_approves_what_others_wrote_and_somebody_else_what_the_owner_wrote(database, clock):
    a_process(database, clock, owner=OWNER.id)
    others = a_draft(database, clock, "order_to_cash", a_step())
    move(database, clock, others, "submit", by=PMO)
    with pytest.raises(NotAllowed, match="process_owner_approves"):
        move(database, clock, others, "approve", by=COUNCIL)
    assert move(database, clock, others, "approve", by=OWNER) == "approved"
    own = a_draft(database, clock, "order_to_cash", a_step(), by=OWNER)
    move(database, clock, own, "submit", by=OWNER)
    with pytest.raises(NotAllowed, match="own_request"):
        move(database, clock, own, "approve", by=OWNER)
    assert move(database, clock, own, "approve", by=COUNCIL) == "approved"


def test_one_version_of_a_process_is_in_force_and_the_one_before_retires_in_the_same_moment(database, clock):
    a_process(database, clock)
    for level in ("The same day.", "At once."):
        version = a_draft(database, clock, "order_to_cash", a_step(level=level))
        for name, who in (("submit", PMO), ("approve", COUNCIL), ("go_live", COUNCIL)):
            move(database, clock, version, name, by=who)
    assert states(database) == {2: "live", 1: "retired"}
    with reading(database) as session:
        found = compare_versions(session, "order_to_cash", 1, 2)
        assert [(one.code, [change.after for change in one.changes]) for one in found.changed] == [
            ("capture", ["At once."])
        ]


def test_how_it_is_done_today_is_approved_but_never_put_in_force(database, clock):
    a_process(database, clock)
    version = a_draft(database, clock, "order_to_cash", a_step(), kind=VersionKind.AS_IS)
    move(database, clock, version, "submit", by=PMO)
    move(database, clock, version, "approve")
    with pytest.raises(RuleBroken, match="as_is_stays"):
        move(database, clock, version, "go_live")
    assert states(database) == {1: "approved"}


def test_nothing_of_a_version_changes_once_it_is_handed_in(database, clock):
    a_process(database, clock)
    version = a_draft(database, clock, "order_to_cash", a_step())
    move(database, clock, version, "submit", by=PMO)
    with pytest.raises(RuleBroken, match="version_not_draft"), work_as(database, clock, PMO) as work:
        put_step(work, PutStep(version=version, step=a_step("other")), known=known())
    with pytest.raises(RuleBroken, match="version_not_draft"), work_as(database, clock, PMO) as work:
        remove_step(work, version, "capture")
    for statement in (
        update(ProcessStep).where(ProcessStep.version_id == version).values(standard="Otherwise."),
        text(f"DELETE FROM process_step WHERE version_id = {version}"),
    ):
        with pytest.raises(DBAPIError, match="is posted"), work_as(database, clock, PMO) as work:
            work.session.execute(statement)
    with reading(database) as session:
        assert content_of(session, version).steps == (a_step(),)


def test_a_returned_version_is_a_draft_again_and_approving_what_one_saw_before_is_a_conflict(database, clock):
    a_process(database, clock)
    version = a_draft(database, clock, "order_to_cash", a_step())
    move(database, clock, version, "submit", by=PMO)
    with reading(database) as session:
        seen = process(session, "order_to_cash").versions[0].version
    with pytest.raises(RuleBroken, match="reason_required"):
        move(database, clock, version, "return", reason=" ")
    assert move(database, clock, version, "return", reason="the service level is a wish") == "draft"
    with work_as(database, clock, PMO) as work:
        put_step(work, PutStep(version=version, code="capture", step=a_step(level="By noon.")), known=known())
    move(database, clock, version, "submit", by=PMO)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        move(database, clock, version, "approve", seen=seen)
    assert states(database) == {1: "in_review"}


def test_a_draft_is_written_step_by_step(database, clock):
    a_process(database, clock)
    version = a_draft(database, clock, "order_to_cash")
    with work_as(database, clock, PMO) as work:
        for code in ("one", "two", "three"):
            put_step(work, PutStep(version=version, step=a_step(code)), known=known())
        put_step(work, PutStep(version=version, step=a_step("zero")), known=known())
        put_step(work, PutStep(version=version, code="two", step=a_step("second")), known=known())
        shift_step(work, version, "three", -1)
        shift_step(work, version, "zero", -9)
        remove_step(work, version, "one")
    with reading(database) as session:
        assert [one.code for one in content_of(session, version).steps] == ["zero", "three", "second"]
        assert process(session, "order_to_cash").versions[0].version == 9
    for command, code in (
        (PutStep(version=version, step=a_step("zero")), "code_taken"),
        (PutStep(version=version, code="gone", step=a_step("x")), "process_step_not_found"),
        (PutStep(version=version, step=a_step("x", role="king")), "process_role_unknown"),
        (PutStep(version=version, step=a_step("x"), seen_version=1), "changed_meanwhile"),
    ):
        with pytest.raises(DomainError, match=code), work_as(database, clock, PMO) as work:
            put_step(work, command, known=known())
    with reading(database) as session:
        assert [one.code for one in content_of(session, version).steps] == ["zero", "three", "second"]


def test_an_incomplete_version_is_not_handed_in_and_says_what_it_lacks(database, clock):
    a_process(database, clock)
    version = a_draft(database, clock, "order_to_cash", a_step(standard="", level=""))
    with pytest.raises(RuleBroken) as refused:
        move(database, clock, version, "submit", by=PMO)
    assert refused.value.facts["missing"] == ["its standard", "its service level"]
    empty = a_draft(database, clock, "order_to_cash")
    with pytest.raises(RuleBroken, match="process_without_steps"):
        move(database, clock, empty, "submit", by=PMO)
    assert states(database) == {1: "draft", 2: "draft"}


def test_two_who_approve_at_once_approve_once(database, clock):
    a_process(database, clock)
    version = a_draft(database, clock, "order_to_cash", a_step())
    move(database, clock, version, "submit", by=PMO)

    def approve(who):
        try:
            return move(database, clock, version, "approve", by=who)
        except IllegalMove:
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, (COUNCIL, OTHER))) == ["approved", "refused"]
    with reading(database) as session:
        moves = session.execute(
            text("SELECT count(*) FROM transition WHERE document_type = 'process_version' AND move = 'approve'")
        )
        assert moves.scalar_one() == 1


def test_two_who_begin_with_the_set_at_once_begin_once(database, clock):
    def begin(who):
        try:
            with work_as(database, clock, who) as work:
                return len(take_set_over(work))
        except DomainError as refusal:
            return refusal.code

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(begin, (PMO, replace(PMO, id=91))))
    assert sorted(map(str, found)) == ["8", "processes_there"]
    with reading(database) as session:
        assert len(session.scalars(select(BusinessProcess.id)).all()) == 8


def test_an_owner_is_somebody_who_is_here_and_is_set_with_a_reason(database, clock):
    made = a_process(database, clock)
    person = a_person(database, "process_owner", clock=clock)
    with work_as(database, clock, PMO) as work:
        assert set_owner(work, made, person.id, reason="takes over").owner_id == person.id
    with pytest.raises(RuleBroken, match="reason_required"), work_as(database, clock, PMO) as work:
        set_owner(work, made, None, reason=" ")
    with pytest.raises(RuleBroken, match="person_unknown"), work_as(database, clock, PMO) as work:
        begin_process(work, CreateProcess(stream=1, code="x", name="X", owner=999))
    with reading(database) as session:
        assert process(session, "order_to_cash").owner == person.id


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (CreateProcess(stream=0, code="order_to_cash", name="Again"), "code_taken"),
        (CreateProcess(stream=0, code="Order", name="Again"), "code_invalid"),
        (CreateProcess(stream=0, code="other", name=" "), "name_missing"),
        (CreateProcess(stream=-5, code="other", name="Other"), "value_stream_not_found"),
    ],
)  # fmt: skip
def test_a_process_that_cannot_be_is_refused_and_nothing_is_there(database, clock, command, code):
    a_process(database, clock)
    with reading(database) as session:
        stream = process(session, "order_to_cash").stream_id
    with pytest.raises(DomainError, match=code), work_as(database, clock, PMO) as work:
        create_process(work, replace(command, stream=command.stream or stream))
    with reading(database) as session:
        assert len(session.scalars(select(BusinessProcess.id)).all()) == 1


def test_who_may_not_write_or_approve_does_neither(database, clock):
    a_process(database, clock)
    version = a_draft(database, clock, "order_to_cash", a_step())
    nobody = replace(PMO, id=99, permissions=frozenset())
    for name in ("submit", "withdraw"):
        with pytest.raises(NotAllowed):
            move(database, clock, version, name, by=nobody)
    with pytest.raises(NotFound), work_as(database, clock, PMO) as work:
        put_step(work, PutStep(version=12345, step=a_step()), known=known())
    with reading(database) as session:
        assert session.scalar(select(ProcessVersion.state)) == "draft"
