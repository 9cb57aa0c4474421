"""What would staged changes do to the order, its promises, its customer's credit and the stock that it holds?

They are made in a trial that is taken back, so what is foreseen is what applying them would do at that moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from erpcore.credit.services import lock_exposures
from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers
from erpcore.orders.documents import Line, Order
from erpcore.orders.exposure import count_exposure, releasable_value
from erpcore.orders.models import OrderHold, OrderState
from erpcore.orders.releasing import release_findings
from erpcore.ports import ProcessRules
from erpcore.published import LineQuantity


class Foresight:
    """Takes down what an order is before something is done to it, and then what has become of it."""

    def __init__(self, work: UnitOfWork, order: Order, rules: ProcessRules) -> None:
        self._work, self._order, self._rules = work, order, rules
        self._value, self._state = order.value_minor, order.state
        self._lines = {line.id: _facts(line) for line in order.lines}
        self._exposure = self._owed()
        self.content = "{}"

    def _owed(self) -> int:
        """The customer's exposure with this order in it, released or not."""
        count_exposure(self._work)
        order = self._order
        owed = lock_exposures(self._work, {order.customer_id: order.entity_id})[order.customer_id]
        return owed + (0 if order.state == OrderState.RELEASED else releasable_value(order))

    def take_down(self, freed: Mapping[str, int], taken_back: Sequence[LineQuantity]) -> None:
        """Compare the order with what it was; the facts are in ``content`` as JSON."""
        order, work = self._order, self._work
        placed: dict[Any, OrderHold] = work.memo.get("new_holds", {})
        waits = [] if order.state == OrderState.RELEASED else release_findings(work, order, rules=self._rules)
        back = {part.line for part in taken_back}
        changed = [line for line in order.lines if _facts(line) != self._lines.get(line.id) or line.id in back]
        self.content = canonical_json(
            {
                "value": [self._value, order.value_minor],
                "state": [self._state, order.state],
                "exposure": [self._exposure, self._owed()],
                "limit": customers(work, {order.customer_id})[order.customer_id].credit_limit_minor,
                "holds": [[hold.kind, hold.reason] for hold in placed.values()],
                "on_release": [[kind, reason] for kind, reason, _ in waits],
                "lines": [self._line(line, freed) for line in changed],
            }
        ).decode()

    def _line(self, line: Line, freed: Mapping[str, int]) -> dict[str, Any]:
        before, now = self._lines.get(line.id, {}), _facts(line)
        known = line.id in self._lines
        return {
            "line": line.line_no if known else None, "item": line.item_id, "reason": line.promise_reason,
            "price": line.unit_price, "freed": freed.get(str(line.id), 0), "open": max(0, line.unallocated),
            **{name: [before.get(name), value] for name, value in now.items()},
        }  # fmt: skip


def _facts(line: Line) -> dict[str, Any]:
    left = line.quantity - line.cancelled
    return {"quantity": left, "value": line.value_minor, "requested": line.requested_on, "promised": line.promised_on,
        "ship_to": line.ship_to_id,
    }  # fmt: skip
