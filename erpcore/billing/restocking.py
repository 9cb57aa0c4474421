"""What of a return's credit is kept for restocking? A share of its net, by rate of tax, where the policy of the return says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from erpcore.billing.services import scaled_posted
from erpcore.fulfilment.return_policy import judged
from erpcore.fulfilment.return_records import ReturnRow
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import ensure_account
from erpcore.masterdata.charges import restocking_charge


class Credited(NamedTuple):
    """So much of an item given back in money; ``is_fee``: so much is kept of it."""

    item: int
    order_line: int | None
    is_charge: bool
    quantity: int
    unit_price: int
    amount: int
    net: int
    tax_rate: int | None
    tax_rule: int | None = None
    tax_exemption: int | None = None
    invoice: int | None = None
    is_fee: bool = False


def fees_of(work: UnitOfWork, row: ReturnRow, lines: Sequence[Credited]) -> list[Credited]:
    """A line of the fee for each tax that the goods of the return were sold with; charges are given back whole."""
    policy = judged(row.judged)
    if policy is None or not policy.fee:
        return []
    goods: dict[tuple[int | None, int | None, int | None], int] = defaultdict(int)
    for line in lines:
        if not line.is_charge:
            goods[line.tax_rate, line.tax_rule, line.tax_exemption] += line.net
    out = []
    for (rate, rule, exemption), net in goods.items():
        # Half up, like every amount.
        fee = (2 * net * policy.fee + 1000) // 2000
        if fee > 0:
            ensure_account(work, row.entity_id, AccountRole.RESTOCKING)
            price = scaled_posted(fee, row.currency)
            out.append(
                Credited(
                    item=restocking_charge(work, row.entity_id), order_line=None, is_charge=True, quantity=-(10**QUANTITY_PLACES),
                    unit_price=price, amount=-price, net=-fee, tax_rate=rate, tax_rule=rule, tax_exemption=exemption, is_fee=True,
                )
            )  # fmt: skip
    return out
