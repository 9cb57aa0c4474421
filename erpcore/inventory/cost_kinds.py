"""The ways of valuing stock, and the kinds of costs that come after the goods."""

from __future__ import annotations

from enum import StrEnum


class CostMethod(StrEnum):
    """What goods that leave are worth: the item's standard cost, the average of what is there, or the layer that came first."""

    STANDARD = "standard"
    AVERAGE = "average"
    FIFO = "fifo"


class LateCostKind(StrEnum):
    FREIGHT = "freight"
    DUTY = "duty"
    PRICE = "price"
    OTHER = "other"


class ShareBasis(StrEnum):
    """By what a late cost is shared among the goods of a receipt."""

    VALUE = "value"
    QUANTITY = "quantity"
