"""Under which rules does a line run? Its order's, unless an approved value named its item group when it was promised."""

from __future__ import annotations

from collections.abc import Mapping

from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import ItemFacts, site_facts
from erpcore.orders.documents import Line, Order
from erpcore.ports import ProcessRules, Ruleset


def line_rules(work: UnitOfWork, rules: ProcessRules, order: Order, line: Line) -> Ruleset:
    """The ruleset that the line is stamped with. Read once per unit of work, whatever the number of lines."""
    return rules.stored(work, line.ruleset or order.ruleset)


def stamp_lines(work: UnitOfWork, rules: ProcessRules, order: Order, known: Mapping[int, ItemFacts]) -> None:
    """Stamp the lines whose item group has rules of its own; the others run under their order's."""
    site = site_facts(work, order.site_id)
    for line in order.lines:
        group = known[line.item_id].group_id
        if group is None:
            continue
        ruleset = rules.resolve_line(
            work, entity=site.entity.live_id, site=site.live_id, channel=order.channel_id,
            customer_group=order.customer_group, item_group=group,
        )  # fmt: skip
        line.ruleset = None if ruleset.hash == order.ruleset else ruleset.hash
