"""Which figures are there, and what exactly is each of them? The published list, one row per figure.

A redefined measure is a new version with a new number and is rebuilt from the events; a number is never given twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from erpcore.kernel.errors import NotFound
from readiness.measures.closing_figures import CLOSINGS
from readiness.measures.dispute_figures import dispute_figures
from readiness.measures.measure import Kind, Layer, Measure, Source
from readiness.measures.reading import Direction, Form, Unit
from readiness.measures.receivable_figures import RECEIVABLES

FILL_RATE_LINES = 1
FILL_RATE_VALUE = 2
OTIF_LINES = 3
PROMISE_ACCURACY = 4
PERFECT_ORDER_RATE = 5
PERFECT_ORDER_COMPLETE = 6
PERFECT_ORDER_ON_TIME = 7
PERFECT_ORDER_UNDAMAGED = 8
PERFECT_ORDER_DOCUMENTS = 9
ORDER_CYCLE_TIME = 10
TOUCHLESS_RATE = 11
ORDER_EXCEPTION_RATE = 12
BACKLOG_AGE = 13
INVOICE_RIGHT_AT_POSTING = 14
INVOICE_ACCURACY = 15
INVOICE_ACCURACY_VALUE = 16
BILLING_CYCLE_TIME = 17
RETURN_CREDIT_TIME = 18
INVENTORY_ADJUSTMENT_RATE = 19
SILENT_FAILURES = 20
SILENT_FAILURES_VALUE = 21
SILENT_FAILURES_PER_1000 = 22
CONTROL_DIFFERENCE = 23
SUBSTITUTE_SHARE = 24
BACKORDER_AGE = 25
BACKORDER_OVER_7D = 26
BACKORDER_OVER_30D = 27
# Of journeys under the rules of their process, and of the register of variants.
CONFORMANCE = 60
UNREGISTERED_DEVIATION_SHARE = 61
OFF_STANDARD_SHARE = 62
VARIANT_EXPIRED_IN_USE = 63
VARIANT_COUNT = 64
VARIANT_REVIEWS_OVERDUE = 65
DESIGN_QUESTIONS_OPEN = 66
APPROVAL_CYCLE_TIME = 67
INTERIM_LINKS_OPEN = 68
# What others divide by; not figures of their own.
STOCK_VALUE = 101
HANDLED = 102
UNVALUED_ADJUSTMENTS = 103
# The same documents in another unit: only times, in the sketch.
ORDER_CYCLE_TIME_WORKED = 104

#: Sampled from what is open or on record; a rebuild from the events leaves them alone.
SAMPLED = frozenset(
    {
        BACKLOG_AGE, SILENT_FAILURES, SILENT_FAILURES_VALUE, SILENT_FAILURES_PER_1000, CONTROL_DIFFERENCE, STOCK_VALUE,
        BACKORDER_AGE, BACKORDER_OVER_7D, BACKORDER_OVER_30D,
    }
)  # fmt: skip
#: Kept by the conformance consumer, out of the same events; a rebuild of journeys leaves them alone.
#: Of all rules that journeys are judged by together. A changed rule is a new version, and everything that was judged before is judged
#: anew from its steps; until then no figure of conformance is believed.
RULES_VERSION = 1
OF_CONFORMANCE = frozenset({CONFORMANCE, UNREGISTERED_DEVIATION_SHARE, OFF_STANDARD_SHARE, VARIANT_EXPIRED_IN_USE})
#: What is read from backordered lines.
BACKORDERS = frozenset({BACKORDER_AGE, BACKORDER_OVER_7D, BACKORDER_OVER_30D})


def _backorders(
    number: int, key: str, title: str, unit: Unit, formula: str, statistics: tuple[str, ...] = ()
) -> Measure:
    """What customers wait for, weighed by its value."""
    return Measure(
        id=number, key=key, title=title, unit=unit, direction=Direction.DOWN, form=Form.STATE, kind=Kind.STATE,
        statistics=statistics, window_days=0, owner="fulfilment owner", documents="order", level="value",
        cohort="backordered lines", is_money=True, wait_point="backorder", formula=formula,
    )  # fmt: skip


def _of_conformance(**fields: Any) -> Measure:
    """What is read from journeys under the rules of their process."""
    return Measure(window_days=28, owner="process owner", source=Source.CONFORMANCE, **fields)


def _of_registers(**fields: Any) -> Measure:
    """What stands in a register now."""
    return Measure(
        unit=Unit.COUNT, form=Form.STATE, kind=Kind.STATE, window_days=0, level="entry", source=Source.REGISTER,
        **fields,
    )  # fmt: skip


def _perfect_order(number: int, key: str, title: str, formula: str, *, counts_actors: bool = False) -> Measure:
    """The perfect order and its parts are one family: same orders, same day, same window."""
    return Measure(
        id=number, key=key, title=title, unit=Unit.PERCENT, direction=Direction.UP, form=Form.YES_NO, window_days=28,
        maturity_days=30, owner="customer service owner", documents="order", level="order",
        cohort="requested day of the last line", carries_group=True, counts_actors=counts_actors, formula=formula,
    )  # fmt: skip


_ALL = (
    Measure(
        id=FILL_RATE_LINES, key="fill_rate_lines", title="Fill rate, lines", unit=Unit.PERCENT, direction=Direction.UP,
        form=Form.SHARE, owner="fulfilment owner", documents="order", level="line", cohort="requested ship day",
        dimension="ABC", carries_group=True,
        formula="Order lines whose first shipment, however late, covers the original quantity ÷ order lines.",
    ),
    Measure(
        id=FILL_RATE_VALUE, key="fill_rate_value", title="Fill rate, value", unit=Unit.PERCENT, direction=Direction.UP,
        form=Form.SHARE, owner="fulfilment owner", documents="order", level="value", cohort="requested ship day",
        dimension="ABC", is_money=True,
        formula="Σ min(first shipment, original quantity) ÷ Σ original quantity, both at order price.",
    ),
    Measure(
        id=SUBSTITUTE_SHARE, key="substitute_share", title="Met by substitutes", unit=Unit.PERCENT, direction=Direction.INFO,
        form=Form.SHARE, window_days=28, owner="fulfilment owner", documents="order", level="value",
        cohort="requested ship day", dimension="reason", parts=True, is_money=True,
        formula="Σ value of what was ordered and another item was shipped for ÷ Σ original quantity of own-stock lines, both at "
        "order price. What is sent instead fills no line.",
    ),
    Measure(
        id=OTIF_LINES, key="otif_lines", title="On time in full, lines", unit=Unit.PERCENT, direction=Direction.UP,
        form=Form.SHARE, owner="fulfilment owner", documents="order", level="line", cohort="requested day",
        dimension="date kept", carries_group=True,
        formula="Lines complete inside the agreed window around the requested day ÷ lines due. A ship day is held against "
        "confirmed shipments, a delivery day against proof of delivery.",
    ),
    Measure(
        id=PROMISE_ACCURACY, key="promise_accuracy", title="Promise accuracy", unit=Unit.PERCENT, direction=Direction.UP,
        form=Form.SHARE, owner="customer service owner", documents="order", level="line", cohort="first promised day",
        dimension="date kept", carries_group=True,
        formula="First promises kept, complete by the promised day, ÷ first promises falling due; unfulfilled is a miss. "
        "After the customer's own amendment the next promise takes the place of the first.",
    ),
    _perfect_order(
        PERFECT_ORDER_RATE, "perfect_order_rate", "Perfect orders",
        "Orders complete, on time, undamaged and with right documents ÷ orders due.", counts_actors=True,
    ),
    _perfect_order(
        PERFECT_ORDER_COMPLETE, "perfect_order_complete", "Perfect orders: complete",
        "Orders delivered (shipped, where a ship day was asked) in full, however late, ÷ orders due.",
    ),
    _perfect_order(
        PERFECT_ORDER_ON_TIME, "perfect_order_on_time", "Perfect orders: on time",
        "Orders of which every line came, and nothing came outside its agreed window, ÷ orders due.",
    ),
    _perfect_order(
        PERFECT_ORDER_UNDAMAGED, "perfect_order_undamaged", "Perfect orders: undamaged",
        "Orders without noted damage ÷ orders due.",
    ),
    _perfect_order(
        PERFECT_ORDER_DOCUMENTS, "perfect_order_documents", "Perfect orders: documents right",
        "Orders whose invoices needed no correction or credit by our fault (undecided is ours) ÷ orders due.",
    ),
    Measure(
        id=ORDER_CYCLE_TIME, key="order_cycle_time", title="Order cycle time", unit=Unit.HOURS, direction=Direction.DOWN,
        form=Form.PERCENTILE, statistics=("p50", "p90", "work.p50", "work.p90"), owner="fulfilment owner",
        documents="order", level="order", cohort="day of the start", wait_point="backlog",
        worked_id=ORDER_CYCLE_TIME_WORKED,
        formula="The order's last shipment − its start, by the clock and in working hours of the site's calendar; start is "
        "max(captured, requested ship − committed lead time). Orders not fully shipped count with their age so far.",
    ),
    Measure(
        id=TOUCHLESS_RATE, key="touchless_rate", title="Touchless orders", unit=Unit.PERCENT, direction=Direction.UP,
        form=Form.YES_NO, owner="process owner", documents="order", level="order", counts_actors=True,
        cohort="requested ship day of the last line",
        formula="Orders shipped without hold, override, edit or re-entry by a person ÷ orders due; unshipped past due is no.",
    ),
    Measure(
        id=ORDER_EXCEPTION_RATE, key="order_exception_rate", title="Orders with exceptions", unit=Unit.PERCENT,
        direction=Direction.DOWN, form=Form.YES_NO, maturity_days=7, owner="process owner", documents="order",
        level="order", cohort="day of capture", dimension="kind", parts=True, counts_actors=True,
        formula="Orders at least once held, blocked, short, split, delayed or damaged ÷ orders captured.",
    ),
    Measure(
        id=BACKLOG_AGE, key="backlog_age", title="Age of the backlog", unit=Unit.HOURS, direction=Direction.DOWN,
        form=Form.STATE, kind=Kind.STATE, statistics=("p50", "p90"), window_days=0, owner="fulfilment owner",
        documents="order", level="order", cohort="orders not fully shipped", wait_point="backlog",
        formula="Now − max(captured, end of the requested ship day), of orders past it that are not fully shipped.",
    ),
    _backorders(
        BACKORDER_AGE, "backorder_age", "Age of backorders", Unit.DAYS,
        "Now − first backordered, of lines that still lack something, each weighed by the value it lacks. A new promise or "
        "another purchase never makes a backorder younger.",
        ("p50", "p90"),
    ),
    _backorders(
        BACKORDER_OVER_7D, "backorder_over_7d", "Backorders over 7 days", Unit.PERCENT,
        "Value first backordered more than 7 days ago and still lacking ÷ value backordered.",
    ),
    _backorders(
        BACKORDER_OVER_30D, "backorder_over_30d", "Backorders over 30 days", Unit.PERCENT,
        "Value first backordered more than 30 days ago and still lacking ÷ value backordered.",
    ),
    Measure(
        id=INVOICE_RIGHT_AT_POSTING, key="invoice_right_at_posting", title="Invoices right at posting",
        unit=Unit.PERCENT, direction=Direction.UP, form=Form.YES_NO, owner="billing owner", documents="invoice",
        level="invoice", cohort="day of posting", counts_actors=True,
        formula="Invoices at order prices, over shipped quantities, with tax determined ÷ invoices posted.",
    ),
    Measure(
        id=INVOICE_ACCURACY, key="invoice_accuracy", title="Invoice accuracy", unit=Unit.PERCENT, direction=Direction.UP,
        form=Form.YES_NO, window_days=28, maturity_days=30, owner="billing owner", documents="invoice", level="invoice",
        cohort="day of posting", carries_group=True,
        formula="Invoices without correction or credit by our fault (undecided is ours) ÷ invoices posted.",
    ),
    Measure(
        id=INVOICE_ACCURACY_VALUE, key="invoice_accuracy_value", title="Invoice accuracy, value", unit=Unit.PERCENT,
        direction=Direction.UP, form=Form.SHARE, window_days=28, maturity_days=30, owner="billing owner",
        documents="invoice", level="value", cohort="day of posting", is_money=True,
        formula="Gross value of invoices without correction or credit by our fault ÷ gross value invoiced.",
    ),
    Measure(
        id=BILLING_CYCLE_TIME, key="billing_cycle_time", title="Billing cycle time", unit=Unit.HOURS,
        direction=Direction.DOWN, form=Form.PERCENTILE, statistics=("p50", "p90"), owner="billing owner",
        documents="invoice", level="invoice", cohort="day of the trigger", dimension="policy",
        wait_point="invoice generation",
        formula="Invoice posted − the trigger of its policy, by the clock; unposted ones count with their age so far.",
    ),
    Measure(
        id=RETURN_CREDIT_TIME, key="return_credit_time", title="Time from return to credit", unit=Unit.DAYS,
        direction=Direction.DOWN, form=Form.PERCENTILE, statistics=("p50", "p90"), window_days=28, owner="returns owner",
        documents="return", level="return", cohort="day of receipt", counts_actors=True, wait_point="credit memo",
        formula="Credit memo posted − return received, by the clock; open ones count with their age so far.",
    ),
    Measure(
        id=INVENTORY_ADJUSTMENT_RATE, key="inventory_adjustment_rate", title="Stock adjusted", unit=Unit.PERCENT,
        direction=Direction.DOWN, form=Form.COMPOSITE, window_days=28, layer=Layer.DATA, owner="inventory owner",
        documents="adjustment", level="value", cohort="day of the adjustment", dimension="reason", parts=True,
        is_money=True, by_channel=False,
        formula="Σ |value of adjustments| ÷ mean of the sampled stock value; reversed pairs are out, and so is what moved "
        "at unknown cost.",
    ),
    Measure(
        id=SILENT_FAILURES, key="silent_failures", title="Silent failures", unit=Unit.COUNT, direction=Direction.DOWN,
        form=Form.STATE, kind=Kind.STATE, window_days=0, owner="control owner", documents="document", level="journey",
        cohort="open documents", dimension="control point",
        formula="Documents that stand at a control point beyond its limit, in working hours of the site; picking ends with the "
        "last collection of a carrier on the day it is due.",
    ),
    Measure(
        id=SILENT_FAILURES_VALUE, key="silent_failures_value", title="Silent failures, value", unit=Unit.MONEY,
        direction=Direction.DOWN, form=Form.STATE, kind=Kind.STATE, window_days=0, owner="control owner",
        documents="document", level="value", cohort="open documents", dimension="control point", is_money=True,
        formula="Value of the documents that stand at a control point beyond its limit.",
    ),
    Measure(
        id=SILENT_FAILURES_PER_1000, key="silent_failures_per_1000", title="Silent failures per 1,000",
        unit=Unit.PERMILLE, direction=Direction.DOWN, form=Form.STATE, kind=Kind.STATE, window_days=0,
        owner="control owner", documents="document", level="journey", cohort="open documents",
        dimension="control point",
        formula="Documents beyond the limit of their control point, per 1,000 that reached it in 28 days.",
    ),
    Measure(
        id=CONTROL_DIFFERENCE, key="control_difference", title="Control differences", unit=Unit.COUNT,
        direction=Direction.ZERO, form=Form.STATE, kind=Kind.STATE, window_days=0, owner="controller",
        documents="control", level="control", cohort="last comparison", dimension="control", by_channel=False,
        formula="Controls whose last comparison differs by more than their own tolerance.",
    ),
    _of_conformance(
        id=CONFORMANCE, key="conformance", title="Conformance", unit=Unit.PERCENT, direction=Direction.UP,
        form=Form.YES_NO, documents="journey", level="journey", cohort="day of the end, else of being overdue",
        dimension="standing", parts=True,
        formula="Journeys that ended without a departure from the standard of their process, or with none that a variant in force "
        "did not cover, ÷ journeys that ended or are older than 95 of 100 of their process; the latter do not conform.",
    ),
    _of_conformance(
        id=UNREGISTERED_DEVIATION_SHARE, key="unregistered_deviation_share", title="Steps off the path, unregistered",
        unit=Unit.PERCENT, direction=Direction.DOWN, form=Form.SHARE, documents="journey", level="step",
        cohort="day of the step", dimension="deviation", parts=True,
        formula="Executed steps that depart from the standard with no variant in force that covers them ÷ executed steps.",
    ),
    _of_conformance(
        id=OFF_STANDARD_SHARE, key="off_standard_share", title="Documents under a variant", unit=Unit.PERCENT,
        direction=Direction.INFO, form=Form.YES_NO, documents="document", level="document",
        cohort="day the rules were stamped", dimension="policy point", parts=True,
        formula="Documents whose rules a variant set in part ÷ documents stamped with rules.",
    ),
    _of_conformance(
        id=VARIANT_EXPIRED_IN_USE, key="variant_expired_in_use", title="Expired variants in use", unit=Unit.COUNT,
        direction=Direction.ZERO, form=Form.COMPOSITE, documents="document", level="document",
        cohort="day the rules were stamped",
        formula="Documents that were stamped with a variant that was not in force at that moment.",
    ),
    _of_registers(
        id=VARIANT_COUNT, key="variant_count", title="Variants in force", direction=Direction.INFO, owner="design authority",
        documents="variant", cohort="variants ever agreed", dimension="kind",
        formula="Variants in force now that hold anywhere in the scope; what became the standard is told apart.",
    ),
    _of_registers(
        id=VARIANT_REVIEWS_OVERDUE, key="variant_reviews_overdue", title="Reviews of variants overdue", direction=Direction.ZERO,
        owner="design authority", documents="variant", cohort="variants in force with a day of review", dimension="kind",
        formula="Variants in force whose day of review is over, by the calendar of where they were asked for.",
    ),
    _of_registers(
        id=DESIGN_QUESTIONS_OPEN, key="design_questions_open", title="Design questions open", direction=Direction.ZERO,
        owner="process owner", documents="question", cohort="questions ever asked", dimension="process",
        formula="Questions of the design that hold anywhere in the scope and have no decision.",
    ),
    _of_registers(
        id=INTERIM_LINKS_OPEN, key="interim_links_open", title="Interim links open", direction=Direction.ZERO,
        layer=Layer.DEPLOYMENT, owner="programme office", documents="interim link", dimension="wave",
        cohort="steps and data of a wave that must have a master",
        formula="Steps of the wave's processes and data these need that nobody masters while the old systems run, or with a temporary "
        "interface that is past its last day or that nobody looks after.",
    ),
    Measure(
        id=APPROVAL_CYCLE_TIME, key="approval_cycle_time", title="Approval cycle time", unit=Unit.HOURS,
        direction=Direction.DOWN, form=Form.PERCENTILE, statistics=("p50", "p90"), owner="programme office",
        documents="approval", level="approval", cohort="day of the request", dimension="kind", by_channel=False,
        source=Source.REGISTER,
        formula="From the request until people approved or rejected, those that wait included; what no person had to decide, was "
        "taken back or overtaken is left out.",
    ),
    *RECEIVABLES,
    *dispute_figures(INVOICE_ACCURACY),
    *CLOSINGS,
)  # fmt: skip

MEASURES: dict[str, Measure] = {measure.key: measure for measure in _ALL}

#: Numbers that buckets also know, so that a database explains itself.
INTERNAL = {
    STOCK_VALUE: "stock_value", HANDLED: "handled", UNVALUED_ADJUSTMENTS: "unvalued_adjustments",
    ORDER_CYCLE_TIME_WORKED: "order_cycle_time.work",
}  # fmt: skip
#: What the name of a statistic in working hours begins with.
WORK = "work."


@dataclass(frozen=True)
class Figure:
    """What a criterion or a page asks for: a measure, and one of its statistics where it has several."""

    measure: Measure
    statistic: str | None

    @property
    def key(self) -> str:
        """``order_cycle_time.p90``."""
        return f"{self.measure.key}.{self.statistic}" if self.statistic else self.measure.key

    @property
    def percentile(self) -> str | None:
        """The statistic by itself, whether by the clock or in working hours: ``p90``."""
        return self.statistic.removeprefix(WORK) if self.statistic else None

    @property
    def is_worked(self) -> bool:
        """Whether it counts working hours."""
        return self.statistic is not None and self.statistic.startswith(WORK)

    @property
    def sketch_id(self) -> int:
        """The number that its times are kept by."""
        return self.measure.worked_id or self.measure.id if self.is_worked else self.measure.id


def find_figure(key: str) -> Figure:
    """The figure behind ``fill_rate_lines``, ``order_cycle_time.p90`` or ``order_cycle_time.work.p90``.

    Raises ``NotFound`` for a measure that is not in the catalogue, or a statistic that it does not have or needs and lacks.
    """
    name, _, statistic = key.partition(".")
    measure = MEASURES.get(name)
    if measure is None or (statistic or None) not in (measure.statistics or (None,)):
        raise NotFound("measure_unknown", measure=key)
    return Figure(measure, statistic or None)


def figures() -> list[Figure]:
    """Every figure there is, in the order of the catalogue."""
    return [Figure(measure, statistic) for measure in _ALL for statistic in measure.statistics or (None,)]
