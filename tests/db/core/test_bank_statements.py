"""Statements of banks: taken when they add up, refused whole when not; entries become receipts, returns and fees once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from app.importers.bankfiles.accepting import accept_chosen, accept_sure
from app.importers.bankfiles.reading import read_bank_file
from app.importers.bankfiles.table import DAYS, Mapping
from app.queries.cash_desk import lines_waiting, suggest
from app.web.billing.desk import became
from erpcore.billing.bank import BankAccountFacts, name_payer, take_statements, worst_of
from erpcore.billing.bank_lines import AssignLine, Part, ReturnByLine, assign_lines, book_fees, return_by_lines
from erpcore.billing.cash import ReceiveCash, receive_cash
from erpcore.billing.cash_reversal import ReturnReceipt, return_receipts
from erpcore.billing.cash_typed import RecordReceipt, record_receipt
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed
from erpcore.ledger.periods import ClosePeriod, close_period
from erpcore.ledger.services import open_chart
from erpcore.masterdata.services import NewCustomer, NewEntity, add_customers, add_entity
from tests.support.bankdesk import a_desk, hand_in
from tests.support.bankfiles import IBAN, camt, entry
from tests.support.controls import assert_books_agree
from tests.support.steps import invoiced
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of

FINANCE = Actor.system("test")


def rows(business, sql):
    with reading(business.database) as session:
        return [tuple(row) for row in session.execute(text(sql))]


def sums(business):
    found = rows(
        business,
        "SELECT a.role, SUM(l.debit_minor - l.credit_minor) FROM journal_line l JOIN ledger_account a ON a.id = l.account_id "
        "WHERE a.role IN ('bank', 'bank_clearing', 'on_account', 'bank_fees', 'currency_difference') GROUP BY a.role",
    )
    return {role: minor for role, minor in found if minor}


def waiting(business):
    with reading(business.database) as session:
        return suggest(session, FINANCE, business.entity, lines_waiting(session, business.entity, limit=50))


def refused(business, act, code):
    before = fingerprint_of(business.database)
    with pytest.raises(DomainError) as found, business.work() as work:
        act(work)
    assert found.value.code == code
    assert fingerprint_of(business.database) == before


def test_a_statement_is_taken_once_and_an_entry_that_came_before_moves_nothing(database):
    business = a_desk(database)
    first = camt(entry("120.00", ref="B1"), entry("5.00"), entry("5.00"), closing="130.00")
    (taken,) = hand_in(business, first)
    assert (taken.fault, taken.new, taken.repeated) == ("", 3, 0)
    assert sums(business) == {"bank": 13_000, "bank_clearing": -13_000}
    before = fingerprint_of(database)
    with pytest.raises(DomainError, match="bank_file_twice"):
        hand_in(business, first, "again.xml")
    assert fingerprint_of(database) == before
    overlapping = camt(entry("120.00", ref="B1"), entry("7.00", ref="B2"), opening="10.00", closing="137.00", name="2")
    (taken,) = hand_in(business, overlapping)
    assert (taken.fault, taken.new, taken.repeated) == ("", 1, 1)
    assert sums(business) == {"bank": 13_700, "bank_clearing": -13_700}
    assert rows(business, "SELECT state, COUNT(*) FROM bank_line GROUP BY state ORDER BY state") == [
        ("open", 4),
        ("repeated", 1),
    ]
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("content", "why", "states"),
    [
        (camt(entry("1.00"), entry("120.00", day="2026-02-30"), closing="121.00"), "is no day", ["rejected"] * 2),
        (camt(entry("120.00001"), closing="120.00"), "more decimals", ["rejected"]),
        (camt(entry("120.00"), closing="121.00"), "closing balance says 121.00", ["rejected"]),
        (camt(entry("120.00", name="Müller"), closing="120.00").decode().encode("latin-1"), "character set", []),
        (camt(entry("120.00"), closing="120.00")[:400], "cut off", []),
        (camt(entry("0.00"), closing="0.00"), "moves nothing", ["rejected"]),
    ],
    ids=["30 February", "five decimals", "wrong closing balance", "other charset", "truncated", "nothing"],
)  # fmt: skip
def test_a_faulty_statement_is_kept_with_its_reason_and_nothing_else_moves(sqlite_database, content, why, states):
    business = a_desk(sqlite_database)
    kept = {name: rows(business, f"SELECT COUNT(*) FROM {name}") for name in ("journal_entry", "receipt", "event_log")}
    (taken,) = hand_in(business, content)
    assert why in taken.fault
    assert [state for (state,) in rows(business, "SELECT state FROM bank_line")] == states
    assert [state for (state,) in rows(business, "SELECT state FROM bank_statement")] == ["refused"]
    assert kept == {name: rows(business, f"SELECT COUNT(*) FROM {name}") for name in kept}
    (again,) = hand_in(business, content)
    assert why in again.fault, "a refused file may come again"
    assert_books_agree(sqlite_database)


def test_entries_become_receipts_returns_and_fees_and_the_clearing_account_is_empty(database):
    business = a_desk(database)
    first, second = invoiced(business)[2], invoiced(business, [(1, 5)])[2]
    content = camt(
        entry("118.00", fee="2.00", text="x"), entry("59.00"), entry("4.50", debit=True, text="Entgelt"),
        entry("123.00", debit=True, returned="AC04"), closing="49.50",
    )  # fmt: skip
    hand_in(business, content)
    paid, less, fee, back = [one.line.id for one in waiting(business)]
    with business.work() as work:
        whole = AssignLine(line=paid, customer=business.customer, parts=[Part(invoice=first.id, amount_minor=12_000)])
        lost = AssignLine(
            line=less, customer=business.customer, difference_minor=150, fee_minor=-50 + 50,
            parts=[Part(invoice=second.id, amount_minor=6_000)],
        )  # fmt: skip
        receipt, _ = assign_lines(work, [whole, lost])
        book_fees(work, [fee])
    assert sums(business) == {
        "bank": 4_950,
        "bank_clearing": 12_300,
        "bank_fees": 650,
        "currency_difference": 150,
        "on_account": -50,
    }
    with business.work() as work:
        return_by_lines(work, [ReturnByLine(line=back, receipt=receipt, reason="AC04", fee_minor=300)])
    assert sums(business) == {"bank": 4_950, "bank_fees": 950, "currency_difference": 150, "on_account": -50}
    assert rows(business, "SELECT open_minor FROM receivable ORDER BY document_id") == [(12_000,), (0,)]
    for act, code in (
        (lambda work: assign_lines(work, [AssignLine(line=paid, customer=business.customer)]), "line_settled"),
        (lambda work: book_fees(work, [fee]), "line_settled"),
        (lambda work: book_fees(work, [1]), "bank_line_unknown"),
    ):
        refused(business, act, code)
    assert_books_agree(database)


def test_proposals_are_accepted_as_they_were_shown_or_above_a_confidence(database):
    business = a_desk(database)
    first, second = invoiced(business)[2], invoiced(business, [(1, 5)])[2]
    number = rows(business, f"SELECT number FROM invoice WHERE id = {first.id}")[0][0]
    hand_in(
        business,
        camt(
            entry("120.00", text=f"Rg {number}"),
            entry("60.00", payer="DE22", text="danke"),
            entry("1.00"),
            closing="181.00",
        ),
    )
    one, two, three = waiting(business)
    assert (one.proposal.confidence, one.parts) == (99, [(first.id, number, 12_000)])
    assert (two.proposal.confidence, two.proposal.customer) == (45, business.customer), "by its amount alone"
    assert three.proposal.confidence == 0
    refused(business, lambda work: accept_sure(work, business.entity, 60), "confidence_too_low")
    refused(business, lambda work: accept_chosen(work, business.entity, {}, set()), "nothing_chosen")
    shown = {one.line.id: one.token, two.line.id: two.token}
    with business.work() as work:
        name_payer(work, business.entity, "DE22", business.customer)
        name_payer(work, business.entity, "DE22", business.customer)
    refused(business, lambda work: accept_chosen(work, business.entity, shown, set(shown)), "proposal_changed")
    with business.work() as work:
        assert len(accept_sure(work, business.entity, 95)) == 2
    assert rows(business, "SELECT open_minor FROM receivable ORDER BY document_id") == [(0,), (0,)]
    assert [line.line.id for line in waiting(business)] == [three.line.id]
    (said,) = rows(business, f"SELECT explanation FROM bank_line WHERE id = {two.line.id}")
    assert said == (f"95 %: By its account it is from Bautechnik, and pays exactly {second_number(business, second)}.",)
    assert_books_agree(database)


def second_number(business, invoice):
    return rows(business, f"SELECT number FROM invoice WHERE id = {invoice.id}")[0][0]


def test_two_who_accept_the_same_entry_and_two_who_hand_the_same_file_in_do_it_once(database):
    business = a_desk(database)
    _, _, invoice = invoiced(business)
    content = camt(entry("120.00", payer="DE22"), closing="120.00")
    taken = at_once(lambda: hand_in(business, content), lambda: hand_in(business, content))
    assert sorted(type(one).__name__ for one in taken) == ["RuleBroken", "list"], taken
    (line,) = [one.line.id for one in waiting(business)]

    def assign():
        with business.work() as work:
            command = AssignLine(
                line=line, customer=business.customer, parts=[Part(invoice=invoice.id, amount_minor=12_000)]
            )
            return assign_lines(work, [command])

    found = at_once(assign, assign)
    assert sum(isinstance(one, list) for one in found) == 1, found
    assert all(isinstance(one, list | DomainError) for one in found), found
    assert rows(business, "SELECT COUNT(*) FROM receipt") == [(1,)]
    assert_books_agree(database)


def test_a_power_cut_between_leaves_nothing(sqlite_database):
    business = a_desk(sqlite_database)
    hand_in(business, camt(entry("5.00"), closing="5.00"))
    (line,) = [one.line.id for one in waiting(business)]
    before = fingerprint_of(sqlite_database)

    def power_goes(work):
        assign_lines(work, [AssignLine(line=line, customer=business.customer)])
        raise Conflict("changed_meanwhile")

    with pytest.raises(Conflict), business.work() as work:
        power_goes(work)
    assert fingerprint_of(sqlite_database) == before


def test_money_is_proposed_for_nothing_in_another_currency(sqlite_database):
    business = a_desk(sqlite_database)
    _, _, invoice = invoiced(business)
    number = second_number(business, invoice)
    with business.work() as work:
        work.session.execute(text("UPDATE receivable SET currency = 'USD' WHERE document_id = :i"), {"i": invoice.id})
    hand_in(business, camt(entry("120.00", text=f"Rg {number}"), closing="120.00"))
    (found,) = waiting(business)
    assert (found.proposal.confidence, found.parts) == (0, [])


def test_no_debt_is_given_up_as_a_difference_without_the_authority_to_write_off(sqlite_database):
    business = a_desk(sqlite_database)
    clerk = Actor(id=7, role="billing", permissions=frozenset({"billing:receipt:take"}))

    def taken(who, lost):
        with business.work(who) as work:
            command = ReceiveCash(
                entity=business.entity,
                customer=business.customer,
                amount_minor=10_000,
                difference_minor=lost - 100,
                fee_minor=100,
            )
            return receive_cash(work, [command])

    before = fingerprint_of(sqlite_database)
    with pytest.raises(NotAllowed):
        taken(clerk, 1_001)
    assert fingerprint_of(sqlite_database) == before
    assert taken(clerk, 1_000)
    assert taken(FINANCE, 9_999)
    assert_books_agree(sqlite_database)


def test_a_line_takes_no_money_of_another_company_s_receipt_back(sqlite_database):
    business = a_desk(sqlite_database)
    hand_in(business, camt(entry("5.00", debit=True, returned="AC04"), closing="-5.00"))
    (line,) = [one.line.id for one in waiting(business)]
    with business.work() as work:
        other = add_entity(
            work, NewEntity(code="AT01", name="Donau", country="Austria", currency="EUR", time_zone="Europe/Vienna")
        )
        open_chart(work, other.id)
        (theirs,) = add_customers(
            work, [NewCustomer(entity=other.id, code="1", name="Fremd", country="Austria", currency="EUR")]
        )
        (receipt,) = receive_cash(work, [ReceiveCash(entity=other.id, customer=theirs.id, amount_minor=500)])
    back = ReturnByLine(line=line, receipt=receipt, reason="AC04")
    refused(business, lambda work: return_by_lines(work, [back]), "receipt_unknown")
    assert_books_agree(sqlite_database)


def test_of_a_file_with_several_statements_the_refused_one_is_told(sqlite_database):
    business = a_desk(sqlite_database)
    bad, good = (
        camt(entry("5.00", ref=name), closing=closing, name=name) for name, closing in (("B1", "6.00"), ("B2", "5.00"))
    )
    both = bad.replace(b"</Stmt>", b"</Stmt>" + good[good.index(b"<Stmt>") : good.index(b"</Stmt>")] + b"</Stmt>")
    taken = hand_in(business, both)
    assert [bool(one.fault) for one in taken] == [True, False]
    assert worst_of(taken) == taken[0]
    assert worst_of(taken[1:]) == taken[1]


def test_equal_payments_without_reference_are_two_in_a_file_and_by_statement_across_files(database):
    business = a_desk(database)
    five = entry("5.00", name="Kern", text="Miete")

    def came(content):
        (taken,) = hand_in(business, content)
        return taken.fault, taken.new, taken.repeated

    assert came(camt(five, five, closing="10.00", name="A")) == ("", 2, 0)
    assert came(camt(five, opening="10.00", closing="15.00", name="B")) == ("", 1, 0), (
        "another statement, another payment"
    )
    assert came(camt(five, five, closing="10.00", name="A") + b"\n") == ("", 0, 2), "the same statement in another file"
    assert came(camt(five, opening="10.00", closing="15.00", name="B") + b"\n") == ("", 0, 1)
    assert came(camt(five, five, five, closing="15.00", name="A") + b"\n") == ("", 1, 2), (
        "corrected by the bank: one more"
    )
    assert sums(business) == {"bank": 2_000, "bank_clearing": -2_000}
    both = camt(five, opening="1.00", closing="6.00", name="C")
    part = both[both.index(b"<Stmt>") : both.index(b"</Stmt>") + 7]
    taken = hand_in(business, both.replace(b"</Stmt>", b"</Stmt>" + part.replace(b"<Id>C<", b"<Id>D<")))
    assert [(one.new, one.repeated) for one in taken] == [(1, 0), (1, 0)], "two statements of one file"
    assert_books_agree(database)


def test_a_table_names_no_statement_and_what_it_repeats_is_known_unless_it_follows_on(sqlite_database):
    business = a_desk(sqlite_database)
    mapping = Mapping(
        delimiter=";",
        decimal=",",
        day_form=next(iter(DAYS)),
        day="Day",
        amount="Amount",
        text="Text",
        name="",
        payer="",
        reference="",
    )
    facts = BankAccountFacts(business.bank, business.entity, IBAN, "House bank", "EUR", None, 1)

    def came(lines, opening, closing):
        day = f"{date(2026, 3, 2):{DAYS[mapping.day_form]}}"
        content = ("Day;Amount;Text\n" + f"{day};5,00;Miete\n" * lines).encode()
        found = read_bank_file(content, facts, mapping, opening_minor=opening, closing_minor=closing)
        with business.work() as work:
            (taken,) = take_statements(work, business.bank, found, file_name="t.csv", digest=f"{lines}{opening}")
        return taken.fault, taken.new, taken.repeated

    assert came(1, 0, 500) == ("", 1, 0)
    assert came(2, 0, 1_000) == ("", 1, 1), "it overlaps: the first is known, the second is another payment"
    assert came(1, 1_000, 1_500) == ("", 1, 0), "it begins where the one before ended, so nothing of it was there"
    assert came(3, 0, 1_500) == ("", 0, 3)
    assert_books_agree(sqlite_database)


def test_entries_are_posted_on_the_day_that_the_bank_booked_them_or_the_first_open_one(database):
    business = a_desk(database)
    business.clock.advance(timedelta(days=10))
    (taken,) = hand_in(
        business, camt(entry("5.00", day="2026-03-04"), entry("6.00", day="2027-01-01"), closing="11.00")
    )
    assert (taken.new, taken.moved) == (2, 0)
    with business.work() as work:
        close_period(work, ClosePeriod(entity=business.entity, until=date(2026, 3, 7), reason="month"))
    (taken,) = hand_in(
        business,
        camt(
            entry("7.00", day="2026-03-05"), entry("8.00", day="2026-03-09"), opening="11.00", closing="26.00", name="2"
        ),
    )
    assert (taken.new, taken.moved) == (2, 1)
    assert "closed for 1 of them: posted on the first open day" in became([taken])
    found = rows(
        business,
        "SELECT l.amount_minor, e.entry_on FROM bank_line l JOIN journal_entry e ON e.document_id = l.id "
        "AND e.document_type = 'bank_line' ORDER BY l.amount_minor",
    )
    assert [(minor, str(on)) for minor, on in found] == [
        (500, "2026-03-04"), (600, "2026-03-12"), (700, "2026-03-07"), (800, "2026-03-09"),
    ]  # fmt: skip
    assert_books_agree(database)


def test_a_receipt_that_is_typed_again_says_so_and_is_another_one_only_with_a_reason(database):
    business = a_desk(database)
    money = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=500, reference="Rg 7")

    def typed(again=None, **changes):
        with business.work() as work:
            return record_receipt(work, RecordReceipt(receipt=replace(money, **changes), again=again))

    first = typed()
    again = RecordReceipt(receipt=replace(money, reference=" rg 7 "), again=" ")
    refused(business, lambda work: record_receipt(work, again), "receipt_recorded")
    assert typed(reference="Rg 8")
    assert typed("two vans on one day")
    business.clock.advance(timedelta(days=1))
    assert typed(), "another day"
    with business.work() as work:
        return_receipts(
            work, [ReturnReceipt(receipt=key, reason="bounced") for (key,) in rows(business, "SELECT id FROM receipt")]
        )
    assert typed(), "the one before went back"
    assert rows(business, "SELECT COUNT(*) FROM audit_entry WHERE kind = 'receipt.recorded_again'") == [(1,)]
    assert first
    assert_books_agree(database)


def test_what_a_bank_statement_brought_is_not_typed_again_unseen(database):
    business = a_desk(database)
    hand_in(business, camt(entry("5.00"), entry("6.00"), closing="11.00"))
    lines = {one.line.amount_minor: one.line.id for one in waiting(business)}
    with business.work() as work:
        assign_lines(work, [AssignLine(line=lines[500], customer=business.customer)])
    (bank,) = rows(business, "SELECT number FROM receipt")

    def typed(minor, again=None):
        with business.work() as work:
            money = ReceiveCash(
                entity=business.entity, customer=business.customer, amount_minor=minor, reference="cheque of Mr Maier"
            )
            return record_receipt(work, RecordReceipt(receipt=money, again=again))

    business.clock.advance(timedelta(days=6))
    with pytest.raises(DomainError) as found:
        typed(500)
    assert (found.value.code, found.value.facts["number"]) == ("receipt_recorded", bank[0])
    assert rows(business, "SELECT COUNT(*) FROM receipt") == [(1,)]
    assert typed(600), "nobody took that entry as this customer's"
    assert typed(500, "he paid the next delivery in advance")
    business.clock.advance(timedelta(days=2))
    assert typed(500), "a week is over"
    assert_books_agree(database)


def test_two_who_type_the_same_receipt_at_once_record_it_once(database):
    business = a_desk(database)

    def typed():
        with business.work() as work:
            money = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=500)
            return record_receipt(work, RecordReceipt(receipt=money))

    found = at_once(typed, typed)
    assert sum(isinstance(one, int) for one in found) == 1, found
    assert all(isinstance(one, int | DomainError) for one in found), found
    assert rows(business, "SELECT COUNT(*) FROM receipt") == [(1,)]
