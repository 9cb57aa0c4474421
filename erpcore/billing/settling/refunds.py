"""Out of which receipts does refunded money go, and what settles their invoices then?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from erpcore.billing.settling.rules import Part
from erpcore.kernel.errors import Conflict


class Standing(NamedTuple):
    """So much of a receipt settles an invoice."""

    application: int
    receipt: int
    invoice: int
    minor: int


class Credited(NamedTuple):
    """So much of a credit memo takes the place of a receipt's money."""

    credit: int
    invoice: int
    receipt: int
    minor: int


@dataclass(slots=True)
class RefundPlan:
    """Applications that are taken back whole, what goes back of each receipt, the credits that take its place, and what of the receipts
    is applied again.
    """

    unapplied: list[int] = field(default_factory=list)
    returned: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    credited: list[Credited] = field(default_factory=list)
    applied: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))


def plan_refunds(parts: Sequence[Part], standing: Sequence[Standing]) -> RefundPlan:
    """Refunds of invoices out of what stands for them, in the order given. Raises ``Conflict`` where it is less than is refunded."""
    plan, left = RefundPlan(), {one.application: one.minor for one in standing}
    touched: dict[int, Standing] = {}
    for part in parts:
        rest = part.minor
        for one in standing:
            minor = min(rest, left[one.application]) if one.invoice == part.invoice else 0
            if minor <= 0 or part.credit is None:
                continue
            touched[one.application] = one
            left[one.application] -= minor
            plan.returned[one.receipt] += minor
            plan.credited.append(Credited(part.credit, part.invoice, one.receipt, minor))
            rest -= minor
        if rest:
            raise Conflict("changed_meanwhile")
    plan.unapplied = sorted(touched)
    for key in plan.unapplied:
        if left[key]:
            plan.applied[touched[key].receipt, touched[key].invoice] += left[key]
    return plan
