"""May an order, or some of its lines, be served before the lead time, and what does that cost?

The rules of each line say so. A rush line is promised from what is there as soon as it can leave; the day that the commitment
would have given is kept, so that what was promised can be held against it. Its tasks come first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.charges import rush_charge
from erpcore.masterdata.models import ItemKind
from erpcore.masterdata.queries import CustomerFacts, ItemFacts, items, site_facts
from erpcore.orders.commands import CaptureOrder, NewLine
from erpcore.ports import ProcessRules

REFUSE, ALLOW, WITH_CHARGE = "refuse", "allow", "allow_with_charge"


def settle_rush(
    work: UnitOfWork,
    commands: Sequence[CaptureOrder],
    known: dict[int, ItemFacts],
    buyers: Mapping[int, CustomerFacts],
    rules: ProcessRules,
) -> Sequence[CaptureOrder]:
    """The orders with the lines that are rush marked as such, and with the charge that it costs, once an order.

    Raises ``RuleBroken("rush_refused")`` at the line whose rule knows no rush, ``rush_charge_missing`` where the company has
    declared no charge for it. What is no rush costs no question.
    """
    if not any(command.rush or any(line.rush for line in command.lines) for command in commands):
        return commands
    return [_settled(work, command, known, buyers[command.customer], rules) for command in commands]


def _settled(
    work: UnitOfWork, command: CaptureOrder, known: dict[int, ItemFacts], buyer: CustomerFacts, rules: ProcessRules
) -> CaptureOrder:
    lines = [
        replace(line, rush=(line.rush or command.rush) and known[line.item].kind == ItemKind.STOCK)
        for line in command.lines
    ]
    site = site_facts(work, command.site)
    costs = False
    for number, line in enumerate(lines):
        if not line.rush:
            continue
        item = known[line.item]
        ruleset = rules.resolve_line(
            work, entity=site.entity.live_id, site=site.live_id, channel=command.channel, customer_group=buyer.group_id,
            item_group=item.group_id,
        )  # fmt: skip
        rule = ruleset["rush_rule"]
        if rule == REFUSE:
            field = "rush" if command.rush else f"lines-{number}-rush"
            raise RuleBroken("rush_refused", field=field, item=item.code, line=(number + 1) * 10)
        costs = costs or rule == WITH_CHARGE
    if costs:
        charge = rush_charge(work, site.entity.id)
        if charge is None:
            raise RuleBroken("rush_charge_missing", field="rush", entity=site.entity.code)
        known |= items(work, {charge})
        if all(line.item != charge for line in lines):
            lines.append(NewLine(item=charge, quantity=Decimal(1), is_rush_charge=True))
    return replace(command, lines=lines)
