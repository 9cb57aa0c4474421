"""The forms of transfer orders: what to ask for, the answer, what leaves."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, DateField, FieldList, FormField, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from app.queries.transfer_orders import AskedLineFact
from app.web.fields import QuantityField
from app.web.forms import Form, choices
from app.web.linesheet import MOST_ROWS, LineSheet, SheetRow


class AskForm(LineSheet):
    """A transfer order as it is typed."""

    from_site = SelectField("Ask", coerce=int)
    to_site = SelectField("For", coerce=int, description="Where the goods are needed")
    wanted_on = DateField("Needed on", [Optional()], description="Empty: as soon as it can be there")
    note = StringField("Note", [Length(max=500)])
    lines = FieldList(FormField(SheetRow), min_entries=1, max_entries=MOST_ROWS)


class DecideForm(Form):
    verdict = RadioField(
        "Answer", [InputRequired("Choose one")], choices=choices([("approve", "Approve"), ("reject", "Reject")])
    )
    arrives_on = DateField("Arrives on", [Optional()], description="Another day than promised needs a reason")
    reason = StringField("Reason", [Length(max=500)])
    version = HiddenField()


class ShipForm(Form):
    """What leaves; its lines are added by ``ship_form``."""

    arrives_on = DateField("Arrives on", [Optional()])
    last = BooleanField("The rest will not be sent")
    version = HiddenField()


def ship_form(lines: list[AskedLineFact]) -> Any:
    """How many of each line that is still open."""
    fields: dict[str, Any] = {
        f"line_{line.id}": QuantityField(f"Leaves, line {line.line_no}", [Optional()], default=line.open)
        for line in lines
    }
    return type("ShipLinesForm", (ShipForm,), fields)()
