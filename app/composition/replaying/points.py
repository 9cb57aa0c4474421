"""Which policy points can a replay of orders show, and why not the others?"""

from __future__ import annotations

from collections.abc import Iterable

from erpcore.ports import POLICY_POINTS

_PEOPLE = "people decide by it, case by case, and nobody can say what they would have decided"
_FLOOR = "it is about work in the warehouse, which orders alone do not tell"
_BACK = "it is about goods that come back after the order"
#: What decides when an order is taken, held, promised, allocated, picked, or waits.
SHOWN = frozenset(
    {
        "partial_shipment", "backorder_rule", "backorder_cancel_days", "rush_rule", "duplicate_rule",
        "price_tolerance_permille", "minimum_margin_permille", "override_authority", "override_limit_minor", "credit_check",
        "credit_overdue_days", "credit_order_share_permille", "sourcing_rule", "allocation_rule", "promise_rule",
    }
)  # fmt: skip
#: Why a replay shows nothing of a point.
NOT_SHOWN = {
    "substitution_rule": _PEOPLE,
    "take_back_rule": _PEOPLE,
    "over_ship_tolerance_permille": _PEOPLE,
    "under_ship_tolerance_permille": _PEOPLE,
    "invoice_trigger": "it changes when an invoice is due, not what is promised, held or sent",
    "invoice_period": "it changes when an invoice is due, not what is promised, held or sent",
    "control_transfer": "it changes when revenue counts, not what is promised, held or sent",
    "invoice_unusual_permille": "it says which invoice somebody looks at, not what is promised, held or sent",
    "over_receipt_tolerance_permille": _FLOOR,
    "count_tolerance_permille": _FLOOR,
    "freight_tolerance_permille": "it is about bills of carriers, which come after the order",
    "recount_rule": _FLOOR,
    "count_freeze": _FLOOR,
    "adjustment_limit_minor": _FLOOR,
    "short_pay_tolerance_minor": "it is about payments that come after the order",
    "return_window_days": _BACK,
    "return_fault_window_days": _BACK,
    "return_condition_rule": _BACK,
    "return_receipt_rule": _BACK,
    "restocking_fee_permille": _BACK,
    "return_approval_rule": _BACK,
    "return_exception_rule": _BACK,
    "lot_rule": "it says which lot leaves, not whether an order can be met",
    "task_priority_rule": _FLOOR,
    "packing_required": _FLOOR,
    "negative_stock": "nobody may depart from it",
}


def shown(points: Iterable[str]) -> list[str]:
    """Those of the points of which a replay can show an effect."""
    return sorted(point for point in points if point in SHOWN)


def not_shown(points: Iterable[str]) -> list[tuple[str, str]]:
    """The others, each by its title with the reason."""
    return [
        (
            POLICY_POINTS[point].title if point in POLICY_POINTS else point,
            NOT_SHOWN.get(point, "the core has no such point"),
        )
        for point in sorted(points)
        if point not in SHOWN
    ]
