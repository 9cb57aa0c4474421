"""The forms of journals by hand: the sheet, the decision, the reversal, an account."""

from __future__ import annotations

from typing import Any

from wtforms import DateField, FieldList, FormField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms import Form as Plain
from wtforms.validators import DataRequired, InputRequired, Length

from app.queries.journals import KINDS
from app.web.fields import ExactField
from app.web.forms import Form, choices
from app.web.linesheet import LineSheet
from erpcore.kernel.money import from_minor, places, to_minor
from erpcore.ledger.journals import MOST_LINES, JournalLineIn


class JournalLineRow(Plain):
    """One side as typed."""

    account = SelectField("Account", coerce=int, validate_choice=False)
    debit = ExactField("Debit", places=4)
    credit = ExactField("Credit", places=4)

    @property
    def is_empty(self) -> bool:
        return not self.account.data and self.debit.data is None and self.credit.data is None and not self.typed

    @property
    def typed(self) -> bool:
        """Whether something stands in an amount, readable or not."""
        return any(str((field.raw_data or [""])[0]).strip() for field in (self.debit, self.credit))


class JournalForm(LineSheet):
    """A journal as it is typed."""

    entry_on = DateField("Day", [InputRequired("Enter a day")], description="Today at the latest; the day in the books")
    site = SelectField("Site", coerce=int, description="Whose figures it changes")
    channel = SelectField("Channel", coerce=int)
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=300)])
    evidence = TextAreaField(
        "Evidence", [Length(max=4000)], description="What it rests on: contract, invoice, calculation"
    )
    version = HiddenField()
    lines = FieldList(FormField(JournalLineRow), min_entries=2, max_entries=MOST_LINES)

    def offer(
        self, accounts: list[tuple[int, str]], sites: list[tuple[int, str]], channels: list[tuple[int, str]]
    ) -> None:
        """What may be chosen."""
        self.site.choices = choices([(0, "No site"), *sites])
        self.channel.choices = choices([(0, "No channel"), *channels])
        rows: Any = self["lines"]
        for row in rows:
            row.form.account.choices = choices([(0, "Choose an account"), *accounts])

    def is_complete(self) -> bool:
        """Whether the sheet can go to the core."""
        rows: Any = self["lines"]
        complete = self.validate_on_submit()
        self.sent = [row for row in rows if not row.form.is_empty]
        for row in self.sent:
            if not row.form.account.data:
                row.form.account.errors = [*row.form.account.errors, "Choose an account."]
        complete = complete and not any(row.form.account.errors for row in self.sent)
        self.status = 200 if complete else 422
        return complete

    def typed_lines(self, currency: str) -> list[JournalLineIn]:
        """The sides in minor units; what has more places than the currency has is refused at its field."""
        out = []
        for row in self.sent:
            minor = []
            for field in (row.form.debit, row.form.credit):
                amount = field.data
                if amount is not None and amount != round(amount, places(currency)):
                    field.errors = [*field.errors, f"{currency} has {places(currency)} decimal places."]
                    self.status = 422
                minor.append(0 if amount is None else to_minor(amount, currency))
            out.append(JournalLineIn(row.form.account.data, *minor))
        return out

    def fill(self, page: Any) -> None:
        """As the journal stands."""
        row, rows = page.row, self["lines"]
        self.entry_on.data, self.reason.data, self.evidence.data = row.entry_on, row.reason, row.evidence
        self.site.data, self.channel.data, self.version.data = row.site_id or 0, row.channel_id or 0, str(row.version)
        while len(rows) > 0:
            rows.pop_entry()
        for line in page.lines:
            rows.append_entry(
                {
                    "account": line.account_id,
                    "debit": from_minor(line.debit_minor, row.currency) if line.debit_minor else None,
                    "credit": from_minor(line.credit_minor, row.currency) if line.credit_minor else None,
                }
            )


class DecideForm(Form):
    verdict = RadioField(
        "Decision", [InputRequired("Choose one")], choices=choices([("approve", "Approve"), ("reject", "Reject")])
    )
    note = StringField("Note", [Length(max=500)], description="Needed to reject")
    version = HiddenField()


class ReverseForm(Form):
    entry_on = DateField("Day of the reversal", [InputRequired("Enter a day")])
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=300)])
    version = HiddenField()


class AccountForm(Form):
    code = StringField("Number", [DataRequired("Enter a number"), Length(max=24)])
    name = StringField("Name", [DataRequired("Enter a name"), Length(max=200)])
    kind = SelectField("Kind", choices=choices([(kind, kind.capitalize()) for kind in KINDS]))
