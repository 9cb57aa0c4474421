"""A statement of account and a notice of dunning say who writes to whom, and where to pay: as it was on their day."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

from pypdf import PdfReader
from sqlalchemy import select

from app.composition.uow import reading
from app.queries.customer_statement import statement
from app.queries.dunning import notice_of
from app.queries.letterheads import letterhead
from app.reports.accounts import statement_paper
from app.reports.dunning import notice_paper
from erpcore.billing.bank import add_bank_account
from erpcore.billing.dunning.models import DunningNotice
from erpcore.billing.paying import TellInvoiceAccount, tell_invoice_account
from erpcore.kernel.actor import Actor
from tests.support.core import a_business
from tests.support.dunning import a_procedure, issued
from tests.support.einvoices import known_to_others
from tests.support.steps import invoiced

ANYBODY = Actor.system("test")
SENDER = "Nordhaus GmbH · Ruhrstraße 4 · 47051 Duisburg · Germany"
TO_PAY = "Please pay To Nordhaus GmbH · IBAN DE89 3704 0044 0532 0130 00 · Reference "


def text_of(paper):
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(paper.content)).pages).split())


def account_named(business, since):
    with business.work() as work:
        key = add_bank_account(work, business.entity, number="DE89370400440532013000", name="House bank")
        tell_invoice_account(
            work, TellInvoiceAccount(entity=business.entity, account=key, valid_from=since, reason="so")
        )


def test_letters_name_sender_address_and_account(database, clock):
    business = a_business(database, at=clock.now())
    business.clock = clock
    known_to_others(business)
    invoiced(business, [(0, 10)])
    a_procedure(business)
    clock.advance(timedelta(days=40))
    today = clock.now().date()
    run = issued(business)
    with reading(database) as session:
        notice = session.scalars(select(DunningNotice.id).where(DunningNotice.run_id == run)).one()
        page = statement(session, ANYBODY, business.customer, since=None, until=None, now=clock.now())
        said = text_of(statement_paper(page, clock.now()))
        assert SENDER in said
        assert "Bautechnik" in said
        assert "47051 Duisburg Germany" in said.split("Bautechnik", 2)[-1]
        assert "Please pay" not in said, "no account is named"
    account_named(business, today)
    with reading(database) as session:
        before = letterhead(session, business.entity, business.customer, today - timedelta(days=1))
        assert (before.sender, before.pay_to) == (SENDER, None)
        page = statement(session, ANYBODY, business.customer, since=None, until=None, now=clock.now())
        assert TO_PAY in text_of(statement_paper(page, clock.now()))
        letter = notice_of(session, notice)
        said = text_of(notice_paper(letter))
        assert SENDER in said
        assert TO_PAY + letter.row.number in said
