"""The daily mail of what waits: once a day, nothing where nothing waits, and again under the same name when a server failed."""

from __future__ import annotations

import email
import smtplib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.composition.digests import Digest, choose_digest, wants_digest
from app.composition.uow import reading, unit_of_work
from app.identity.services import close_account
from app.jobs.digests import Line, send_digests
from app.web.today.digest import waiting_of
from tests.support.approvals import a_rule, acting, asked, things
from tests.support.core import a_business
from tests.support.threads import at_once
from tests.support.web import a_person, a_site

MORNING = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
VOTE = Line(title="Vote: go-live of W2", why="W2", address="https://waves.example/decisions/1")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mail"


@pytest.fixture
def ann(database, clock):
    clock.set(MORNING)
    return a_person(database, "finance", clock=clock, email="ann@example.com")


def _send(database, clock, folder, lines):
    return send_digests(
        database, clock=clock, mail_url=f"file://{folder}?from=desk@example.com", waiting=lambda _actor, _now: lines
    )


def _letters(folder):
    return (
        [email.message_from_bytes(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]
        if folder.exists()
        else []
    )


def _states(database):
    with reading(database) as session:
        return [tuple(row) for row in session.execute(select(Digest.state, Digest.attempts).order_by(Digest.id))]


def test_it_comes_once_a_day_and_again_the_next(database, clock, folder, ann):
    assert [_send(database, clock, folder, [VOTE]) for _ in range(3)] == [1, 0, 0]
    (letter,) = _letters(folder)
    assert (letter["To"], letter["From"], letter["Subject"]) == (
        "ann@example.com",
        "desk@example.com",
        "1 thing waits for you",
    )
    text = letter.get_payload(decode=True).decode()
    assert "Vote: go-live of W2" in text
    assert "https://waves.example/decisions/1" in text
    clock.advance(timedelta(days=1))
    assert _send(database, clock, folder, [VOTE, Line(title="Hold", why="one")]) == 1
    assert len(_letters(folder)) == 2


def test_nothing_is_sent_where_nothing_waits_nor_later_that_day(database, clock, folder, ann):
    assert _send(database, clock, folder, []) == 0
    clock.advance(timedelta(hours=2))
    assert _send(database, clock, folder, [VOTE]) == 0
    assert (_letters(folder), _states(database)) == ([], [("nothing", 0)])


def test_it_comes_in_the_morning_of_each_persons_own_day(database, clock, folder, ann):
    a_person(database, "finance", clock=clock, email="kim@example.com", time_zone="America/New_York")
    assert _send(database, clock, folder, [VOTE]) == 1
    clock.advance(timedelta(hours=5))
    assert _send(database, clock, folder, [VOTE]) == 1
    assert sorted(letter["To"] for letter in _letters(folder)) == ["ann@example.com", "kim@example.com"]


def test_who_wants_none_or_left_or_has_no_address_gets_none(database, clock, folder, ann):
    a_person(database, "finance", clock=clock)
    left = a_person(database, "finance", clock=clock, email="kim@example.com")
    with unit_of_work(database, actor=acting(ann.id, "finance"), clock=clock) as work:
        choose_digest(work, wanted=False)
        close_account(work, left.id, reason="left")
    with reading(database) as session:
        assert wants_digest(session, ann.id) is False
    assert (_send(database, clock, folder, [VOTE]), _states(database)) == (0, [])


def test_a_server_that_fails_is_tried_again_and_the_mail_keeps_its_name(database, clock, folder, ann):
    waiting = lambda _actor, _now: [VOTE]  # noqa: E731 - a port of one line
    assert send_digests(database, clock=clock, mail_url="smtp://127.0.0.1:9", waiting=waiting) == 0
    with reading(database) as session:
        kept = session.scalars(select(Digest.message_id)).one()
    assert _states(database) == [("waiting", 1)]
    clock.advance(timedelta(minutes=10))
    assert _send(database, clock, folder, [VOTE]) == 1
    assert [letter["Message-ID"] for letter in _letters(folder)] == [kept]


def test_a_person_whose_page_cannot_be_read_keeps_no_mail_from_the_others(database, clock, folder, ann):
    a_person(database, "pmo", clock=clock, email="kim@example.com")

    def waiting(actor, _now):
        if actor.id == ann.id:
            raise RuntimeError("a page that breaks")
        return [VOTE]

    def send(found):
        return send_digests(database, clock=clock, mail_url=f"file://{folder}?from=desk@example.com", waiting=found)

    assert send(waiting) == 1
    assert [letter["To"] for letter in _letters(folder)] == ["kim@example.com"]
    # The next run tries hers again, and only hers.
    assert send(lambda _actor, _now: [VOTE]) == 1
    assert sorted(letter["To"] for letter in _letters(folder)) == ["ann@example.com", "kim@example.com"]


def test_a_server_that_refuses_the_sender_of_one_mail_is_handed_the_next(database, clock, ann, monkeypatch):
    """As letters do: what a server says of one message is no failure of the server."""
    a_person(database, "pmo", clock=clock, email="kim@example.com")
    sent = []

    class Server:
        def send_message(self, message):
            if message["To"] == "ann@example.com":
                raise smtplib.SMTPSenderRefused(550, b"not you", "desk@example.com")
            sent.append(message["To"])

        def rset(self):
            sent.append("reset")

    @contextmanager
    def mail_server(_url):
        yield Server(), "desk@example.com"

    monkeypatch.setattr("app.jobs.outbox.mail_server", mail_server)
    waiting = lambda _actor, _now: [VOTE]  # noqa: E731 - a port of one line
    assert send_digests(database, clock=clock, mail_url="smtp://mail.example.com", waiting=waiting) == 1
    assert sent == ["reset", "kim@example.com"]
    assert sorted(_states(database)) == [("sent", 1), ("waiting", 1)]


def test_two_workers_at_once_send_one(database, clock, folder, ann):
    found = at_once(*[lambda: _send(database, clock, folder, [VOTE])] * 2)
    assert sorted(found) == [0, 1]
    assert len(_letters(folder)) == 1


def test_without_a_mail_server_none_is_made(database, clock, ann):
    assert send_digests(database, clock=clock, mail_url=None, waiting=lambda _a, _n: [VOTE]) == 0
    assert _states(database) == []


def test_it_says_what_the_home_page_says_and_where(database, clock, folder, tmp_path):
    business = a_business(database)
    business.clock = clock
    clock.set(MORNING)
    things()
    a_rule(business)
    a_person(database, "finance", clock=clock, email="ann@example.com")
    request = asked(business, acting(a_person(database, "pmo", clock=clock).id, "pmo"))
    waiting = waiting_of(a_site(database, tmp_path, clock), "https://waves.example/")
    sent = send_digests(database, clock=clock, mail_url=f"file://{folder}?from=desk@example.com", waiting=waiting)
    assert sent == 1
    (letter,) = _letters(folder)
    text = letter.get_payload(decode=True).decode()
    assert letter["To"] == "ann@example.com"
    assert "Thing 1 as it is now" in text
    assert f"https://waves.example/approvals/{request}" in text
    assert "Audit trail: link " in text
