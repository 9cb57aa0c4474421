"""What may a price rule say? Its scope, numbers and time, by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.quantity import ABSURD, MOST_WORTH
from erpcore.pricing.models import PriceKind
from erpcore.pricing.precedence import LISTED, Slot

_K = PriceKind
#: Which dimensions a kind must name, and which it may.
_MUST: dict[PriceKind, tuple[str, ...]] = {
    _K.CONTRACT: (), _K.CUSTOMER: ("customer",), _K.PROMOTION: (), _K.GROUP: ("customer_group",), _K.CHANNEL: ("channel",),
    _K.BREAK: (), _K.LIST: (),
}  # fmt: skip
_MAY: dict[PriceKind, tuple[str, ...]] = {
    _K.CONTRACT: ("customer", "customer_group", "channel"), _K.CUSTOMER: ("channel",),
    _K.PROMOTION: ("customer_group", "channel"), _K.GROUP: ("channel",), _K.CHANNEL: (), _K.BREAK: (), _K.LIST: (),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class NewPrice:
    """A price rule: a ``unit_price``, or a ``discount`` as a share of the list price. Without ``kind`` its scope says it."""

    entity: int
    currency: str
    valid_from: date
    item: int | None = None
    unit_price: Decimal | None = None
    discount: Decimal | None = None
    item_group: int | None = None
    valid_until: date | None = None
    customer: int | None = None
    customer_group: int | None = None
    channel: int | None = None
    minimum_quantity: Decimal = Decimal(0)
    kind: str | None = None
    reference: str | None = None
    price_list: int | None = None

    @property
    def stands_as(self) -> PriceKind:
        """The kind named, or the one that the scope is typical of."""
        if self.kind is not None:
            if self.kind not in set(PriceKind):
                raise RuleBroken("choice_unknown", field="kind", value=self.kind)
            return PriceKind(self.kind)
        if self.customer is not None:
            return _K.CONTRACT
        if self.customer_group is not None:
            return _K.GROUP
        if self.channel is not None:
            return _K.CHANNEL
        return _K.BREAK if self.minimum_quantity else _K.LIST

    @property
    def slot(self) -> Slot:
        return Slot(
            self.entity, self.stands_as, self.item, self.item_group, self.customer, self.customer_group, self.channel,
            scaled_int(self.minimum_quantity, QUANTITY_PLACES), self.currency,
        )  # fmt: skip


def check_shape(command: NewPrice, books: Mapping[int, str]) -> None:
    """Raise for a scope, a time or a combination that no rule of this kind has; ``books`` are the currencies of entities."""
    kind = command.stands_as
    if command.entity not in books:
        raise NotFound("entity_unknown", field="entity", entity=command.entity)
    if command.currency != books[command.entity]:
        raise RuleBroken(
            "currency_foreign", field="currency", currency=command.currency, books=books[command.entity]
        )  # fmt: skip
    if (command.item is None) == (command.item_group is None):
        raise RuleBroken("price_rule_without_item", field="item")
    if (command.unit_price is None) == (command.discount is None):
        raise RuleBroken("price_or_discount", field="unit_price")
    if command.discount is None and command.item_group is not None:
        raise RuleBroken("price_group_by_discount", field="unit_price")
    if command.discount is not None and kind in LISTED:
        raise RuleBroken("price_list_absolute", field="discount", kind=kind)
    _check_scope(command, kind)
    if kind == _K.BREAK and command.minimum_quantity <= 0:
        raise RuleBroken("price_break_without_quantity", field="minimum_quantity")
    if kind == _K.LIST and command.minimum_quantity != 0:
        raise RuleBroken("price_list_with_quantity", field="minimum_quantity")
    if command.valid_until is not None and command.valid_until <= command.valid_from:
        raise RuleBroken("validity_empty", field="valid_until", since=command.valid_from, until=command.valid_until)


def _check_scope(command: NewPrice, kind: PriceKind) -> None:
    named = [name for name in ("customer", "customer_group", "channel") if getattr(command, name) is not None]
    for name in _MUST[kind]:
        if name not in named:
            raise RuleBroken("price_scope_missing", field=name, kind=kind, dimension=name.replace("_", " "))
    if kind == _K.CONTRACT and not {"customer", "customer_group"} & set(named):
        raise RuleBroken("price_scope_missing", field="customer", kind=kind, dimension="customer or customer group")
    for name in named:
        if name not in (*_MUST[kind], *_MAY[kind]):
            raise RuleBroken("price_scope_refused", field=name, kind=kind, dimension=name.replace("_", " "))


def check_numbers(command: NewPrice, quantity_places: int) -> None:
    """Raise for a price, discount or quantity that is negative, too precise, or more than there ever is."""
    if command.unit_price is not None:
        if command.unit_price < 0:
            raise RuleBroken("price_below_zero", field="unit_price", price=command.unit_price)
        if command.unit_price >= MOST_WORTH:
            raise RuleBroken("price_absurd", field="unit_price", price=command.unit_price)
        _check_places(command.unit_price, PRICE_PLACES, "unit_price")
    if command.discount is not None:
        if not 0 < command.discount <= 1:
            raise RuleBroken("discount_outside", field="discount", discount=command.discount * 100)
        _check_places(command.discount, PRICE_PLACES, "discount")
    if not 0 <= command.minimum_quantity < ABSURD:
        raise RuleBroken("quantity_absurd", field="minimum_quantity", value=str(command.minimum_quantity))
    _check_places(command.minimum_quantity, quantity_places, "minimum_quantity")


def _check_places(value: Decimal, places: int, field: str) -> None:
    if value != value.quantize(Decimal(1).scaleb(-places)):
        raise RuleBroken("number_too_precise", field=field, value=str(value), places=places)
