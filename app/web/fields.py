"""Fields for quantities, prices, amounts and several choices: what was typed stays as typed, and what cannot be read says why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from wtforms import SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from app.messages import MESSAGES, sentence
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES
from erpcore.kernel.quantity import parse_quantity

#: What is said while somebody types on a page for the thumb: the words that the field itself would have.
NUMBER_WORDS = {
    name: str(MESSAGES[code])
    for name, code in (
        ("none", "not_a_number"), ("huge", "quantity_absurd"), ("fine", "quantity_too_precise"), ("below", "quantity_negative"),
    )
}  # fmt: skip


class ExactField(StringField):
    """A decimal number with at most ``places`` places; empty is ``None``. A float never comes in between."""

    data: Any  # a Decimal, or None while nothing that can be read was typed

    def __init__(self, *args: Any, places: int = QUANTITY_PLACES, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = places
        usual = {"inputmode": "decimal", "autocomplete": "off", "data-places": str(places)}
        self.render_kw = {**usual, **(self.render_kw or {})}

    def counted_in(self, places: int) -> None:
        """Let the page say while one types what is finer than the item is counted in; the core refuses it in any case."""
        self.render_kw = {**(self.render_kw or {}), "data-places": str(places)}

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist:
            return
        text = str(valuelist[0]).strip()
        self.data = None
        if not text:
            return
        try:
            self.data = parse_quantity(text, places=self.places)
        except RuleBroken as refusal:
            raise ValueError(sentence(refusal)) from None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if not isinstance(self.data, Decimal):
            return ""
        text = format(self.data, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text


class QuantityField(ExactField):
    """A quantity in the item's unit."""


class PriceField(ExactField):
    """A unit price, at six places."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, places=PRICE_PLACES, **kwargs)


class ChecksField(SelectMultipleField):
    """Several choices as boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def has(self, value: Any) -> bool:
        """Whether this one is ticked."""
        return value in (self.data or ())
