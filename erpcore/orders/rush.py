"""May an order, or some of its lines, be served before the lead time, and what does that cost?

The rules of each line say so. A rush line is promised from what is there as soon as it can leave; the day that the commitment
would have given is kept, so that what was promised can be held against it. Its tasks come first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
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
    declared no charge for it. What is no rush costs no question, and what a quote holds is as it was offered.
    """
    if not any(command.rush or any(line.rush for line in command.lines) for command in commands):
        return commands
    return [_settled(work, command, known, buyers[command.customer], rules) for command in commands]


def judge_rush(rules: Mapping[int, str]) -> tuple[int | None, bool]:
    """Of the ``rush_rule`` of each rush line, by its place: the first that knows no rush, and whether a charge is due."""
    refused = next((place for place, rule in rules.items() if rule == REFUSE), None)
    return refused, WITH_CHARGE in rules.values()


def _settled(
    work: UnitOfWork, command: CaptureOrder, known: dict[int, ItemFacts], buyer: CustomerFacts, rules: ProcessRules
) -> CaptureOrder:
    lines = [
        replace(line, rush=(line.rush or command.rush) and known[line.item].kind == ItemKind.STOCK)
        for line in command.lines
    ]
    site = site_facts(work, command.site)
    # What a quote holds was settled, and its charge offered, when it was written.
    asked = {place: line for place, line in enumerate(lines) if line.rush and line.quoted is None}
    found = {
        place: rules.resolve_line(
            work, entity=site.entity.live_id, site=site.live_id, channel=command.channel, customer_group=buyer.group_id,
            item_group=known[line.item].group_id,
        )["rush_rule"]
        for place, line in asked.items()
    }  # fmt: skip
    refused, costs = judge_rush(found)
    if refused is not None:
        field = "rush" if command.rush else f"lines-{refused}-rush"
        raise RuleBroken("rush_refused", field=field, item=known[lines[refused].item].code, line=(refused + 1) * 10)
    if costs:
        charge = rush_charge(work, site.entity.id)
        if charge is None:
            raise RuleBroken("rush_charge_missing", field="rush", entity=site.entity.code)
        known |= items(work, {charge})
        if all(line.item != charge for line in lines):
            day = _first_wish(command, lines)
            lines.append(NewLine(item=charge, quantity=Decimal(1), is_rush_charge=True, requested_on=day))
    return replace(command, lines=lines)


def _first_wish(command: CaptureOrder, lines: Sequence[NewLine]) -> date | None:
    """The day for which the first of the rush lines is wanted, since the charge leaves with it; ``None``: as early as can be."""
    wishes = [line.requested_on or command.requested_on for line in lines if line.rush]
    return None if None in wishes else min(day for day in wishes if day is not None)
