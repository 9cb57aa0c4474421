"""A request that waits is told of again once, before others may decide: in its history, on the page Today, and by mail."""

from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.composition.approving import Ask, ask
from app.composition.digests import choose_digest
from app.composition.reminders import ApprovalReminder
from app.composition.uow import unit_of_work
from app.identity.services import close_account
from app.jobs.approvals import escalate_due
from app.jobs.reminders import remind_of_approvals
from erpcore.kernel.history import Transition
from governance.approvals.models import ApprovalNeed
from governance.approvals.reminding import hold_for_reminding
from tests.support.approvals import a_rule, acting, answered, asked, delegated, person, things
from tests.support.core import a_business
from tests.support.threads import at_once
from tests.support.web import a_person

#: Eight working hours from Monday 10:00 in Berlin end on Tuesday 9:00; a quarter is left from Monday 16:00 on.
ASKED, BEFORE, NEARLY, OVER = (
    datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 14, 59, tzinfo=UTC), datetime(2026, 3, 2, 15, tzinfo=UTC),
    datetime(2026, 3, 3, 8, tzinfo=UTC),
)  # fmt: skip


@pytest.fixture
def business(database):
    things()
    return a_business(database)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mail"


@pytest.fixture
def request_id(business):
    """One of Finance is asked within eight working hours, afterwards the sponsor may too."""
    a_rule(business, timeout_hours=8, escalate_to="role:sponsor")
    return asked(business, person(business, "pmo"), site=business.site)


def _written_to(business, role, address, **fields):
    return a_person(business.database, role, clock=business.clock, email=address, **fields)


def _remind(business, folder, **fields):
    fields.setdefault("mail_url", f"file://{folder}?from=desk@example.com")
    return remind_of_approvals(business.database, clock=business.clock, **fields)


def _mails(folder):
    found = [email.message_from_bytes(path.read_bytes()) for path in folder.glob("*.eml")] if folder.exists() else []
    return {one["To"]: one.get_payload(decode=True).decode() for one in found}


def _told(business, request):
    with business.work() as work:
        moves = work.session.scalars(
            select(Transition.reason).where(
                Transition.document_type == "approval_request", Transition.document_id == request,
                Transition.move == "remind",
            )
        ).all()  # fmt: skip
        rows = work.session.scalars(select(ApprovalReminder.state).order_by(ApprovalReminder.id)).all()
        needs = work.session.scalars(select(ApprovalNeed.reminded_at).where(ApprovalNeed.request_id == request)).all()
    return list(moves), list(rows), list(needs)


def test_who_may_decide_is_reminded_once_when_a_quarter_of_the_working_hours_is_left(business, folder, request_id):
    _written_to(business, "finance", "ann@example.com")
    _written_to(business, "sponsor", "kim@example.com")
    business.clock.set(BEFORE)
    assert _remind(business, folder) == 0
    business.clock.set(NEARLY)
    assert [_remind(business, folder, address="https://waves.example/") for _ in range(3)] == [1, 0, 0]
    mails = _mails(folder)
    assert list(mails) == ["ann@example.com"]
    assert "Thing 1 as it is now" in mails["ann@example.com"]
    assert "Tue 03 Mar 2026 08:00" in mails["ann@example.com"]
    assert "may decide too" in mails["ann@example.com"]
    assert f"https://waves.example/approvals/{request_id}" in mails["ann@example.com"]
    assert _told(business, request_id) == (["told 1 person by mail"], ["sent"], [NEARLY])
    # What went on to others is not told of again, nor to them.
    business.clock.set(OVER)
    assert (escalate_due(business.database, clock=business.clock), _remind(business, folder)) == (1, 0)
    assert len(_mails(folder)) == 1


def test_after_an_outage_beyond_its_time_it_goes_on_to_others_without_a_reminder(business, folder, request_id):
    _written_to(business, "finance", "ann@example.com")
    business.clock.set(OVER)
    assert (_remind(business, folder), escalate_due(business.database, clock=business.clock)) == (0, 1)
    assert _told(business, request_id) == ([], [], [None])


def test_a_time_that_goes_on_to_nobody_is_reminded_of_late_rather_than_never(business, folder):
    a_rule(business, timeout_hours=8)
    request = asked(business, person(business, "pmo"), site=business.site)
    business.clock.set(OVER)
    assert [_remind(business, folder), _remind(business, folder)] == [1, 0]
    assert _told(business, request) == (["told 0 people by mail"], [], [OVER])


@pytest.mark.parametrize(("hours", "at"), [(1, None), (2, datetime(2026, 3, 2, 10, tzinfo=UTC)), (None, None)])
def test_too_short_a_time_and_none_have_no_reminder(business, hours, at):
    a_rule(business, timeout_hours=hours)
    request = asked(business, person(business, "pmo"), site=business.site)
    with business.work() as work:
        found = work.session.scalars(select(ApprovalNeed.remind_at).where(ApprovalNeed.request_id == request)).one()
    assert found == at


def test_only_what_lacks_an_answer_is_told_of_and_only_to_who_may_give_it(business, folder):
    a_rule(business, "money", timeout_hours=8)
    a_rule(business, "place", capacity="role:sponsor", timeout_hours=8)
    asker = _written_to(business, "pmo", "asker@example.com")
    giver = acting(_written_to(business, "finance", "giver@example.com").id, "finance")
    taker = _written_to(business, "buyer", "taker@example.com")
    delegated(business, giver, acting(taker.id, "buyer"))
    left, quiet = (
        _written_to(business, "finance", "left@example.com"),
        _written_to(business, "finance", "no@example.com"),
    )
    with business.work(acting(quiet.id, "finance")) as work:
        choose_digest(work, wanted=False)
    with business.work() as work:
        close_account(work, left.id, reason="left")
    sponsor = acting(_written_to(business, "sponsor", "kim@example.com").id, "sponsor")
    request = asked(business, acting(asker.id, "pmo"), site=business.site)
    assert answered(business, sponsor, request) == "waiting"
    business.clock.set(NEARLY)
    assert _remind(business, folder) == 1
    assert sorted(_mails(folder)) == ["giver@example.com", "taker@example.com"]
    assert answered(business, giver, request) == "approved"


def test_what_is_settled_is_not_told_of_though_its_mail_still_waited_for_the_server(business, folder, request_id):
    ann = acting(_written_to(business, "finance", "ann@example.com").id, "finance")
    business.clock.set(NEARLY)
    assert _remind(business, folder, mail_url="smtp://127.0.0.1:9") == 1
    assert _told(business, request_id)[1] == ["waiting"]
    assert answered(business, ann, request_id) == "approved"
    business.clock.advance(timedelta(minutes=10))
    assert (_remind(business, folder), _mails(folder)) == (0, {})
    assert _told(business, request_id)[1] == ["parked"]


def test_a_server_that_fails_is_tried_again_under_the_same_name(business, folder, request_id):
    _written_to(business, "finance", "ann@example.com")
    business.clock.set(NEARLY)
    assert _remind(business, folder, mail_url="smtp://127.0.0.1:9") == 1
    with business.work() as work:
        name = work.session.scalars(select(ApprovalReminder.message_id)).one()
    business.clock.advance(timedelta(minutes=10))
    assert _remind(business, folder) == 0
    (letter,) = [email.message_from_bytes(path.read_bytes()) for path in folder.glob("*.eml")]
    assert letter["Message-ID"] == name


def test_killed_before_it_is_kept_nothing_was_told_and_the_next_run_tells_it_once(
    business, folder, request_id, monkeypatch
):
    """Mails and history are one transaction; killed after it, the mail leaves with the next run."""
    _written_to(business, "finance", "ann@example.com")
    business.clock.set(NEARLY)

    def killed(*_args, **_fields):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("app.jobs.reminders.keep_reminder", killed)
        with pytest.raises(SystemExit):
            _remind(business, folder)
    assert (_told(business, request_id), _mails(folder)) == (([], [], [None]), {})
    with monkeypatch.context() as patch:
        patch.setattr("app.jobs.reminders.hand_over", killed)
        with pytest.raises(SystemExit):
            _remind(business, folder)
    assert (_told(business, request_id)[1], _mails(folder)) == (["waiting"], {})
    assert _remind(business, folder) == 0
    assert list(_mails(folder)) == ["ann@example.com"]
    assert _told(business, request_id) == (["told 1 person by mail"], ["sent"], [NEARLY])


def test_two_workers_at_once_remind_once(business, folder, request_id):
    _written_to(business, "finance", "ann@example.com")
    business.clock.set(NEARLY)
    assert sorted(at_once(*[lambda: _remind(business, folder)] * 2)) == [0, 1]
    assert (len(_mails(folder)), len(_told(business, request_id)[0])) == (1, 1)


def test_a_request_that_cannot_be_reminded_of_holds_up_no_other(business, folder, monkeypatch):
    a_rule(business, timeout_hours=8)
    asker = person(business, "pmo")
    broken, whole = (asked(business, asker, site=business.site, subject=each) for each in (1, 2))
    business.clock.set(NEARLY)

    def some(work, request):
        if request == broken:
            raise RuntimeError("a row that breaks")
        return hold_for_reminding(work, request)

    with monkeypatch.context() as patch:
        patch.setattr("app.jobs.reminders.hold_for_reminding", some)
        assert _remind(business, folder) == 1
    assert (_told(business, broken)[2], _told(business, whole)[2]) == ([None], [NEARLY])
    assert _remind(business, folder) == 1


def test_without_a_mail_server_the_history_says_it_alone(business, folder, request_id):
    _written_to(business, "finance", "ann@example.com")
    business.clock.set(NEARLY)
    assert _remind(business, folder, mail_url=None) == 1
    assert _told(business, request_id) == (["on the page Today, there is no mail server"], [], [NEARLY])


def test_a_mail_stays_one_line_in_its_subject_whatever_the_summary_holds(business, folder):
    a_rule(business, timeout_hours=8)
    _written_to(business, "finance", "ann@example.com")
    with unit_of_work(business.database, actor=person(business, "pmo"), clock=business.clock) as work:
        ask(work, Ask(kind="tested_thing", subject_type="thing", subject_id=1, subject_version=1, site=business.site,
                      summary="First line\r\nBcc: all@example.com " + "x" * 300))  # fmt: skip
    business.clock.set(NEARLY)
    assert _remind(business, folder) == 1
    (letter,) = [email.message_from_bytes(path.read_bytes()) for path in folder.glob("*.eml")]
    assert letter["Bcc"] is None
