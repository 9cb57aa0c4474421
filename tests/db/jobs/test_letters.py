"""Letters to customers: made once for each event, in the customer's language, sent by a real mail server, never lost."""

from __future__ import annotations

import email
import socketserver
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.composition import letters as letters_module
from app.composition.letter_consumer import LetterConsumer
from app.composition.letter_texts import FIELDS, SCRIPTS, STANDARD, Event, Situation
from app.composition.letters import (
    MOST_ATTEMPTS,
    CustomerContact,
    Letter,
    LetterTemplate,
    filled,
    keep_contact,
    save_script,
    save_template,
    script_of,
    template_of,
    try_again,
    unknown_fields,
)
from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner
from app.jobs.letters import send_letters
from app.jobs.mailfolder import empty
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, NotAllowed, RuleBroken
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.holds import HoldOrder, hold_orders
from erpcore.orders.models import HoldKind
from tests.support.core import a_business
from tests.support.steps import allocated, captured, shipped


class _Mailbox(socketserver.StreamRequestHandler):
    """One conversation of the server below."""

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        box = self.server.box
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "RCPT" and any(address in line for address in box.refused):
                self.say("550 no such mailbox")
            elif verb == "DATA":
                self.say("354 go on")
                text = b""
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    text += part
                box.taken.append(email.message_from_bytes(text))
                if box.hangs_up:
                    # It has the letter, and the sender never hears of it.
                    return
                self.say("250 taken")
            else:
                self.say("221 bye" if verb == "QUIT" else "250 well")


class MailServer:
    """Speaks enough SMTP on loopback to take mail, or to refuse addresses or hang up when it is told to."""

    def __init__(self):
        self.taken, self.refused, self.hangs_up = [], set(), False
        self._server = socketserver.TCPServer(("127.0.0.1", 0), _Mailbox)
        self._server.box = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self._server.server_address[1]}?from=orders@nordhaus.example"

    def stop(self):
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


@contextmanager
def a_mail_server():
    server = MailServer()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def business(database):
    made = a_business(database, limit=9_000_000)
    with made.work() as work:
        keep_contact(
            work, customer=made.customer, email="kauf@bautechnik.example", language=None, wants_none=False, seen=0
        )
    return made


def made_of(business):
    ConsumerRunner(business.database, LetterConsumer(), clock=business.clock).run_to_head()
    with reading(business.database) as session:
        found = list(session.scalars(select(Letter).order_by(Letter.event_seq)))
        session.expunge_all()
        return found


def send(business, url):
    return send_letters(business.database, clock=business.clock, mail_url=url)


def an_order(business):
    return captured(business, ((0, 2),))


def test_every_event_of_an_order_is_told_once_in_the_language_of_the_country(business):
    order, _ = shipped(business, ((0, 2),))
    other = an_order(business)
    with business.work() as work:
        hold_orders(work, [HoldOrder(order=other.id, kind=HoldKind.ADDRESS, reason="no street")])
        cancel_lines(work, [CancelLines(order=other.id, reason="customer asks", by_customer=True)])
    found = made_of(business)
    assert [(one.event, one.order_id) for one in found] == [
        ("confirmation", order.id), ("shipment", order.id), ("confirmation", other.id), ("hold", other.id),
        ("cancellation", other.id),
    ]  # fmt: skip
    assert found[0].subject == f"Ihr Auftrag {order.number}"
    assert "\n2 pc " in found[0].body
    assert "Nordhaus GmbH, Duisburg" in found[0].body
    assert "{" not in "".join(one.subject + one.body for one in found)
    made_of(business)
    with reading(business.database) as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 5


def test_letters_count_in_whole_units_and_tell_a_later_day_once(business):
    order, _ = shipped(business, ((0, 100),))
    short = allocated(business, ((0, 30), (1, 20)))
    with business.work() as work:
        line = short.lines[1].id
        cancel_lines(work, [CancelLines(order=short.id, reason="less", by_customer=True, lines={line: 10_000})])
    told = {(one.event, one.order_id): one.body for one in made_of(business)}
    assert "\n100 pc " in told["confirmation", order.id]
    assert "\n100 pc " in told["shipment", order.id]
    assert "\n30 pc " in told["shortage", short.id]
    assert "\n10 pc " in told["cancellation", short.id]
    assert ("delay", short.id) not in told


def test_a_text_keeps_signs_that_are_no_fields():
    assert (
        filled("US${value}, $$ and $order, {lines}", {"value": "12", "lines": "x", "order": "no"})
        == "US$12, $$ and $order, x"
    )


def test_who_has_no_address_or_wants_none_is_not_written_to(business):
    with business.work() as work:
        keep_contact(work, customer=business.customer, email="x@y.example", language="fr", wants_none=True, seen=1)
    order = an_order(business)
    (found,) = made_of(business)
    assert (found.state, found.language, found.subject) == ("skipped", "fr", f"Votre commande {order.number}")
    with a_mail_server() as server:
        assert send(business, server.url) == 0
        assert server.taken == []


def test_a_letter_is_sent_once_and_says_what_was_sent(business):
    an_order(business)
    (letter,) = made_of(business)
    assert send(business, None) == 0
    with a_mail_server() as server:
        assert send(business, server.url) == 1
        assert send(business, server.url) == 0
        (mail,) = server.taken
    assert (mail["To"], mail["From"], mail["Message-ID"].strip()) == (
        "kauf@bautechnik.example", "orders@nordhaus.example", letter.message_id
    )  # fmt: skip
    assert mail.get_payload(decode=True).decode().strip().replace("\r\n", "\n") == letter.body.strip()
    (sent,) = made_of(business)
    assert (sent.state, sent.attempts, sent.sent_at, sent.way) == ("sent", 1, business.clock.now(), "mail")


def test_without_a_server_it_is_tried_later_and_later_then_parked_and_replayed(business):
    an_order(business)
    made_of(business)
    closed = "smtp://127.0.0.1:9"
    for attempt in range(1, MOST_ATTEMPTS):
        assert send(business, closed) == 0
        (letter,) = made_of(business)
        assert (letter.state, letter.attempts) == ("waiting", attempt)
        assert letter.next_at == business.clock.now() + timedelta(minutes=2 ** (attempt - 1))
        assert send(business, closed) == 0, "before its time nothing is tried"
        assert made_of(business)[0].attempts == attempt
        business.clock.set(letter.next_at)
    send(business, closed)
    (letter,) = made_of(business)
    assert letter.state == "parked"
    assert "ConnectionRefusedError" in letter.last_error
    with business.work() as work:
        try_again(work, letter.id)
    with a_mail_server() as server:
        assert send(business, server.url) == 1
        assert [mail["Message-ID"].strip() for mail in server.taken] == [letter.message_id]
    with pytest.raises(RuleBroken, match="letter_not_parked"), business.work() as work:
        try_again(work, letter.id)


def test_a_refused_address_leaves_the_others_to_be_sent(business):
    an_order(business)
    an_order(business)
    first, _ = made_of(business)
    with business.work() as work:
        work.session.get(Letter, first.id).to_address = "gone@bautechnik.example"
    with a_mail_server() as server:
        server.refused.add("gone@")
        assert send(business, server.url) == 1
        assert [mail["To"] for mail in server.taken] == ["kauf@bautechnik.example"]
    assert [one.state for one in made_of(business)] == ["waiting", "sent"]
    assert "no such mailbox" in made_of(business)[0].last_error


def test_killed_between_handing_over_and_marking_it_comes_again_as_the_same_letter(business, monkeypatch):
    an_order(business)
    (letter,) = made_of(business)

    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    with a_mail_server() as server:
        with monkeypatch.context() as patch:
            patch.setattr("app.jobs.outbox._settle", killed)
            with pytest.raises(KeyboardInterrupt):
                send(business, server.url)
        assert send(business, server.url) == 0, "it is claimed still"
        business.clock.set(business.clock.now() + letters_module.CLAIM)
        assert send(business, server.url) == 1
        assert [mail["Message-ID"].strip() for mail in server.taken] == [letter.message_id] * 2


def test_a_server_that_hangs_up_after_taking_it_gets_the_same_letter_again(business):
    an_order(business)
    (letter,) = made_of(business)
    with a_mail_server() as server:
        server.hangs_up = True
        assert send(business, server.url) == 0
        server.hangs_up = False
        business.clock.set(made_of(business)[0].next_at)
        assert send(business, server.url) == 1
        assert {mail["Message-ID"].strip() for mail in server.taken} == {letter.message_id}


def test_into_a_folder_each_letter_is_a_file_of_its_own_once_and_says_that_it_reached_nobody(
    business, tmp_path, monkeypatch
):
    for _ in range(2):
        an_order(business)
    letters = made_of(business)
    url = f"file://{tmp_path}/out%20box?from=orders@nordhaus.example"

    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("app.jobs.outbox._settle", killed)
        with pytest.raises(KeyboardInterrupt):
            send(business, url)
    business.clock.set(business.clock.now() + letters_module.CLAIM)
    assert send(business, url) == 2
    folder = tmp_path / "out box"
    files = sorted(folder.iterdir())
    assert len(files) == 2
    assert {(path.suffix, path.stat().st_mode & 0o777) for path in files} == {(".eml", 0o600)}
    assert folder.stat().st_mode & 0o777 == 0o700
    mails = [email.message_from_bytes(path.read_bytes()) for path in files]
    assert {mail["Message-ID"] for mail in mails} == {letter.message_id for letter in letters}
    assert {mail["From"] for mail in mails} == {"orders@nordhaus.example"}
    bodies = {mail.get_payload(decode=True).decode().strip().replace("\r\n", "\n") for mail in mails}
    assert bodies == {letter.body.strip() for letter in letters}
    assert [(one.state, one.way) for one in made_of(business)] == [("sent", "folder")] * 2
    (folder / "notes.txt").write_text("mine")
    empty(folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_written_keeps_the_letter_for_later(business, tmp_path):
    an_order(business)
    made_of(business)
    (tmp_path / "taken").write_text("a file, no folder")
    assert send(business, f"file://{tmp_path}/taken") == 0
    (letter,) = made_of(business)
    assert (letter.state, letter.way, letter.attempts) == ("waiting", None, 1)
    assert "FileExistsError" in letter.last_error


def test_texts_have_versions_and_fields_that_are_known(business):
    def saved(**fields):
        with business.work() as work:
            return save_template(
                work,
                **{
                    "event": Event.CONFIRMATION,
                    "language": "de",
                    "subject": "{order}",
                    "body": "{lines}",
                    "seen": 0,
                    **fields,
                },
            )

    for fields, code in (
        ({"body": "{customer} {iban}"}, "letter_field_unknown"), ({"subject": " "}, "letter_text_missing"),
        ({"subject": "a\nBcc: x@y.example"}, "letter_text_missing"), ({"language": "xx"}, "letter_language"),
        ({"body": "a { b"}, "letter_field_unknown"),
    ):  # fmt: skip
        with pytest.raises(RuleBroken, match=code):
            saved(**fields)
    with reading(business.database) as session:
        assert session.scalar(select(func.count()).select_from(LetterTemplate)) == 0
    assert saved(subject="Auftrag {order} ist da") == 1
    with pytest.raises(Conflict):
        saved(seen=0)
    order = an_order(business)
    (letter,) = made_of(business)
    assert (letter.subject, letter.template_version) == (f"Auftrag {order.number} ist da", 1)
    with reading(business.database) as session:
        assert template_of(session, "confirmation", "en").version == 0


def test_who_may_not_write_changes_no_text_and_no_address(business):
    nobody = Actor(id=7, role="customer_service")
    with pytest.raises(NotAllowed), business.work(nobody) as work:
        save_script(work, situation=Situation.LATE, body="x", seen=0)
    with pytest.raises(NotAllowed), business.work(nobody) as work:
        keep_contact(work, customer=business.customer, email="a@b.example", language=None, wants_none=False, seen=1)
    for wrong in ("nobody", "a@b", "a@b.example, c@d.example", "a b@c.example"):
        with pytest.raises(RuleBroken, match="letter_address"), business.work() as work:
            keep_contact(work, customer=business.customer, email=wrong, language=None, wants_none=False, seen=1)
    with reading(business.database) as session:
        assert session.get(CustomerContact, business.customer).email == "kauf@bautechnik.example"
        assert script_of(session, Situation.LATE) == (0, SCRIPTS[Situation.LATE])


def test_the_products_own_texts_are_whole():
    assert set(STANDARD) == set(Event)
    assert set(SCRIPTS) == set(Situation)
    for by_language in STANDARD.values():
        assert set(by_language) == {"en", "de", "fr"}
        for subject, body in by_language.values():
            assert unknown_fields(subject) == unknown_fields(body) == []
    assert unknown_fields("{order} {nope}") == ["nope"]
    assert "order" in FIELDS
