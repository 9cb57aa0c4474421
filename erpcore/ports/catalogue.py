"""Which policy points are there? The catalogue: what each does, its standard, what may stand there.

A point offers only what the core does. One whose effect is still being built stands here with the single value that is true
today; whoever builds the effect widens its choices or range, and sets the standard, in the same change.
"""

from __future__ import annotations

from typing import Any

from erpcore.ports.points import Freedom, PolicyPoint, Unit

#: Version of the catalogue below; part of every ruleset.
CATALOGUE_VERSION = 2

SALES, PRICES, CREDIT, PROMISE, WAREHOUSE = "Orders", "Prices", "Credit", "Sourcing and promise", "Warehouse"
RETURNS = "Returns"

_C, _E = Freedom.COMMITMENT, Freedom.EXECUTION
_NEW: Any = object()


def _point(
    name: str, title: str, area: str, freedom: Freedom, sentence: str, standard: Any, *, before: Any = _NEW, **more: Any
) -> PolicyPoint:
    """A point; ``before`` is given where the core behaved otherwise than the standard before the point was there."""
    return PolicyPoint(
        name=name, title=title, area=area, freedom=freedom, sentence=sentence, standard=standard,
        before_introduction=standard if before is _NEW else before, **more,
    )  # fmt: skip


_YES_NO = (True, False)

_SALES = (
    _point(
        "partial_shipment", "Partial shipment", SALES, _C, "What is there may leave before the rest of the order.", standard=True,
        choices=_YES_NO, means={True: "what is there leaves first", False: "the order leaves whole or not at all"},
    ),
    _point(
        "backorder_rule", "Backorders", SALES, _C, "What becomes of a line that waits for stock.", "keep",
        choices=("keep", "cancel_after_days", "re_promise"),
        means={
            "keep": "stays on order until stock arrives", "cancel_after_days": "cancelled once patience is over",
            "re_promise": "promised anew when its day cannot be kept",
        },
    ),
    _point(
        "backorder_cancel_days", "Backorder patience", SALES, _C,
        "So many days a backorder waits before it is cancelled, where the rule says that it is.", 30, minimum=1, maximum=365,
        unit=Unit.DAYS,
    ),
    _point(
        "substitution_rule", "Substitution", SALES, _C, "Whether another item may be sent instead of one that is short.",
        "never", choices=("never", "same_group", "with_approval"),
        means={
            "never": "the customer gets what was ordered", "same_group": "a kept substitute of the same item group",
            "with_approval": "any kept substitute, once somebody else has approved",
        },
    ),
    _point(
        "rush_rule", "Rush orders", SALES, _C, "Whether an order may ask to be served before its lead time.", "allow",
        choices=("refuse", "allow", "allow_with_charge"),
        means={
            "refuse": "nothing is served before its lead time", "allow": "taken without a charge",
            "allow_with_charge": "taken with the charge that the company has declared for it",
        },
    ),
    _point(
        "duplicate_rule", "Duplicate orders", SALES, _C,
        "What happens to an order of the same customer with the same content on the same day.", "warn",
        choices=("off", "warn", "hold"), before="off",
        means={
            "off": "taken like any other", "warn": "taken when somebody says why", "hold": "held until somebody has looked",
        },
    ),
    _point(
        "over_ship_tolerance_permille", "Shipping over", SALES, _C, "How much more than ordered may be shipped and invoiced.", 0,
        maximum=200, unit=Unit.PERMILLE,
    ),
    _point(
        "under_ship_tolerance_permille", "Shipping under", SALES, _C,
        "How much of a line may stay unshipped and the line still count as done.", 0, maximum=200, unit=Unit.PERMILLE,
    ),
    _point(
        "invoice_trigger", "Invoice trigger", SALES, _C, "When the invoice of a shipment is due.", "shipment_confirmed",
        choices=("shipment_confirmed", "order_complete", "delivered", "periodic"),
        means={
            "shipment_confirmed": "once the goods have left", "order_complete": "once the whole order has left, on one invoice",
            "delivered": "once they have arrived", "periodic": "with all that the customer got in a period, on one invoice",
        },
    ),
    _point(
        "invoice_period", "Invoice period", SALES, _C, "How long a period is, where invoices are made by period.", "month",
        choices=("day", "week", "month"),
        means={"day": "each day", "week": "Monday to Sunday", "month": "the calendar month"},
    ),
    _point(
        "control_transfer", "Transfer of control", SALES, _C,
        "When goods become the customer's: their revenue counts from then on, whenever the invoice is made.", "shipped",
        choices=("shipped", "delivered"),
        means={"shipped": "once they have left", "delivered": "once they have arrived"},
    ),
    _point(
        "invoice_unusual_permille", "Unusual amount", SALES, _C,
        "An invoice above this share of the largest of the customer's last 24, of at least five, waits until somebody has looked."
        " With 0 the amount is not looked at.", 3_000, maximum=100_000, unit=Unit.PERMILLE, before=0,
    ),
)  # fmt: skip

_PRICES = (
    _point(
        "price_tolerance_permille", "Price tolerance", PRICES, _C,
        "How far below the price of the rules a line may be entered without another person's approval.", 0, maximum=500,
        unit=Unit.PERMILLE,
    ),
    _point(
        "minimum_margin_permille", "Minimum margin", PRICES, _C,
        "The share of an entered price that must be left after the cost; below it another person approves. With 0 the margin"
        " is not looked at.", 0, maximum=900, unit=Unit.PERMILLE,
    ),
    _point(
        "override_authority", "Price approval", PRICES, _E, "Who approves a price that leaves the tolerance.", "site_lead",
        choices=("desk", "site_lead", "process_owner"),
        means={
            "desk": "the site's super user", "site_lead": "the site's lead", "process_owner": "the owner of the process",
        },
    ),
    _point(
        "override_limit_minor", "Price approval limit", PRICES, _E,
        "The margin lost on an order above which the next level approves its prices.", 50_000, maximum=100_000_000,
        unit=Unit.MINOR,
    ),
)  # fmt: skip

_CREDIT = (
    _point(
        "credit_check", "Credit check", CREDIT, _C, "An order that takes the customer over the credit limit is held.", standard=True,
        choices=_YES_NO, means={True: "held until released or cured", False: "not looked at"},
    ),
    _point(
        "credit_overdue_days", "Overdue debt", CREDIT, _C,
        "After so many days overdue a customer's orders are held; with 0 overdue debt is not looked at.", 0,
        minimum=0, maximum=365, unit=Unit.DAYS,
    ),
    _point(
        "credit_order_share_permille", "Share over the limit", CREDIT, _C,
        "The part of an order's value that may exceed the credit limit.", 0, minimum=0, maximum=1000,
        unit=Unit.PERMILLE,
    ),
    _point(
        "short_pay_tolerance_minor", "Short payments", CREDIT, _C,
        "A deduction up to this amount is written off at once, and nobody is asked.", 100, before=0, minimum=0, maximum=10_000,
        unit=Unit.MINOR,
    ),
)  # fmt: skip

_PROMISE = (
    _point(
        "sourcing_rule", "Sourcing", PROMISE, _C, "From which site a line is shipped.", "own_site",
        choices=("own_site", "most_stock", "nearest", "cheapest", "fewest_splits", "commitment"),
        means={
            "own_site": "the site that sells ships", "most_stock": "the site that has most of it", "nearest": "the site from which it arrives soonest",
            "cheapest": "the site from which it costs least", "fewest_splits": "from as few sites as can be",
            "commitment": "the cheapest site that keeps the committed day",
        },
    ),
    _point(
        "allocation_rule", "Allocation", PROMISE, _C, "Who is served first when stock is short.", "first_come",
        choices=("first_come", "priority", "contract_protection", "fair_share"),
        means={
            "first_come": "who waits longest", "priority": "by channel, then customer tier",
            "contract_protection": "contracts with protected stock", "fair_share": "each the same part of what it wants",
        },
    ),
    _point(
        "take_back_rule", "Taking stock back", PROMISE, _E,
        "Whether allocated stock may be taken back for a line that ranks better.", "authority",
        choices=("never", "authority", "second_person"),
        means={
            "never": "what is allocated stays allocated", "authority": "by who has the authority, with a reason",
            "second_person": "once a second person has agreed",
        },
    ),
    _point(
        "promise_rule", "Promise", PROMISE, _C, "What the promised day is made from.", "available",
        choices=("available", "commitment"),
        means={"available": "the day on which stock is there", "commitment": "the committed day, whatever stock there is"},
    ),
)  # fmt: skip

_WAREHOUSE = (
    _point(
        "over_receipt_tolerance_permille", "Receiving over", WAREHOUSE, _E,
        "How much more than expected may be received without asking.", 0, maximum=200, unit=Unit.PERMILLE,
    ),
    _point(
        "freight_tolerance_permille", "Freight billed over", WAREHOUSE, _E,
        "How much more than expected a carrier may bill for a shipment before somebody is asked.", 50, before=0, minimum=0, maximum=500,
        unit=Unit.PERMILLE,
    ),
    _point(
        "count_tolerance_permille", "Count tolerance", WAREHOUSE, _E,
        "A count so close to the book is accepted without recount.", 5, minimum=0, maximum=50, unit=Unit.PERMILLE,
    ),
    _point(
        "recount_rule", "Recount", WAREHOUSE, _E, "When somebody else counts again.", "beyond_tolerance",
        before="never", choices=("never", "beyond_tolerance", "always"),
        means={
            "never": "the first count holds", "beyond_tolerance": "when the first count is beyond tolerance",
            "always": "after every first count",
        },
    ),
    _point(
        "count_freeze", "Freeze while counting", WAREHOUSE, _E, "Whether a place stands still while it is counted.", standard=False,
        choices=_YES_NO, means={False: "work goes on", True: "nothing moves there until it is counted"},
    ),
    _point(
        "adjustment_limit_minor", "Adjustment limit", WAREHOUSE, _E,
        "The value above which an adjustment of stock needs another person's approval.", 50_000, before=100_000_000, minimum=0,
        maximum=100_000_000, unit=Unit.MINOR,
    ),
    _point(
        "lot_rule", "Lots", WAREHOUSE, _E, "Which lot leaves first.", "first_expiry", before="first_in",
        choices=("first_expiry", "first_in"),
        means={"first_expiry": "the one that expires first", "first_in": "the one that came first"},
    ),
    _point(
        "task_priority_rule", "Task priority", WAREHOUSE, _E, "Which task of the warehouse comes first.", "promise",
        choices=("promise", "channel", "cut_off"),
        means={
            "promise": "the one promised first", "channel": "the one whose channel commits to the shorter lead time",
            "cut_off": "the one whose carrier collects first",
        },
    ),
    _point(
        "packing_required", "Packing", WAREHOUSE, _E, "Whether goods leave only in weighed, labelled cartons.", standard=False,
        choices=_YES_NO, means={True: "nothing leaves unpacked", False: "packing is recorded where it is done"},
    ),
    _point(
        "negative_stock", "Negative stock", WAREHOUSE, Freedom.LOCKED, "Stock is never negative.", standard=False, choices=(False,),
        means={False: "never"},
    ),
)  # fmt: skip

_RETURNS = (
    _point(
        "return_window_days", "Return window", RETURNS, _C,
        "So many days after delivery goods may come back that are not our fault. With 0 the day is not looked at.", 30, before=0,
        maximum=3650, unit=Unit.DAYS,
    ),
    _point(
        "return_fault_window_days", "Window for our fault", RETURNS, _C,
        "So many days after delivery goods may come back that are our fault. With 0 the day is not looked at.", 730, before=0,
        maximum=3650, unit=Unit.DAYS,
    ),
    _point(
        "return_condition_rule", "Condition accepted", RETURNS, _C,
        "In which condition goods may come back that are not our fault.", "any", choices=("any", "unused", "sealed"),
        means={"any": "in any", "unused": "sealed, or opened and not used", "sealed": "sealed only"},
    ),
    _point(
        "return_receipt_rule", "Return without a sale", RETURNS, _C, "Whether goods may come back without a sale that is found.",
        "needed", before="not_needed", choices=("needed", "not_needed"),
        means={"needed": "only outside of the policy", "not_needed": "like any other goods"},
    ),
    _point(
        "restocking_fee_permille", "Restocking fee", RETURNS, _C,
        "The share of the net credit that is kept where the return is the customer's choice; of what is our fault nothing is.", 0,
        maximum=500, unit=Unit.PERMILLE,
    ),
    _point(
        "return_approval_rule", "Authorising returns", RETURNS, _C, "Which returns somebody authorises.", "always",
        choices=("always", "customers_fault", "outside_policy"),
        means={
            "always": "each of them", "customers_fault": "those that are not our fault",
            "outside_policy": "those that do not keep to the policy",
        },
    ),
    _point(
        "return_exception_rule", "Returns outside of the policy", RETURNS, _E,
        "Who may authorise a return that does not keep to the policy, with a reason.", "second_person", before="authority",
        choices=("never", "authority", "second_person"),
        means={
            "never": "nobody", "authority": "who has the authority, alone",
            "second_person": "whom the rules of approval name, once somebody has asked",
        },
    ),
)  # fmt: skip

POLICY_POINTS: dict[str, PolicyPoint] = {
    point.name: point for point in (*_SALES, *_PRICES, *_CREDIT, *_PROMISE, *_WAREHOUSE, *_RETURNS)
}
