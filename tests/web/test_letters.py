"""What customers were told, on screen: texts saved and looked at, addresses, parked letters, and what people say."""

from __future__ import annotations

import pytest

from app.composition.letter_consumer import LetterConsumer
from app.composition.letters import Letter, keep_contact
from app.composition.uow import unit_of_work
from app.jobs.consumers import ConsumerRunner
from app.jobs.letters import send_letters
from erpcore.kernel.actor import Actor
from tests.support.operate import a_trading_business
from tests.support.queries import MOST, queries
from tests.support.steps import captured
from tests.support.web import Browser, a_person, a_site


@pytest.fixture
def trade(sqlite_database, clock):
    return a_trading_business(sqlite_database, clock)


def test_an_address_is_entered_and_the_order_says_what_was_told(signed_in, sqlite_database, trade, clock):
    browser = signed_in("process_owner")
    here = f"/letters/customers/{trade.business.customer}"
    assert "No address yet" in browser.get(here).text
    page = browser.post(here, {"email": "nobody", "language": "", "seen": "0"}, status=422)
    assert page.value("email") == "nobody"
    browser.post(here, {"email": "kauf@bautechnik.example", "language": "fr", "seen": "0"})
    order = captured(trade.business)
    ConsumerRunner(sqlite_database, LetterConsumer(), clock=clock).run_to_head()
    with queries(sqlite_database) as ran:
        page = browser.get(f"/orders/{order.id}")
    assert len(ran) <= MOST, len(ran)
    assert f"Votre commande {order.number}" in page.text
    assert "waits to be sent" in page.text
    assert "Not sent: no mail server" in browser.get("/letters").text
    assert "not sent: no mail server" in signed_in("administrator").get("/operations").text


def test_a_text_is_looked_at_with_a_real_order_and_saved_as_the_next_version(signed_in, trade):
    browser = signed_in("process_owner")
    here = "/letters/texts/confirmation/de"
    page = browser.get(here)
    assert "own text" in page.text
    fields = {"subject": "Auftrag {order}", "body": "Guten Tag {customer}", "order": f"SO-{trade.held}", "seen": "0"}
    page = browser.post(here, {**fields, "what": "look"})
    assert f"Auftrag SO-{trade.held}" in page.text
    assert "Guten Tag Bautechnik" in page.text
    page = browser.post(here, {**fields, "body": "{customer} {iban}"}, status=422)
    assert "Nothing can be put in the place of “iban”" in page.text
    assert "There is no order" in browser.post(here, {**fields, "order": "SO-1", "what": "look"}, status=422).text
    browser.post(here, fields)
    assert "version 1" in browser.page.text
    browser.post(here, fields, status=409)
    signed_in("auditor").get(here)


def test_words_for_people_stand_where_they_are_needed(signed_in, trade):
    owner = signed_in("process_owner")
    owner.get("/letters/words/hold_credit")
    desk = signed_in("customer_service")
    page = desk.get(f"/orders/{trade.held}")
    assert "What to say" in page.text
    assert "What to say" in desk.get(f"/exceptions/order/{trade.held}").text
    assert "What to say" not in desk.get(f"/orders/{trade.paid}").text


def test_a_parked_letter_is_sent_again_by_who_may(signed_in, sqlite_database, trade, clock):
    signed_in("process_owner").get(f"/letters/customers/{trade.business.customer}")
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        work.session.add(
            Letter(
                id=work.ids.one(), event_seq=1, event="hold", order_id=trade.held, site_id=trade.business.site,
                customer_id=trade.business.customer, language="en", template_version=0, to_address="a@b.example", subject="Held",
                body="Wait", message_id="<1@x>", state="parked", attempts=8, next_at=clock.now(), last_error="refused",
                made_at=clock.now(),
            )
        )  # fmt: skip
    lead = signed_in("site_lead")
    page = lead.get("/letters?state=parked")
    (address,) = [link for link in page.links() if link.startswith("/letters/") and link.rsplit("/", 1)[-1].isdecimal()]
    lead.get(address)
    page = lead.post(f"{address}/again")
    assert "Waiting" in page.text
    lead.post(f"{address}/again", status=422)
    clerk = signed_in("customer_service")
    clerk.get(address)
    clerk.post(f"{address}/again", status=403)


@pytest.mark.parametrize(
    ("here", "first", "second", "status"),
    [
        (
            "/letters/texts/confirmation/de",
            {"subject": "Erste", "body": "Guten Tag"},
            {"subject": "Zweite", "body": "Hallo", "what": "look"},
            200,
        ),
        ("/letters/words/hold_credit", {"body": "First words"}, {"body": ""}, 422),
        ("customer", {"email": "erste@a.example", "language": ""}, {"email": "nobody", "language": ""}, 422),
    ],
)
def test_a_form_keeps_the_version_that_it_showed_until_it_is_opened_anew(signed_in, trade, here, first, second, status):
    here = f"/letters/customers/{trade.business.customer}" if here == "customer" else here
    browser = signed_in("process_owner")
    seen = browser.get(here).value("seen")
    browser.post(here, {**first, "seen": seen})
    # A second form, opened before, is looked at or lacks something: it is still the form of then, and may not overwrite.
    browser.post(here, {**second, "seen": seen}, status=status)
    again = browser.page.value("seen")
    assert again == seen
    browser.post(here, {**first, "seen": again}, status=409)


def test_letters_that_go_into_a_folder_say_that_they_reach_nobody(sqlite_database, trade, clock, tmp_path):
    url = f"file://{tmp_path}/letters"
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        keep_contact(
            work,
            customer=trade.business.customer,
            email="kauf@bautechnik.example",
            language="en",
            wants_none=False,
            seen=0,
        )
    order = captured(trade.business)
    ConsumerRunner(sqlite_database, LetterConsumer(), clock=clock).run_to_head()
    assert send_letters(sqlite_database, clock=clock, mail_url=url) > 0
    browser = Browser(a_site(sqlite_database, tmp_path, clock, mail_url=url))
    browser.sign_in(a_person(sqlite_database, "process_owner", clock=clock))
    page = browser.get(f"/orders/{order.id}")
    assert "sent into the folder of this machine, to nobody" in page.text
    assert "kauf@bautechnik.example" in page.text
    assert "They reach nobody" in browser.get("/letters").text
    assert "into the folder" in browser.page.text
