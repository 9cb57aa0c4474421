"""Quotes: prices hold until their last day, entered ones wait for somebody else, and one quote is one order."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal

import orjson
import pytest
from sqlalchemy import func, select, text

from app.composition.uow import reading
from app.jobs.quotes import expire_old_quotes
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Busy, Conflict, IllegalMove, NeedsConfirmation, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.events import EventLog
from erpcore.kernel.history import Transition
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments
from erpcore.orders.models import ChangeKind, OrderHold, OrderLine, SalesOrder
from erpcore.orders.quotes.accepting import AcceptQuote, accept_quotes
from erpcore.orders.quotes.deciding import approve_quotes, give_back_quotes
from erpcore.orders.quotes.models import Quote, QuoteLine
from erpcore.orders.quotes.services import (
    ChangeQuote,
    DeclineQuote,
    NewQuote,
    change_quotes,
    decline_quotes,
    enter_quotes,
    expire_quotes,
    revise_quotes,
    send_quotes,
)
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, Cells, a_business
from tests.support.pricing import CHANGES, LEAD, a_price, an_entered, save
from tests.support.quotes import UNTIL, WRITER, accept, entered, sent, terms


@pytest.fixture
def business(database):
    return a_business(database)


def _stored(business, table=Quote):
    with business.work() as work:
        return [tuple(row) for row in work.session.execute(select(table.__table__).order_by(table.id))]


def _all(business):
    """All that a refusal must leave as it was."""
    with business.work() as work:
        counts = [work.session.scalar(select(func.count()).select_from(t)) for t in (SalesOrder, EventLog, Transition)]
    return _stored(business), _stored(business, QuoteLine), counts


def _states(business):
    with business.work() as work:
        return [tuple(row) for row in work.session.execute(select(Quote.revision, Quote.state).order_by(Quote.id))]


def _line(business, order):
    with business.work() as work:
        return work.session.execute(select(OrderLine).where(OrderLine.order_id == order.id)).scalar_one()


def _revise(business, quote, **more):
    with business.work(WRITER, source="screen") as work:
        return revise_quotes(work, [quote.id], rules=RULES, **more)[0]


def _send(business, quote, by=WRITER, **more):
    with business.work(by, source="screen") as work:
        return send_quotes(work, [quote.id], rules=RULES, **more)[0]


def test_a_draft_has_the_price_the_trace_and_the_day_that_an_order_would_get(business):
    (contract,) = save(business, a_price(business, "8.50", customer=business.customer, reference="C-77"))
    quote = entered(business, [(0, 10), (1, 200)], customer_reference="B-1", note="as agreed")
    first, second = quote.lines
    assert (quote.state, quote.number, quote.revision, quote.value_minor) == (
        "draft",
        f"QU-{quote.journey_id}",
        1,
        208_500,
    )
    assert (quote.valid_from, quote.valid_until) == (date(2026, 3, 2), UNTIL)
    assert (first.unit_price, first.price_source, first.price_rule_id, first.list_price) == (
        8_500_000, "contract", contract, 10_000_000,
    )  # fmt: skip
    assert orjson.loads(first.price_losers)[0][1:] == ["list", 10_000_000]
    # 100 are there, so 200 wait for the seven days of replenishment.
    assert (first.promised_on, second.promised_on) == (date(2026, 3, 4), date(2026, 3, 9))
    assert_books_agree(business.database)


def test_the_price_holds_for_the_order_whatever_the_rules_say_meanwhile(business):
    quote = sent(business)
    save(business, a_price(business, "7.00", customer=business.customer))
    business.clock.advance(timedelta(days=9))
    order = accept(business, quote, customer_reference="PO-9")
    line = _line(business, order)
    assert (order.id, order.number, order.customer_reference) == (quote.journey_id, f"SO-{quote.journey_id}", "PO-9")
    assert (line.unit_price, line.price_source, line.resolved_price, order.value_minor) == (10, "quote", 10, 10_000)
    assert _states(business) == [(1, "accepted")]
    assert_books_agree(business.database)


def test_one_journey_holds_the_quote_and_its_order_in_the_order_in_which_they_happened(business):
    order = accept(business, sent(business))
    with business.work() as work:
        said = work.session.execute(
            select(EventLog.type).where(EventLog.journey == order.id).order_by(EventLog.seq)
        ).scalars().all()  # fmt: skip
    assert said == [
        "quote.requested", "quote.issued", "order.captured", "order.validated", "order.promised", "quote.accepted",
        "quote.converted",
    ]  # fmt: skip


def test_a_quote_holds_through_its_last_day_and_not_a_moment_longer(business):
    first, second = sent(business), sent(business, [(1, 1)])
    # The last instant of 11 March in Berlin, then the first of the 12th.
    business.clock.set(business.clock.now().replace(day=11, hour=22, minute=59, second=59))
    accept(business, first)
    business.clock.advance(timedelta(seconds=1))
    before = _all(business)
    with pytest.raises(RuleBroken, match="quote_over"):
        accept(business, second)
    assert _all(business) == before


def test_the_job_keeps_that_a_quote_is_over_once_and_leaves_what_still_holds(business):
    sent(business)
    sent(business, [(1, 1)], until=date(2026, 3, 20))
    business.clock.set(business.clock.now().replace(day=12))
    assert expire_old_quotes(business.database, clock=business.clock) == 1
    assert expire_old_quotes(business.database, clock=business.clock) == 0
    assert _states(business) == [(1, "expired"), (1, "sent")]
    with business.work() as work:
        assert work.session.scalar(select(func.count()).where(EventLog.type == "quote.expired")) == 1
    assert_books_agree(business.database)


def test_a_quote_answered_meanwhile_is_not_expired(business):
    quote = sent(business)
    accept(business, quote)
    business.clock.set(business.clock.now().replace(day=20))
    with business.work() as work:
        assert expire_quotes(work, [quote.id]) == []
    assert _states(business) == [(1, "accepted")]


def test_a_quote_is_accepted_once_and_the_refusal_names_its_order(business):
    quote = sent(business)
    order = accept(business, quote)
    before = _all(business)
    with pytest.raises(RuleBroken) as refused:
        accept(business, quote)
    assert (refused.value.code, refused.value.facts["order"]) == ("quote_accepted", order.number)
    assert _all(business) == before


def test_two_people_who_accept_at_once_make_one_order(business):
    quote = sent(business)
    barrier, said = threading.Barrier(2), []

    def run(person):
        by = Actor(id=person, role="customer_service", permissions=WRITER.permissions)
        barrier.wait()
        for _ in range(20):
            try:
                said.append(accept(business, quote, by=by).number)
                return
            except Busy:
                continue
            except RuleBroken as refusal:
                said.append(refusal.code)
                return

    threads = [threading.Thread(target=run, args=(person,)) for person in (51, 52)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(said) == [f"SO-{quote.journey_id}", "quote_accepted"]
    with business.work() as work:
        assert work.session.scalar(select(func.count()).select_from(SalesOrder)) == 1
    assert_books_agree(business.database)


def test_accepting_that_is_lost_before_the_commit_leaves_nothing_and_can_be_repeated(business):
    quote = sent(business)
    before = _all(business)

    def lost():
        with business.work(WRITER, source="screen") as work:
            accept_quotes(work, [AcceptQuote(quote=quote.id)], rules=RULES, cells=OPEN)
            raise RuntimeError("the connection is gone")

    with pytest.raises(RuntimeError):
        lost()
    assert _all(business) == before
    assert accept(business, quote).number == f"SO-{quote.journey_id}"


def test_a_closed_cell_takes_neither_a_quote_nor_its_order(business):
    quote = sent(business)
    before = _all(business)
    command = NewQuote(site=business.site, channel=business.channel, customer=business.customer, terms=terms(business))
    closed = Cells("closed")
    with pytest.raises(RuleBroken, match="cell_closed"), business.work(WRITER) as work:
        enter_quotes(work, [command], rules=RULES, cells=closed)
    with pytest.raises(RuleBroken, match="cell_closed"), business.work(WRITER) as work:
        accept_quotes(work, [AcceptQuote(quote=quote.id)], rules=RULES, cells=closed)
    assert _all(business) == before


def test_the_same_order_of_two_quotes_asks_for_a_reason(business):
    first, second = sent(business), sent(business)
    accept(business, first)
    before = _all(business)
    with pytest.raises(NeedsConfirmation):
        accept(business, second)
    assert _all(business) == before
    accept(business, second, accepted={"order_duplicate": "a second van"})
    assert _states(business) == [(1, "accepted"), (1, "accepted")]


def test_an_entered_price_waits_for_somebody_else_who_sends_it_by_approving(business):
    quote = sent(business, [an_entered(business, "9.00")])
    assert (quote.state, quote.level, quote.permission, quote.lost_minor) == (
        "waiting", "site_lead", "orders:price:approve_site", 1000,
    )  # fmt: skip
    with business.work(LEAD) as work:
        (approved,) = approve_quotes(work, [quote.id])
    assert (approved.state, approved.sent_at) == ("sent", business.clock.now())


def test_the_order_of_an_approved_quote_is_not_held_for_its_price_again(business):
    quote = sent(business, [an_entered(business, "9.00")])
    with business.work(LEAD) as work:
        approve_quotes(work, [quote.id])
    order = accept(business, quote)
    line = _line(business, order)
    assert (line.unit_price, line.price_source, line.resolved_price) == (9, "override", 10)
    assert (order.state, line.price_reason) == ("captured", "agreed by telephone")
    with business.work() as work:
        assert work.session.scalar(select(func.count()).select_from(OrderHold)) == 0
        assert work.session.scalar(select(func.count()).where(EventLog.type == "order.price_overridden")) == 1


def test_another_day_for_such_an_order_does_not_ask_for_its_prices_again_but_more_of_it_does(business):
    quote = sent(business, [an_entered(business, "9.00")])
    with business.work(LEAD) as work:
        approve_quotes(work, [quote.id])
    order = accept(business, quote)
    line = _line(business, order).id
    later = Amend(kind=ChangeKind.DATE, line=line, day=date(2026, 4, 1))
    more = Amend(kind=ChangeKind.QUANTITY, line=line, quantity=Decimal(20))
    states = []
    for change in (later, more):
        with business.work() as work:
            command = StageAmendment(order=order.id, by_customer=True, reason="called", changes=[change])
            (staged,) = stage_amendments(work, [command], rules=RULES, cells=OPEN)
            states.append(apply_amendments(work, [staged.id], rules=RULES, cells=OPEN)[0].state)
    assert states == ["captured", "held"]


def test_who_entered_or_sent_the_prices_approves_them_not_even_with_the_authority(business):
    both = Actor(id=WRITER.id, role="site_lead", permissions=WRITER.permissions | LEAD.permissions)
    quote = sent(business, [an_entered(business, "9.00")], by=both)
    sender = Actor(id=61, role="site_lead", permissions=both.permissions)
    other = entered(business, [an_entered(business, "9.00")], by=WRITER)
    _send(business, other, by=sender)
    before = _all(business)
    for one, who in ((quote, both), (other, both), (other, sender)):
        with pytest.raises(NotAllowed, match="quote_own_prices"), business.work(who) as work:
            approve_quotes(work, [one.id])
    assert _all(business) == before


def test_without_the_authority_of_the_level_nobody_approves(business):
    quote = sent(business, [an_entered(business, "9.00")])
    low = Actor(id=62, role="super_user", permissions=frozenset({"orders:price:approve_desk", "orders:quote:write"}))
    before = _all(business)
    with pytest.raises(NotAllowed), business.work(low) as work:
        approve_quotes(work, [quote.id])
    assert _all(business) == before


def test_a_price_without_a_reason_is_refused_at_its_field(business):
    with pytest.raises(RuleBroken) as refused:
        entered(business, [an_entered(business, "9.00", reason=" ")])
    assert (refused.value.code, refused.value.field) == ("reason_required", "lines-0-price_reason")
    assert _stored(business) == []


def test_a_quote_given_back_is_written_anew_and_its_reason_is_kept(business):
    quote = sent(business, [an_entered(business, "9.00")])
    with pytest.raises(RuleBroken, match="reason_required"), business.work(LEAD) as work:
        give_back_quotes(work, [quote.id], reason=" ")
    with business.work(LEAD) as work:
        (back,) = give_back_quotes(work, [quote.id], reason="offer 9.50")
    assert (back.state, back.asked_by) == ("draft", None)
    with business.work(WRITER, source="screen") as work:
        (changed,) = change_quotes(
            work,
            [ChangeQuote(quote=quote.id, terms=terms(business, [(0, 20)]), seen_version=back.version)],
            rules=RULES,
        )
    assert (changed.value_minor, changed.permission, len(changed.lines)) == (20_000, None, 1)
    assert _send(business, changed).state == "sent"
    assert_books_agree(business.database)


def test_a_draft_whose_prices_moved_is_not_sent_unseen(business):
    quote = entered(business)
    save(business, a_price(business, "7.00", customer=business.customer))
    before = _all(business)
    with pytest.raises(Conflict) as refused:
        _send(business, quote)
    assert (refused.value.code, refused.value.facts["line"]) == ("quote_prices_moved", 10)
    assert _all(business) == before


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(business):
    quote = entered(business)
    with business.work(WRITER) as work:
        change_quotes(work, [ChangeQuote(quote=quote.id, terms=terms(business, [(1, 1)]), seen_version=1)], rules=RULES)
    before = _all(business)
    with pytest.raises(Conflict, match="changed_meanwhile"), business.work(WRITER) as work:
        change_quotes(work, [ChangeQuote(quote=quote.id, terms=terms(business, [(2, 1)]), seen_version=1)], rules=RULES)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        _send(business, quote, seen={quote.id: 1})
    assert _all(business) == before


def test_the_revision_that_is_sent_takes_the_place_of_the_one_before(business):
    first = sent(business)
    save(business, a_price(business, "8.00", customer=business.customer))
    second = _revise(business, first)
    assert (second.revision, second.number, second.value_minor, second.state) == (2, first.number, 8_000, "draft")
    # Until the new one is sent the old one binds us.
    assert _states(business) == [(1, "sent"), (2, "draft")]
    _send(business, second)
    assert _states(business) == [(1, "superseded"), (2, "sent")]
    with pytest.raises(RuleBroken, match="quote_superseded"):
        accept(business, first)
    assert accept(business, second).id == first.journey_id
    assert_books_agree(business.database)


def test_accepting_the_old_revision_ends_the_one_being_written(business):
    first = sent(business)
    second = _revise(business, first)
    accept(business, first)
    assert _states(business) == [(1, "accepted"), (2, "superseded")]
    with pytest.raises(IllegalMove):
        _send(business, second)


def test_one_revision_is_written_at_a_time_and_none_of_what_became_an_order(business):
    first = sent(business)
    _revise(business, first)
    before = _all(business)
    with pytest.raises(Conflict, match="quote_revision_open"):
        _revise(business, first)
    assert _all(business) == before
    accept(business, first)
    with pytest.raises(IllegalMove):
        _revise(business, first)


def test_two_who_revise_at_once_write_one_revision(business):
    quote = sent(business)
    barrier, said = threading.Barrier(2), []

    def run():
        barrier.wait()
        for _ in range(20):
            try:
                said.append(_revise(business, quote).revision)
                return
            except Busy:
                continue
            except Conflict as refusal:
                said.append(refusal.code)
                return

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, said)) == ["2", "quote_revision_open"]


def test_an_expired_quote_is_revised_at_the_prices_of_today_with_its_span_of_days(business):
    quote = sent(business)
    business.clock.set(business.clock.now().replace(day=16))
    expire_old_quotes(business.database, clock=business.clock)
    second = _revise(business, quote)
    assert (second.valid_from, second.valid_until) == (date(2026, 3, 16), date(2026, 3, 26))
    assert _send(business, second).state == "sent"
    assert _states(business) == [(1, "expired"), (2, "sent")]


def test_declining_needs_a_reason_and_says_whose_decision_it_was(business):
    quote = sent(business)
    before = _all(business)
    with pytest.raises(RuleBroken, match="reason_required"), business.work(WRITER) as work:
        decline_quotes(work, [DeclineQuote(quote=quote.id, reason="", by_customer=True)])
    assert _all(business) == before
    with business.work(WRITER) as work:
        decline_quotes(work, [DeclineQuote(quote=quote.id, reason="too dear", by_customer=True)])
    with business.work() as work:
        data = orjson.loads(work.session.scalar(select(EventLog.data).where(EventLog.type == "quote.declined")))
    assert data == {"by_customer": True, "reason": "too dear"}
    with pytest.raises(IllegalMove):
        accept(business, quote)


@pytest.mark.parametrize(
    ("until", "code"),
    [(date(2026, 3, 2), "quote_validity"), (date(2026, 3, 1), "quote_validity"), (date(2027, 3, 3), "quote_validity")],
)
def test_a_validity_that_cannot_be_is_refused(business, until, code):
    with pytest.raises(RuleBroken, match=code):
        entered(business, until=until)
    assert _stored(business) == []


def test_the_longest_validity_is_a_year(business):
    assert entered(business, until=date(2027, 3, 2)).state == "draft"


@pytest.mark.parametrize(("quantity", "code"), [("0", "quantity_not_positive"), ("-1", "quantity_not_positive"),
                                               ("2.5", "quantity_too_precise"), ("1e12", "quantity_absurd")])  # fmt: skip
def test_a_quantity_that_cannot_be_ordered_cannot_be_quoted(business, quantity, code):
    with pytest.raises(RuleBroken, match=code):
        entered(business, [(0, quantity)])
    assert _stored(business) == []


def test_another_sites_quote_is_not_there(business):
    quote = sent(business)
    elsewhere = Actor(
        id=63, role="customer_service", permissions=WRITER.permissions, sites=frozenset({business.site + 1})
    )
    before = _all(business)
    with pytest.raises(NotFound, match="quote_unknown"):
        accept(business, quote, by=elsewhere)
    with pytest.raises(NotFound, match="quote_unknown"), business.work(WRITER) as work:
        accept_quotes(work, [AcceptQuote(quote=business.site)], rules=RULES, cells=OPEN)
    assert _all(business) == before


def test_without_the_permission_nothing_is_written_or_answered(business):
    quote = sent(business)
    reader = Actor(id=64, role="billing", permissions=frozenset({"orders:order:read"}))
    before = _all(business)
    for refused in (
        lambda: entered(business, by=reader),
        lambda: accept(business, quote, by=reader),
        lambda: _send(business, quote, by=reader),
    ):
        with pytest.raises(NotAllowed):
            refused()
    assert _all(business) == before


def test_a_customer_blocked_since_makes_no_order(business):
    quote = sent(business)
    with business.work(CHANGES) as work:
        work.session.execute(text("UPDATE customer SET is_blocked = true"))
    before = _all(business)
    with pytest.raises(RuleBroken, match="customer_blocked"):
        accept(business, quote)
    assert _all(business) == before


def test_a_difference_between_a_quote_and_its_lines_or_order_is_found(business):
    quote = sent(business)
    accept(business, sent(business, [(1, 1)]))
    with business.work() as work:
        work.session.execute(text("UPDATE quote SET value_minor = value_minor + 1 WHERE id = :id"), {"id": quote.id})
        work.session.execute(text("UPDATE quote SET state = 'accepted' WHERE id = :id"), {"id": quote.id})
    from app.queries.controls import compare_controls

    with reading(business.database, snapshot=True) as session:
        wrong = {row.control for row in compare_controls(session) if row.difference}
    assert wrong == {"quotes_lines", "quotes_orders"}


def test_a_sent_quote_with_a_whole_price_keeps_its_places(business):
    quote = sent(business, [an_entered(business, "10.123456", quantity=3)])
    assert (quote.state, quote.lines[0].unit_price, quote.value_minor) == ("sent", 10_123_456, 3037)
    assert _line(business, accept(business, quote)).unit_price == Decimal("10.123456")
