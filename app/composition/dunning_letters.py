"""What does a notice of dunning say to its customer, where is it sent, and did it leave?

The letter is made in the transaction that issues the notice, once for each, and kept word for word. A customer without an address, or
who wants no mail, gets it on paper: it is skipped here, and printed from the notice.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.composition.letter_texts import OF_COUNTRY
from app.composition.letters import LETTER, CustomerContact, LetterState, Way, filled
from erpcore.billing.dunning.models import DunningItem, DunningNotice, LetterKind, NoticeState
from erpcore.billing.dunning.procedures import levels_of
from erpcore.billing.dunning.runs import issue_notice
from erpcore.billing.models import Invoice
from erpcore.credit.models import Receivable
from erpcore.kernel.model import Base, Key, UtcDateTime, states
from erpcore.kernel.money import from_minor
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer, Entity


class DunningLetter(Base):
    """The letter of one notice. ``message_id`` is made of the content, so that a mail server knows one handed over twice."""

    __tablename__ = "dunning_letter"
    __table_args__ = (
        states("state", LetterState),
        states("way", Way),
        Index("ix_dunning_letter_due", "next_at", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    notice_id: Mapped[int] = mapped_column(ForeignKey("dunning_notice.id"), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    language: Mapped[str] = mapped_column(String(5))
    to_address: Mapped[str | None] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    way: Mapped[str | None] = mapped_column(String(8))


_DEAR = {"en": "Dear {customer},", "de": "Guten Tag {customer},", "fr": "Bonjour {customer},"}
_END = {"en": "Kind regards\n{company}", "de": "Mit freundlichen Grüßen\n{company}", "fr": "Cordialement\n{company}"}
_FEE = {
    "en": "For this notice we charge {fee}.", "de": "Für dieses Schreiben berechnen wir {fee}.",
    "fr": "Pour ce courrier nous facturons {fee}.",
}  # fmt: skip
_TEXTS: dict[LetterKind, dict[str, tuple[str, str]]] = {
    LetterKind.REMINDER: {
        "en": ("Reminder {notice}", "these invoices are past their day:\n\n{lines}\n\nIn all {total}. Perhaps it was overlooked: please pay by {until}."),
        "de": ("Zahlungserinnerung {notice}", "diese Rechnungen sind überfällig:\n\n{lines}\n\nZusammen {total}. Vielleicht wurde es übersehen: bitte zahlen Sie bis {until}."),
        "fr": ("Rappel {notice}", "ces factures sont échues :\n\n{lines}\n\nAu total {total}. Un oubli sans doute : merci de régler avant le {until}."),
    },
    LetterKind.DEMAND: {
        "en": ("Demand for payment {notice}", "in spite of our reminder these invoices are open:\n\n{lines}\n\nIn all {total}. Pay by {until}."),
        "de": ("Mahnung {notice}", "trotz unserer Erinnerung sind diese Rechnungen offen:\n\n{lines}\n\nZusammen {total}. Bitte zahlen Sie bis {until}."),
        "fr": ("Mise en demeure {notice}", "malgré notre rappel, ces factures restent ouvertes :\n\n{lines}\n\nAu total {total}. Veuillez régler avant le {until}."),
    },
    LetterKind.FINAL: {
        "en": ("Last demand {notice}", "these invoices have been open for long:\n\n{lines}\n\nIn all {total}. After {until} we hand the matter on without writing again."),
        "de": ("Letzte Mahnung {notice}", "diese Rechnungen sind seit langem offen:\n\n{lines}\n\nZusammen {total}. Nach dem {until} geben wir die Sache ohne weiteres Schreiben ab."),
        "fr": ("Dernier avis {notice}", "ces factures sont ouvertes depuis longtemps :\n\n{lines}\n\nAu total {total}. Après le {until}, nous transmettons le dossier sans autre avis."),
    },
}  # fmt: skip


def notice_number(notice: int) -> str:
    """What a notice is called."""
    return f"DN-{notice}"


def issue(work: UnitOfWork, notice: int) -> bool:
    """Issue a notice and make its letter; ``False`` where that was done already. See ``issue_notice``."""
    if not issue_notice(work, notice):
        return False
    row = work.session.execute(select(DunningNotice.__table__).where(DunningNotice.id == notice)).one()
    if row.state == NoticeState.ISSUED:
        _write(work, row)
    return True


def _write(work: UnitOfWork, row: Any) -> None:
    who = work.session.execute(
        select(Customer.name, Customer.country, Entity.name.label("company"), Entity.currency, CustomerContact)
        .join(Entity, Entity.id == Customer.entity_id)
        .outerjoin(CustomerContact, CustomerContact.customer_id == Customer.id)
        .where(Customer.id == row.customer_id)
    ).one()
    contact: CustomerContact | None = who.CustomerContact
    language = (contact.language if contact else None) or OF_COUNTRY.get(who.country, "en")
    subject, body = _words(work, row, who, language)
    address = contact.email if contact and not contact.wants_none else None
    content = "\n".join([str(row.id), address or "", subject, body])
    work.session.add(
        DunningLetter(
            id=work.ids.one(), notice_id=row.id, customer_id=row.customer_id, language=language, to_address=address,
            subject=subject[:300], body=body, message_id=f"<{sha256(content.encode()).hexdigest()[:32]}@dunning.wavegate.invalid>",
            state=LETTER.initial if address else LETTER.target("skip", LETTER.initial), attempts=0, next_at=work.now,
            made_at=work.now,
        )
    )  # fmt: skip


def _words(work: UnitOfWork, row: Any, who: Any, language: str) -> tuple[str, str]:
    items = work.session.execute(
        select(Invoice.number, DunningItem.due_on, Receivable.open_minor)
        .join(Invoice, Invoice.id == DunningItem.document_id)
        .join(Receivable, Receivable.document_id == DunningItem.document_id)
        .where(DunningItem.notice_id == row.id, Receivable.open_minor > 0)
        .order_by(DunningItem.due_on, Invoice.id)
    )

    def money(minor: int) -> str:
        return f"{from_minor(minor, who.currency)} {who.currency}"

    level = next(one for one in levels_of(work.session, [row.procedure_id])[row.procedure_id] if one.level == row.level)
    facts = {
        "customer": who.name, "company": who.company, "notice": notice_number(row.id), "until": row.pay_until.isoformat(),
        "total": money(row.overdue_minor), "fee": money(row.fee_minor),
        "lines": "\n".join(f"{one.number} · {one.due_on.isoformat()} · {money(one.open_minor)}" for one in items),
    }  # fmt: skip
    subject, body = _TEXTS[LetterKind(row.letter)][language]
    parts = [_DEAR[language], body, *([_FEE[language]] if row.fee_minor else []), *([level.note] if level.note else [])]
    return filled(subject, facts), "\n\n".join(filled(part, facts) for part in (*parts, _END[language]))
