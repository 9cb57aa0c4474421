"""The forms of settlement: a partner, how its files are read, a payout, and what a line is about."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.importers.bankfiles.table import DAYS
from app.importers.payoutfiles import PayoutMapping, kinds_written
from app.queries.settlement import KINDS
from app.web.fields import ExactField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.billing.settling.taking import PartnerContent

_NAMES = ("delimiter", "decimal", "day_form", "day", "kind", "order", "amount", "tax", "currency", "text")


class PartnerForm(KeyedForm):
    """What is said of a partner."""

    name = StringField("Name", [DataRequired("Enter what the partner is called"), Length(max=120)])
    fee = ExactField(
        "Agreed fee in percent", [InputRequired("Enter the share of what is sold that was agreed")], places=4,
        description="Of what was sold, tax of the fee apart. What goes beyond it stands as a difference.",
    )  # fmt: skip

    def partner(self) -> PartnerContent:
        """What was entered."""
        return PartnerContent(name=str(self.name.data), fee_rate=Decimal(self.fee.data or 0) / 100)


class NewPartnerForm(PartnerForm):
    """A partner that is not there yet."""

    site = SelectField("Site that looks after it", coerce=int)
    channel = SelectField("Channel of its orders", coerce=int)
    code = StringField("Code", [DataRequired("Enter a code"), Length(max=40)])


class PayoutMappingForm(Form):
    """How the files of a partner are read."""

    delimiter = SelectField(
        "Between columns", choices=choices([(";", "Semicolon"), (",", "Comma"), ("\t", "Tab"), ("|", "Bar")])
    )
    decimal = SelectField("Decimal mark", choices=choices([(",", "Comma"), (".", "Point")]))
    day_form = SelectField("Days are written", choices=choices((one, one) for one in DAYS))
    day = StringField("Column of the day", [DataRequired("Enter its heading"), Length(max=60)])
    kind = StringField("Column of the kind", [DataRequired("Enter its heading"), Length(max=60)])
    order = StringField("Column of the order’s number", [DataRequired("Enter its heading"), Length(max=60)])
    amount = StringField("Column of the amount", [DataRequired("Enter its heading"), Length(max=60)])
    tax = StringField("Column of the tax within", [Length(max=60)])
    currency = StringField("Column of the currency", [Length(max=60)])
    text = StringField("Column of the text", [Length(max=60)])
    kinds = TextAreaField(
        "The partner’s words for kinds of lines", [DataRequired("Say at least which word means a sale"), Length(max=2000)],
        description=f"One a line, as in “Order = sale”. Kinds: {', '.join(one.replace('_', ' ') for one in KINDS)}.",
    )  # fmt: skip

    def mapping(self) -> PayoutMapping:
        """What was entered; raises ``RuleBroken`` for kinds that are not said as they have to be."""
        said = {name: str(self[name].data or "").strip(" ") for name in _NAMES}
        return PayoutMapping(**said, kinds=kinds_written(self.kinds.data or ""))

    def fill(self, mapping: PayoutMapping) -> None:
        """Show what is kept."""
        for name in _NAMES:
            self[name].data = getattr(mapping, name)
        self.kinds.data = "\n".join(f"{word} = {kind.replace('_', ' ')}" for word, kind in mapping.kinds.items())


class PayoutForm(Form):
    """A payout as the partner reports it."""

    partner = SelectField("Partner", coerce=int)
    reference = StringField(
        "Number of the payout", [DataRequired("Enter the number by which the partner calls it"), Length(max=120)]
    )
    file = FileField(
        "File", [FileRequired("Choose the file")], description="CSV or a workbook, by the partner’s mapping."
    )
    total = ExactField(
        "What is paid",
        [Optional()],
        description="As the partner says; not needed where the file has the transfer as a line.",
    )


class DocumentForm(Form):
    """Which document of ours a line is about."""

    number = StringField(
        "Its number", [Length(max=120)], description="Left empty, the line’s own number says it again."
    )


class WhyForm(Form):
    """Something that needs a reason."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])


def offset_form(others: Sequence[tuple[int, str]]) -> Any:
    """Against which other line of the partner a difference is set."""
    fields = {
        "other": SelectField("The line that makes it good", [InputRequired("Choose a line")], coerce=int, choices=choices(others)),
        "reason": StringField("Reason", [DataRequired("Say why the two belong together"), Length(max=500)]),
    }  # fmt: skip
    return type("OffsetForm", (Form,), fields)()
