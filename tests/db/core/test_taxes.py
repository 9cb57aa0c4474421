"""The tax of a line: by place, class and customer, for the day the goods left, stamped with its rule; unknown tax waits."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.billing.credits import CreditInvoice, credit_invoices, credit_returns
from erpcore.billing.rechecking import recheck_invoices
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.models import Disposition
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.kernel.errors import RuleBroken
from erpcore.masterdata.tax import Taxed, taxes
from erpcore.masterdata.tax_keeping import (
    NewExemption,
    NewTaxNumber,
    NewTaxRule,
    end_tax_rule,
    keep_exemption,
    keep_tax_number,
    keep_tax_rule,
)
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.steps import shipped, taken_back
from tests.support.trader import fingerprint_of

SINCE = date(2020, 1, 1)
REVERSED = "Reverse charge: the customer owes the tax."


def rows(business, query):
    with reading(business.database) as session:
        return [tuple(row) for row in session.execute(text(query))]


def rule(business, **changes):
    given = {
        "entity": business.entity,
        "code": "DE-19",
        "country": "Germany",
        "rate": Decimal("0.19"),
        "valid_from": SINCE,
    }
    with business.work() as work:
        return keep_tax_rule(work, NewTaxRule(**{**given, **changes})).id


def billed(business, shipment):
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
        if invoice.state == "draft":
            post_invoices(work, [invoice.id], cells=OPEN)
    return invoice


def test_the_rule_that_says_most_decides_and_each_condition_is_asked(database):
    business = a_business(database, tax=None)
    plain = rule(business)
    reduced = rule(business, code="DE-7", rate=Decimal("0.07"), item_tax_class="reduced")
    abroad = rule(
        business, code="AT-RC", country="Austria", rate=Decimal(0), category="AE", sentence=REVERSED, needs_number=True,
        ship_from="Germany", registration="Germany",
    )  # fmt: skip
    day = date(2026, 3, 2)

    def found(to, item="standard", on=day):
        with business.work() as work:
            asked = Taxed(business.entity, "Germany", to, business.customer, "standard", item, on)
            return taxes(work, [asked])[asked]

    assert found("Germany")[:2] == (190_000, plain)
    assert found("Germany", "reduced")[:2] == (70_000, reduced)
    assert found("France").why == "no tax rate for the country and classes"
    assert found("Austria").why == "we have no tax number in the country that the rule asks for"
    with business.work() as work:
        keep_tax_number(
            work, NewTaxNumber(entity=business.entity, country="Germany", number="DE811907980", valid_from=SINCE)
        )
    assert found("Austria").why == "the customer has no tax number in the country"
    with business.work() as work:
        number = NewTaxNumber(
            entity=business.entity, customer=business.customer, country="Austria", number="ATU12345675",
            valid_from=SINCE, valid_until=date(2026, 4, 1),
        )  # fmt: skip
        keep_tax_number(work, number)
    assert found("Austria")[:2] == (0, abroad)
    assert found("Austria", on=date(2026, 4, 1)).why == "the customer has no tax number in the country"
    assert found("Germany", on=date(2019, 12, 31)).why == "the tax rule for it begins after that day"
    with business.work() as work:
        end_tax_rule(work, plain, day)
    assert found("Germany").why == "the tax rule for it ended before that day"


def test_a_rule_that_ended_before_the_goods_left_blocks_the_invoice_until_another_is_there(database):
    business = a_business(database, tax=None)
    old = rule(business)
    _, shipment = shipped(business, [(0, 1)])
    with business.work() as work:
        end_tax_rule(work, old, date(2026, 3, 2))
    invoice = billed(business, shipment)
    assert (invoice.state, invoice.block_reason) == ("blocked", "the tax rule for it ended before that day")
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken) as refused, business.work() as work:
        recheck_invoices(work, [invoice.id], rules=RULES)
    assert refused.value.code == "tax_undetermined"
    assert fingerprint_of(database) == before
    new = rule(business, code="DE-16", rate=Decimal("0.16"), valid_from=date(2026, 3, 2))
    with business.work() as work:
        recheck_invoices(work, [invoice.id], rules=RULES)
        post_invoices(work, [invoice.id], cells=OPEN)
    # The order expected 19 %; what left is taxed by the rule of the day.
    assert rows(business, "SELECT net_minor, tax_minor, is_tax_determined FROM invoice") == [(1_000, 160, True)]
    assert rows(business, "SELECT tax_rate, tax_rule_id FROM invoice_line") == [(160_000, new)]
    assert rows(business, "SELECT move FROM transition WHERE document_type = 'invoice' ORDER BY id") == [
        ("draft",), ("block",), ("recheck",), ("post",),
    ]  # fmt: skip
    assert_books_agree(database)


def test_a_certificate_exempts_until_its_day_and_no_longer(database):
    business = a_business(database, tax=None)
    rule(business)
    with business.work() as work:
        key = keep_exemption(
            work,
            NewExemption(
                customer=business.customer, certificate="FZ-118", valid_from=SINCE, valid_until=date(2026, 3, 3)
            ),
        ).id
    billed(business, shipped(business, [(0, 1)])[1])
    business.clock.advance(timedelta(days=1))
    billed(business, shipped(business, [(0, 1)])[1])
    assert rows(business, "SELECT tax_minor FROM invoice ORDER BY id") == [(0,), (190,)]
    assert rows(business, "SELECT tax_exemption_id FROM invoice_line ORDER BY invoice_id") == [(key,), (None,)]
    assert_books_agree(database)


def test_a_credit_memo_gives_back_the_tax_that_was_charged_whatever_the_rule_says_today(database):
    business = a_business(database, tax=None)
    old = rule(business)
    order, shipment = shipped(business, [(0, 10)])
    invoice = billed(business, shipment)
    business.clock.advance(timedelta(days=1))
    with business.work() as work:
        end_tax_rule(work, old, date(2026, 3, 3))
    rule(business, code="DE-16", rate=Decimal("0.16"), valid_from=date(2026, 3, 3))
    command = CreditInvoice(
        invoice=invoice.id, order_line=order.lines[0].id, quantity=Decimal(2), unit_price=Decimal(10), reason="too dear",
        fault="ours",
    )  # fmt: skip
    with business.work() as work:
        credit_invoices(work, [command])
    assert rows(business, "SELECT net_minor, tax_minor FROM credit_memo") == [(2_000, 380)]
    assert rows(business, "SELECT tax_rule_id FROM credit_memo_line") == [(old,)]
    assert_books_agree(database)


def test_a_return_gives_back_what_the_invoice_charged_and_not_what_the_order_expected(database):
    business = a_business(database, tax=None)
    old = rule(business)
    order, shipment = shipped(business, [(0, 10)])
    with business.work() as work:
        end_tax_rule(work, old, date(2026, 3, 2))
    new = rule(business, code="DE-16", rate=Decimal("0.16"), valid_from=date(2026, 3, 2))
    billed(business, shipment)
    business.clock.advance(timedelta(hours=1))
    line = ReturnedLine(
        item=business.items[0], quantity=Decimal(1), order_line=order.lines[0].id, disposition=Disposition.RESTOCK
    )
    with business.work() as work:
        (asked,) = request_returns(
            work,
            [
                RequestReturn(
                    site=business.site, channel=business.channel, customer=business.customer, reason="too many",
                    fault="customer", lines=[line],
                )
            ],
            rules=RULES, cells=OPEN,
        )  # fmt: skip
        authorise_returns(work, [asked.id])
        taken_back(work, asked.id)
        credit_returns(work, [asked.id], cells=OPEN)
    assert rows(business, "SELECT net_minor, tax_minor FROM credit_memo") == [(1_000, 160)]
    assert rows(business, "SELECT tax_rule_id FROM credit_memo_line") == [(new,)]
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rate": Decimal("-0.1")}, "tax_rate_outside"),
        ({"rate": Decimal(1)}, "tax_rate_outside"),
        ({"category": "AE", "sentence": "x"}, "tax_rate_outside"),
        ({"category": "AE", "rate": Decimal(0)}, "tax_sentence_missing"),
        ({"category": "XX"}, "choice_unknown"),
        ({"valid_until": SINCE}, "validity_empty"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(database, changes, code):
    business = a_business(database, tax=None)
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken) as refused:
        rule(business, **changes)
    assert refused.value.code == code
    assert fingerprint_of(database) == before
