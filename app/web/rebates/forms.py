"""The forms of rebate agreements: the sheet with its tiers, what is said at a step, and the settlement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from wtforms import BooleanField, DateField, FieldList, FormField, HiddenField, SelectField, StringField
from wtforms import Form as Plain
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.queries.rebates import RebatePage
from app.web.fields import ExactField, PriceField
from app.web.forms import Form, choices
from app.web.linesheet import LineSheet
from app.web.once import KeyedForm
from erpcore.billing.rebates.agreements import MOST_TIERS, TierIn

_HUNDRED = Decimal(100)
_REACH = (("yes", "All that counts"), ("no", "What goes beyond"))


class TierRow(Plain):
    """One tier as typed."""

    starts_at = ExactField("From")
    percent = ExactField("Percent", places=4)
    per_unit = PriceField("Or per unit")
    reach = SelectField("Given on", choices=choices(_REACH), validate_choice=False)

    @property
    def is_empty(self) -> bool:
        fields = (self.starts_at, self.percent, self.per_unit)
        return not any(str((field.raw_data or [""])[0]).strip() or field.data is not None for field in fields)


class RebateForm(LineSheet):
    """An agreement as it is typed."""

    name = StringField("Name", [DataRequired("Say what it is called"), Length(max=200)])
    site = SelectField("Site", coerce=int, validate_choice=False, description="Who looks after it and settles it")
    customer = StringField(
        "Customer", [Length(max=120)], description="The customer's code; empty where a group shares the tiers"
    )
    group = SelectField("Or group of customers", coerce=int, validate_choice=False)
    item = StringField("Item", [Length(max=120)], description="An item's code; empty: all goods, or a group")
    item_group = SelectField("Or group of items", coerce=int, validate_choice=False)
    valid_from = DateField("From", [InputRequired("Enter its first day")])
    last_on = DateField("Last day", [InputRequired("Enter its last day")])
    basis = SelectField(
        "Tiers are measured by",
        choices=choices([("net", "Net value"), ("quantity", "Quantity")]),
        validate_choice=False,
    )
    base = ExactField(
        "Counts beyond", [Optional()], description="What was bought in the year before, where only growth counts"
    )
    base_from_books = BooleanField("Add up from the books what was bought in the year before")
    adds_up = BooleanField("It may stand beside other agreements on the same goods")
    version = HiddenField()
    lines = FieldList(FormField(TierRow), min_entries=1, max_entries=MOST_TIERS)

    def offer(
        self, sites: list[tuple[int, str]], groups: list[tuple[int, str]], item_groups: list[tuple[int, str]]
    ) -> None:
        """What may be chosen."""
        self.site.choices = choices(sites)
        self.group.choices = choices([(0, "No group"), *groups])
        self.item_group.choices = choices([(0, "No group"), *item_groups])

    def is_complete(self) -> bool:
        """Whether the sheet can go to the core; what a tier lacks the core says at its field."""
        rows: Any = self["lines"]
        complete = self.validate_on_submit()
        self.sent = [row for row in rows if not row.form.is_empty]
        for row in self.sent:
            if row.form.starts_at.data is None and not row.form.starts_at.errors:
                row.form.starts_at.errors = ["Enter from where on."]
        complete = complete and not any(leaf.errors for leaf in self.leaves())
        self.status = 200 if complete else 422
        return complete

    def tiers(self) -> list[TierIn]:
        """The tiers that are not empty; percents as shares."""
        return [
            TierIn(
                starts_at=row.form.starts_at.data, per_unit=row.form.per_unit.data, is_retroactive=row.form.reach.data == "yes",
                percent=None if row.form.percent.data is None else row.form.percent.data / _HUNDRED,
            )
            for row in self.sent
        ]  # fmt: skip

    def fill(self, page: RebatePage, customer: str, item: str, last_on: Any) -> None:
        """As the draft stands."""
        row, rows = page.row, self["lines"]
        self.name.data, self.site.data, self.customer.data, self.item.data = row.name, row.site_id, customer, item
        self.group.data, self.item_group.data = row.customer_group_id or 0, row.item_group_id or 0
        self.valid_from.data, self.last_on.data, self.basis.data = row.valid_from, last_on, row.basis
        self.base.data, self.adds_up.data = (row.as_measured(row.base) if row.base else None), row.adds_up
        self.version.data = str(row.version)
        while len(rows) > 0:
            rows.pop_entry()
        for one in page.tiers:
            rows.append_entry(
                {
                    "starts_at": row.as_measured(one.starts_at), "per_unit": one.per_unit,
                    "percent": None if one.percent is None else one.percent * _HUNDRED,
                    "reach": "yes" if one.is_retroactive else "no",
                }
            )  # fmt: skip


class StepForm(Form):
    """What is said when an agreement is agreed to, withdrawn or ended."""

    reason = StringField("Note", [Length(max=300)])
    version = HiddenField()


class SettleForm(KeyedForm):
    """How much is given back."""

    paid = ExactField("Net to give back", [InputRequired("Enter how much")])
    claimed = ExactField("Claimed by the customer", [Optional()], description="Empty where nobody asked for it.")
    reason = StringField(
        "Why it differs", [Length(max=300)], description="Needed where it differs from what is accrued."
    )
    version = HiddenField()
