"""The prices entered in a quote are decided by the rules of approval when it is sent: who, how many, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import orjson
import pytest
from sqlalchemy import select, text

from app.composition.approving import Answer, answer, withdraw
from app.composition.core_approvals import BY_RULES
from app.composition.quote_approvals import accept, approve, decline, give_back, request_of_quote
from app.jobs.approvals import escalate_due
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove, NotAllowed, RuleBroken
from erpcore.kernel.events import EventLog
from erpcore.kernel.history import Transition
from erpcore.orders.quotes.accepting import AcceptQuote
from erpcore.orders.quotes.models import Quote
from erpcore.orders.quotes.services import (
    ChangeQuote,
    DeclineQuote,
    change_quotes,
    decline_quotes,
    revise_quotes,
    send_quotes,
)
from governance.approvals.models import ApprovalAnswer, ApprovalRequest
from governance.approvals.rules import Materiality
from tests.support.approvals import a_rule, answered, delegated, person, state_of
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve as approve_policy
from tests.support.pricing import an_entered
from tests.support.quotes import entered, terms
from tests.support.threads import at_once


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    return made


def sent(business, by, *prices, quantity=10):
    """A quote sent at prices that this person entered; the rules give 10.00."""
    return send(business, by, entered(business, [an_entered(business, each, quantity) for each in prices], by=by))


def send(business, by, quote):
    with business.work(by, source="screen") as work:
        return send_quotes(work, [quote.id], rules=RULES, authority=BY_RULES)[0]


def asked(business, quote):
    with business.work() as work:
        return request_of_quote(work.session, quote.id)


def stored(business, quote):
    with business.work() as work:
        return work.session.scalar(select(Quote.state).where(Quote.id == quote.id))


def acted(business, who, act, quote, **more):
    with business.work(who) as work:
        return act(work, quote.id, **more)


def two_people(business):
    return a_rule(
        business, "two", kind="quote_price", people=2, amount_from_minor=500, currency="EUR",
        capacity="may:orders:price:approve_site", materiality=Materiality.MEDIUM,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("role", "level", "said"),
    [
        ("super_user", "desk", "Of low materiality or higher, one person who may approve"),
        ("site_lead", "site_lead", "Of medium materiality or higher, one person who may approve"),
        ("process_owner", "process_owner", "Of high materiality, one person who may approve"),
    ],
)
def test_sending_asks_whom_the_policy_names_with_what_is_given_away(business, role, level, said):
    if level != "site_lead":  # which is the standard
        approve_policy(business, "override_authority", level)
    quote = sent(business, person(business, "customer_service"), "9.00")
    request = asked(business, quote)
    facts = orjson.loads(request.facts)
    assert (facts["amount_minor"], facts["currency"], facts["margin_permille"], facts["tier"]) == (1_000, "EUR", 555, 2)
    assert request.rule_text.startswith(said)
    assert (request.subject_type, request.subject_id, request.subject_version) == ("quote", quote.id, quote.version)
    assert (quote.state, request.state, request.site_id) == ("waiting", "waiting", business.site)
    assert answered(business, person(business, role), request.id) == "approved"
    assert stored(business, quote) == "sent"


def test_a_price_within_the_tolerance_is_approved_automatically_and_says_so(business):
    approve_policy(business, "price_tolerance_permille", 25)
    quote = sent(business, person(business, "customer_service"), "9.80")
    request = asked(business, quote)
    assert (quote.state, request.state, request.is_automatic) == ("sent", "approved", True)
    assert "approved automatically" in request.rule_text or "nobody" in request.rule_text.lower()
    with business.work() as work:
        moves = work.session.scalars(
            select(Transition.reason).where(Transition.document_id == quote.id, Transition.move == "approve")
        )
        assert moves.all() == [request.rule_text]


def test_a_stricter_rule_of_margin_is_asked_within_the_tolerance_too(business):
    approve_policy(business, "price_tolerance_permille", 25)
    a_rule(business, "thin", kind="quote_price", margin_below_permille=700, capacity="role:finance")
    quote = sent(business, person(business, "customer_service"), "9.80")
    assert quote.state == "waiting"
    assert answered(business, person(business, "finance"), asked(business, quote).id) == "approved"
    assert stored(business, quote) == "sent"


def test_a_quote_without_entered_prices_asks_nobody(business):
    desk = person(business, "customer_service")
    quote = send(business, desk, entered(business, by=desk))
    assert quote.state == "sent"
    assert asked(business, quote) is None


def test_who_entered_or_sent_the_prices_never_decides(business):
    writer, sender, other = (person(business, "site_lead") for _ in range(3))
    quote = send(business, sender, entered(business, [an_entered(business, "9.00")], by=writer))
    request = asked(business, quote).id
    for who in (writer, sender):
        with pytest.raises(NotAllowed) as refused:
            answered(business, who, request)
        assert refused.value.code == "approval_own"
        with pytest.raises(NotAllowed) as refused:
            acted(business, who, approve, quote)
        assert refused.value.code == "quote_own_prices"
    with pytest.raises(RuleBroken) as refused, business.work(sender) as work:
        withdraw(work, request, reason="never mind")
    assert refused.value.code == "approval_stays"
    assert stored(business, quote) == "waiting"
    assert acted(business, other, approve, quote).state == "sent"


def test_self_approval_of_a_quote_through_a_delegate_is_refused(business):
    writer, helper, other = (person(business, "site_lead") for _ in range(3))
    delegated(business, writer, helper)
    quote = sent(business, writer, "9.00")
    request = asked(business, quote).id
    for act in (partial(answered, business, helper, request), partial(acted, business, helper, approve, quote)):
        with pytest.raises(NotAllowed) as refused:
            act()
        assert refused.value.code == "approval_tied"
    assert (stored(business, quote), state_of(business, request)) == ("waiting", "waiting")
    assert answered(business, other, request) == "approved"


def test_several_people_are_different_people_and_acting_twice_is_harmless(business):
    two_people(business)
    quote = sent(business, person(business, "customer_service"), "9.00")
    request = asked(business, quote).id
    one, two = person(business, "site_lead"), person(business, "site_lead")
    assert acted(business, one, approve, quote).state == "waiting"
    assert acted(business, one, approve, quote).state == "waiting", "a second time finds the first"
    assert stored(business, quote) == "waiting"
    assert answered(business, two, request) == "approved"
    assert answered(business, two, request) == "approved", "nothing is sent twice"
    with business.work() as work:
        issued = select(EventLog.id).where(EventLog.type == "quote.issued", EventLog.subject_id == quote.id)
        assert len(work.session.scalars(issued).all()) == 1


def test_a_delegate_decides_for_whom_the_rule_names(business):
    quote = sent(business, person(business, "customer_service"), "9.00")
    lead, helper = person(business, "site_lead"), person(business, "customer_service")
    delegated(business, lead, helper)
    assert answered(business, helper, asked(business, quote).id) == "approved"
    with business.work() as work:
        row = work.session.scalars(select(ApprovalAnswer)).one()
        assert (row.person_id, row.on_behalf_of) == (helper.id, lead.id)
    assert stored(business, quote) == "sent"


def test_after_its_working_hours_the_next_level_may_decide_too(business):
    approve_policy(business, "override_authority", "desk")
    quote = sent(business, person(business, "customer_service"), "9.00")
    request, lead = asked(business, quote).id, person(business, "site_lead")
    business.clock.set(business.clock.now() + timedelta(days=2))
    assert escalate_due(business.database, clock=business.clock) == 1
    assert answered(business, lead, request) == "approved"


def test_a_no_gives_the_quote_back_with_its_reason_and_sending_it_anew_asks_anew(business):
    desk, lead = person(business, "customer_service"), person(business, "site_lead")
    quote = sent(business, desk, "9.00")
    first = asked(business, quote).id
    assert answered(business, lead, first, "reject", "offer 9.50") == "rejected"
    with business.work() as work:
        reasons = select(Transition.reason).where(Transition.document_id == quote.id, Transition.move == "give_back")
        assert work.session.scalars(reasons).all() == ["offer 9.50"]
    assert stored(business, quote) == "draft"
    with business.work(desk, source="screen") as work:
        change_quotes(work, [ChangeQuote(quote=quote.id, terms=terms(business, [an_entered(business, "9.50")]))], rules=RULES)  # fmt: skip
    again = send(business, desk, quote)
    second = asked(business, quote)
    assert (second.id != first, second.state, second.subject_version) == (True, "waiting", again.version)
    assert answered(business, lead, second.id) == "approved"


def test_approving_an_outdated_version_of_a_quote_is_refused(business):
    """Taken back, changed and sent again: the answer to what was asked first is refused, and so is an answer to other content."""
    desk, lead = person(business, "customer_service"), person(business, "site_lead")
    quote = sent(business, desk, "9.00")
    first = asked(business, quote).id
    acted(business, desk, give_back, quote, reason="a slip")
    assert state_of(business, first) == "outdated"
    with business.work(desk, source="screen") as work:
        change_quotes(work, [ChangeQuote(quote=quote.id, terms=terms(business, [an_entered(business, "5.00")]))], rules=RULES)  # fmt: skip
    send(business, desk, quote)
    with pytest.raises(Conflict) as refused:
        answered(business, lead, first)
    assert refused.value.code == "approval_settled"
    with pytest.raises(Conflict) as refused:
        acted(business, lead, approve, quote, seen={quote.id: quote.version})
    assert refused.value.code == "changed_meanwhile"
    assert stored(business, quote) == "waiting"


def test_other_content_than_what_was_asked_about_is_not_approved(business):
    quote = sent(business, person(business, "customer_service"), "9.00")
    request, lead = asked(business, quote).id, person(business, "process_owner")
    with business.work() as work:
        work.session.execute(
            text("UPDATE quote_line SET unit_price = unit_price / 2 WHERE quote_id = :q"), {"q": quote.id}
        )
    for act in (partial(answered, business, lead, request), partial(acted, business, lead, approve, quote)):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "approval_outdated"
    assert stored(business, quote) == "waiting"


def test_declined_or_overtaken_by_another_revision_it_is_asked_about_no_longer(business):
    desk = person(business, "customer_service")
    one = sent(business, desk, "9.00")
    with business.work(desk) as work:
        decline(work, [DeclineQuote(quote=one.id, reason="too dear", by_customer=True)])
    assert state_of(business, asked(business, one).id) == "outdated"
    bound = send(business, desk, entered(business, by=desk))
    with business.work(desk, source="screen") as work:
        (revision,) = revise_quotes(work, [bound.id], rules=RULES)
        change_quotes(work, [ChangeQuote(quote=revision.id, terms=terms(business, [an_entered(business, "9.00")]))], rules=RULES)  # fmt: skip
    send(business, desk, revision)
    with business.work(desk, source="screen") as work:
        accept(work, [AcceptQuote(quote=bound.id)], rules=RULES, cells=OPEN)
    assert state_of(business, asked(business, revision).id) == "outdated"


def test_the_job_outdates_what_was_declined_by_itself(business):
    desk = person(business, "customer_service")
    quote = sent(business, desk, "9.00")
    with business.work(desk) as work:
        decline_quotes(work, [DeclineQuote(quote=quote.id, reason="too dear", by_customer=True)])
    escalate_due(business.database, clock=business.clock)
    assert state_of(business, asked(business, quote).id) == "outdated"


def test_two_approvers_of_a_quote_at_once_send_it_once(business):
    """By the request and by the quote's own page, as two people would: one sends it, the other is told or finds it sent."""
    desk = person(business, "customer_service")
    one, two = person(business, "site_lead"), person(business, "site_lead")
    for more in range(3):
        quote = sent(business, desk, "9.00", quantity=10 + more)
        request = asked(business, quote).id
        found = at_once(partial(acted, business, one, approve, quote), partial(_agreed, business, two, request))
        assert [isinstance(each, DomainError) for each in found].count(True) == 1, found
        assert stored(business, quote) == "sent"
        with business.work() as work:
            issued = select(EventLog.id).where(EventLog.type == "quote.issued", EventLog.subject_id == quote.id)
            assert len(work.session.scalars(issued).all()) == 1


def _agreed(business, who, request):
    with business.work(who) as work:
        return answer(work, Answer(request=request, verdict="approve")).state


def test_an_approval_while_the_customer_declines_is_one_of_the_two(business):
    desk, lead = person(business, "customer_service"), person(business, "site_lead")
    quote = sent(business, desk, "9.00")
    found = at_once(
        partial(acted, business, lead, approve, quote),
        partial(_declined, business, desk, quote),
    )
    states = stored(business, quote), asked(business, quote).state
    assert states in {("declined", "outdated"), ("declined", "approved")}, found
    with business.work() as work:
        assert work.session.scalar(select(ApprovalRequest.id).where(ApprovalRequest.state == "waiting")) is None


def _declined(business, who, quote):
    with business.work(who) as work:
        return decline(work, [DeclineQuote(quote=quote.id, reason="too dear", by_customer=True)])[0].state


def test_a_quote_of_the_time_before_is_decided_by_permission(business):
    desk, lead = person(business, "customer_service"), person(business, "site_lead")
    quote = entered(business, [an_entered(business, "9.00")], by=desk)
    with business.work(desk, source="screen") as work:
        send_quotes(work, [quote.id], rules=RULES)
    with pytest.raises(NotAllowed):
        acted(business, person(business, "finance"), approve, quote)
    assert acted(business, lead, approve, quote).state == "sent"
    with pytest.raises(IllegalMove):
        acted(business, lead, approve, quote)
