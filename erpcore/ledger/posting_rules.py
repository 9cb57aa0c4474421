"""Which rules post to the books: called by which fact, debiting and crediting which accounts?

Posting refuses what no row of this table allows, so the table that people read is the one the books are kept by.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from erpcore.kernel.errors import RuleBroken
from erpcore.ledger.kinds import JournalKind
from erpcore.ledger.models import AccountRole
from erpcore.ledger.rule_shape import PostingRule, credit, debit


def _stock(name: str, contra: AccountRole, event: str, when: str) -> PostingRule:
    """A rule of stock that came or, turned round, left."""
    sides = (debit(AccountRole.INVENTORY, may_turn=True), credit(contra, may_turn=True))
    return PostingRule(name=name, document="stock_move", journal=JournalKind.STOCK, event=event, sides=sides, when=when)


def _accrual(
    name: str, journal: JournalKind, debits: Sequence[AccountRole], credits_: Sequence[AccountRole], when: str
) -> Iterable[PostingRule]:
    """A rule for the last day of a period, and the one that turns it back on the day after. A later run posts what it found
    otherwise, so every side may turn.
    """
    for back, said in (
        ("", when),
        ("_back", f"The first day of the next period turns it back: {when[0].lower()}{when[1:]}"),
    ):
        first, second = (debits, credits_) if not back else (credits_, debits)
        sides = (*(debit(role, may_turn=True) for role in first), *(credit(role, may_turn=True) for role in second))
        yield PostingRule(
            name=f"{name}{back}", document="accrual", journal=journal, event="accruals.posted", sides=sides, when=said
        )


_R = AccountRole
_ACCRUALS: tuple[PostingRule, ...] = (
    *_accrual(
        "unbilled_revenue", JournalKind.SALES, (_R.UNBILLED,), (_R.REVENUE, _R.CHARGES),
        "Control of the goods has passed by the order’s terms, and no invoice of the period bills them.",
    ),
    *_accrual(
        "deferred_revenue", JournalKind.SALES, (_R.REVENUE, _R.CHARGES), (_R.DEFERRED,),
        "An invoice of the period bills what the customer does not control yet by the order’s terms.",
    ),
    *_accrual(
        "cost_on_the_way", JournalKind.STOCK, (_R.ON_THE_WAY,), (_R.COST_OF_SALES,),
        "Goods have left and the customer does not control them yet: their cost waits for their revenue.",
    ),
    *_accrual(
        "freight_accrued", JournalKind.STOCK, (_R.FREIGHT,), (_R.FREIGHT_ACCRUED,),
        "A shipment has left and its carrier has not billed it.",
    ),
    *_accrual(
        "refunds_expected", JournalKind.SALES, (_R.REVENUE,), (_R.REFUNDS_EXPECTED,),
        "So much of what was sold is expected back, at the rate of the channel’s last year.",
    ),
    *_accrual(
        "returns_expected", JournalKind.STOCK, (_R.RETURNS_EXPECTED,), (_R.COST_OF_SALES,),
        "What is expected back and can be sold again is worth its cost.",
    ),
)  # fmt: skip

_KEPT_BY_PARTNERS = (
    AccountRole.PARTNER_FEES, AccountRole.PARTNER_FEE_TAX, AccountRole.PARTNER_RESERVE, AccountRole.PARTNER_TAX,
    AccountRole.PARTNER_DIFFERENCE,
)  # fmt: skip

POSTING_RULES: tuple[PostingRule, ...] = (
    PostingRule(
        name="invoice", document="invoice", journal=JournalKind.SALES, event="invoice.posted",
        when="An invoice is posted: the customer owes goods, charges and tax.",
        sides=(
            debit(AccountRole.RECEIVABLE), credit(AccountRole.REVENUE, may_turn=True),
            credit(AccountRole.CHARGES, may_turn=True), credit(AccountRole.TAX),
        ),
    ),
    PostingRule(
        name="credit_memo", document="credit_memo", journal=JournalKind.SALES, event="credit_memo.posted",
        when="A credit memo is posted: what it gives back of goods, charges and tax, and the fee that is kept for restocking.",
        sides=(
            debit(AccountRole.REVENUE, may_turn=True), debit(AccountRole.CHARGES, may_turn=True), debit(AccountRole.TAX),
            credit(AccountRole.RESTOCKING), credit(AccountRole.RECEIVABLE),
        ),
    ),
    PostingRule(
        name="rebate_accrued", document="rebate_posting", journal=JournalKind.SALES, event="rebate.accrued",
        when="An invoice line counts for a rebate agreement, or what it counted comes back; a tier that is crossed trues up.",
        sides=(debit(AccountRole.REBATES, may_turn=True), credit(AccountRole.REBATES_ACCRUED, may_turn=True)),
    ),
    PostingRule(
        name="rebate_settled", document="credit_memo", journal=JournalKind.SALES, event="rebate.settled",
        when="A credit memo gives an accrued rebate back, with the tax of what was bought.",
        sides=(debit(AccountRole.REBATES_ACCRUED), debit(AccountRole.TAX), credit(AccountRole.RECEIVABLE)),
    ),
    PostingRule(
        name="rebate_difference", document="rebate_settlement", journal=JournalKind.SALES, event="rebate.settled",
        when="An agreement is settled for good: what was accrued in vain is no expense, what was not accrued is one.",
        sides=(debit(AccountRole.REBATES, may_turn=True), credit(AccountRole.REBATES_ACCRUED, may_turn=True)),
    ),
    PostingRule(
        name="bad_debt", document="debt_journal", journal=JournalKind.SALES, event="debt.written_off",
        when="A debt is given up, or, turned round, taken on again.",
        sides=(debit(AccountRole.BAD_DEBT, may_turn=True), credit(AccountRole.RECEIVABLE, may_turn=True)),
    ),
    PostingRule(
        name="receipt", document="receipt", journal=JournalKind.CASH, event="cash.received",
        when="Money comes in; it stands on account until it is applied.",
        sides=(
            debit(AccountRole.BANK), debit(AccountRole.BANK_FEES), debit(AccountRole.CURRENCY_DIFFERENCE, may_turn=True),
            credit(AccountRole.ON_ACCOUNT),
        ),
    ),
    PostingRule(
        name="bank_line", document="bank_line", journal=JournalKind.CASH, event="bank_statement.accepted",
        when="An entry of a bank statement is in the books before anybody has said what it is.",
        sides=(debit(AccountRole.BANK, may_turn=True), credit(AccountRole.BANK_CLEARING, may_turn=True)),
    ),
    PostingRule(
        name="bank_fee", document="bank_line", journal=JournalKind.CASH, event="bank_line.assigned",
        when="An entry of a bank statement is what the bank charges.",
        sides=(debit(AccountRole.BANK_FEES), credit(AccountRole.BANK_CLEARING)),
    ),
    PostingRule(
        name="receipt_known", document="bank_line", journal=JournalKind.CASH, event="bank_line.assigned",
        when="An entry of a bank statement is the money of a receipt that somebody had written down before: it is in the bank once.",
        sides=(debit(AccountRole.BANK_CLEARING), debit(AccountRole.BANK_FEES), credit(AccountRole.BANK)),
    ),
    PostingRule(
        name="receipt_from_bank", document="receipt", journal=JournalKind.CASH, event="cash.received",
        when="An entry of a bank statement is found to be a customer's; it stands on account until it is applied.",
        sides=(
            debit(AccountRole.BANK_CLEARING), debit(AccountRole.BANK_FEES),
            debit(AccountRole.CURRENCY_DIFFERENCE, may_turn=True), credit(AccountRole.ON_ACCOUNT),
        ),
    ),
    PostingRule(
        name="receipt_returned_by_bank", document="receipt_return", journal=JournalKind.CASH, event="cash.returned",
        when="An entry of a bank statement takes money of a receipt back.",
        sides=(debit(AccountRole.ON_ACCOUNT), debit(AccountRole.BANK_FEES), credit(AccountRole.BANK_CLEARING)),
    ),
    PostingRule(
        name="receipt_returned", document="receipt_return", journal=JournalKind.CASH, event="cash.returned",
        when="The bank takes money of a receipt back, and what it charges for that.",
        sides=(debit(AccountRole.ON_ACCOUNT), debit(AccountRole.BANK_FEES), credit(AccountRole.BANK)),
    ),
    PostingRule(
        name="receipt_from_partner", document="receipt", journal=JournalKind.CASH, event="cash.received",
        when="A partner reports with its payout what a customer paid; it stands on account until it is applied.",
        sides=(debit(AccountRole.PARTNER), credit(AccountRole.ON_ACCOUNT)),
    ),
    PostingRule(
        name="receipt_returned_by_partner", document="receipt_return", journal=JournalKind.CASH, event="cash.returned",
        when="A partner gave a customer money of a receipt back, or a payout is reversed.",
        sides=(debit(AccountRole.ON_ACCOUNT), credit(AccountRole.PARTNER)),
    ),
    PostingRule(
        name="payout", document="payout_posting", journal=JournalKind.CASH, event="settlement.posted",
        when="A payout is posted: fees, reserves and taxes that the partner kept of what it owes, and what is not explained.",
        sides=(
            *(debit(role, may_turn=True) for role in _KEPT_BY_PARTNERS), credit(AccountRole.PARTNER, may_turn=True),
        ),
    ),
    PostingRule(
        name="payout_reversed", document="payout_posting", journal=JournalKind.CASH, event="settlement.reversed",
        when="A payout is taken out of the books again; it waits as before.",
        sides=(
            debit(AccountRole.PARTNER, may_turn=True), *(credit(role, may_turn=True) for role in _KEPT_BY_PARTNERS),
        ),
    ),
    PostingRule(
        name="payout_accepted", document="payout_explanation", journal=JournalKind.CASH, event="settlement.explained",
        when="What was not explained of a payout is accepted by authority, with a reason, as a fee of the partner.",
        sides=(
            debit(AccountRole.PARTNER_FEES, may_turn=True), credit(AccountRole.PARTNER_DIFFERENCE, may_turn=True),
        ),
    ),
    PostingRule(
        name="payout_paid", document="bank_line", journal=JournalKind.CASH, event="bank_line.assigned",
        when="An entry of a bank statement is the money of a payout.",
        sides=(
            debit(AccountRole.BANK_CLEARING, may_turn=True), credit(AccountRole.PARTNER, may_turn=True),
        ),
    ),
    PostingRule(
        name="application", document="application", journal=JournalKind.CASH, event="cash.applied",
        when="A receipt settles so much of an invoice.",
        sides=(debit(AccountRole.ON_ACCOUNT), credit(AccountRole.RECEIVABLE)),
    ),
    PostingRule(
        name="application_reversed", document="application", journal=JournalKind.CASH, event="cash.unapplied",
        when="What a receipt settled is open again, and the money on account.",
        sides=(debit(AccountRole.RECEIVABLE), credit(AccountRole.ON_ACCOUNT)),
    ),
    PostingRule(
        name="dunning_fee", document="dunning_fee", journal=JournalKind.SALES, event="dunning.sent",
        when="A notice asks for what is overdue and costs the customer a fee.",
        sides=(debit(AccountRole.RECEIVABLE), credit(AccountRole.CHARGES)),
    ),
    PostingRule(
        name="fee_paid", document="fee_settlement", journal=JournalKind.CASH, event="cash.applied",
        when="A receipt settles so much of a dunning fee.",
        sides=(debit(AccountRole.ON_ACCOUNT), credit(AccountRole.RECEIVABLE)),
    ),
    PostingRule(
        name="fee_reopened", document="fee_settlement", journal=JournalKind.CASH, event="cash.returned",
        when="The receipt that paid a dunning fee went back, so the fee is open again.",
        sides=(debit(AccountRole.RECEIVABLE), credit(AccountRole.ON_ACCOUNT)),
    ),
    PostingRule(
        name="fee_waived", document="fee_settlement", journal=JournalKind.SALES, event="dunning.sent",
        when="A dunning fee is given up by authority, with a reason.",
        sides=(debit(AccountRole.CHARGES), credit(AccountRole.RECEIVABLE)),
    ),
    PostingRule(
        name="cost_of_sales", document="shipment", journal=JournalKind.STOCK, event="shipment.confirmed",
        when="Goods leave stock with a shipment, at what they cost.",
        sides=(debit(AccountRole.COST_OF_SALES), credit(AccountRole.INVENTORY)),
    ),
    PostingRule(
        name="direct_cost", document="shipment", journal=JournalKind.STOCK, event="shipment.confirmed",
        when="A supplier delivered straight to the customer, at the price of the purchase order.",
        sides=(debit(AccountRole.COST_OF_SALES), credit(AccountRole.RECEIVED_NOT_INVOICED)),
    ),
    PostingRule(
        name="returned_to_stock", document="return", journal=JournalKind.STOCK, event="return.inspected",
        when="Returned goods go back to stock, to be sold or set apart, at what they cost when they left.",
        sides=(debit(AccountRole.INVENTORY), credit(AccountRole.COST_OF_SALES)),
    ),
    PostingRule(
        name="returned_to_supplier", document="supplier_return", journal=JournalKind.STOCK, event="supplier_return.sent",
        when="Returned goods leave for their supplier, who owes what it asks for them; what they were worth otherwise is an adjustment.",
        sides=(
            debit(AccountRole.SUPPLIER_CLAIMS), credit(AccountRole.INVENTORY), credit(AccountRole.ADJUSTMENT, may_turn=True),
        ),
    ),
    PostingRule(
        name="supplier_credit", document="supplier_claim", journal=JournalKind.STOCK, event="supplier_claim.settled",
        when="A supplier's credit note for goods sent back is entered, or taken back: it is set against what the supplier is paid.",
        sides=(debit(AccountRole.SUPPLIER_CREDITS, may_turn=True), credit(AccountRole.SUPPLIER_CLAIMS, may_turn=True)),
    ),
    PostingRule(
        name="supplier_difference", document="supplier_claim", journal=JournalKind.STOCK, event="supplier_claim.settled",
        when="What a supplier does not credit, or credits beyond what was expected, is accepted; or that is taken back.",
        sides=(debit(AccountRole.ADJUSTMENT, may_turn=True), credit(AccountRole.SUPPLIER_CLAIMS, may_turn=True)),
    ),
    _stock("opening", AccountRole.OPENING, "stock.moved", "Stock is taken over at the start of a site."),
    _stock("receipt", AccountRole.RECEIVED_NOT_INVOICED, "stock.moved", "Goods come from a supplier who has not sent the invoice."),
    _stock("adjustment", AccountRole.ADJUSTMENT, "stock.adjusted", "Stock is found, lost or damaged."),
    _stock("count", AccountRole.ADJUSTMENT, "stock.adjusted", "A count found more or less than the books say."),
    _stock("reversal", AccountRole.ADJUSTMENT, "stock.adjustment_reversed", "A mistaken adjustment is taken back."),
    _stock("transfer", AccountRole.TRANSFER, "stock.moved", "Goods leave one site for another, and arrive there."),
    *_ACCRUALS,
    PostingRule(
        name="freight_billed", document="carrier_bill_line", journal=JournalKind.STOCK, event="carrier_bill.posted",
        when="A carrier’s bill is approved: what a line of it asks is owed. From then on the shipment is no longer accrued.",
        sides=(
            debit(_R.FREIGHT, may_turn=True), debit(_R.INPUT_TAX, may_turn=True), credit(_R.PAYABLE, may_turn=True),
        ),
    ),
    PostingRule(
        name="freight_unbilled", document="carrier_bill_line", journal=JournalKind.STOCK, event="carrier_bill.reversed",
        when="A carrier’s bill is taken out of the books again: its shipments are as if nobody had billed them.",
        sides=(
            debit(_R.PAYABLE, may_turn=True), credit(_R.FREIGHT, may_turn=True), credit(_R.INPUT_TAX, may_turn=True),
        ),
    ),
    PostingRule(
        name="transfer_difference", document="transfer", journal=JournalKind.STOCK, event="stock.transfer_shipped",
        when="Goods come to a site that values at standard cost, from one that valued them otherwise.",
        sides=(debit(AccountRole.ADJUSTMENT, may_turn=True), credit(AccountRole.TRANSFER, may_turn=True)),
    ),
    PostingRule(
        name="sister_sale", document="sister_document", journal=JournalKind.SALES, event="stock.transfer_shipped",
        when="Goods leave for another company of ours, at the transfer price; a reversal turns it back.",
        sides=(debit(AccountRole.SISTER_RECEIVABLE, may_turn=True), credit(AccountRole.SISTER_REVENUE, may_turn=True)),
    ),
    PostingRule(
        name="sister_cost", document="sister_document", journal=JournalKind.STOCK, event="stock.transfer_shipped",
        when="What those goods cost the company that sends them.",
        sides=(debit(AccountRole.SISTER_COST, may_turn=True), credit(AccountRole.INVENTORY, may_turn=True)),
    ),
    PostingRule(
        name="sister_purchase", document="sister_document", journal=JournalKind.STOCK, event="stock.transfer_shipped",
        when="Goods are on their way from another company of ours; where they are valued at standard cost, the difference from the "
        "transfer price is a stock adjustment.",
        sides=(
            debit(AccountRole.INVENTORY, may_turn=True), debit(AccountRole.ADJUSTMENT, may_turn=True),
            credit(AccountRole.SISTER_PAYABLE, may_turn=True),
        ),
    ),
    PostingRule(
        name="late_cost", document="late_cost", journal=JournalKind.STOCK, event="late_cost.added",
        when="Freight, duty or a dearer invoice comes after the goods: on those still here, the rest is cost of sales of that day.",
        sides=(
            debit(AccountRole.INVENTORY, may_turn=True), debit(AccountRole.COST_OF_SALES, may_turn=True),
            credit(AccountRole.RECEIVED_NOT_INVOICED, may_turn=True),
        ),
    ),
    PostingRule(
        name="revaluation", document="costing", journal=JournalKind.STOCK, event="costing.chosen",
        when="A site values its stock by another method from now on.",
        sides=(debit(AccountRole.INVENTORY, may_turn=True), credit(AccountRole.ADJUSTMENT, may_turn=True)),
    ),
    PostingRule(
        name="manual_journal", document="journal", journal=JournalKind.MANUAL, event="journal.posted", sides=(), is_free=True,
        when="A journal is written by one person, approved by another and posted; never to an account of control.",
    ),
)  # fmt: skip

#: Accounts that a sub-ledger stands behind: a posting by hand would take them apart from it.
CONTROL_ROLES = frozenset(
    {
        AccountRole.RECEIVABLE, AccountRole.INVENTORY, AccountRole.TRANSFER, AccountRole.RECEIVED_NOT_INVOICED,
        AccountRole.ON_ACCOUNT, AccountRole.BANK_CLEARING, AccountRole.UNBILLED, AccountRole.DEFERRED, AccountRole.ON_THE_WAY,
        AccountRole.FREIGHT_ACCRUED, AccountRole.REFUNDS_EXPECTED, AccountRole.RETURNS_EXPECTED, AccountRole.REBATES_ACCRUED,
        AccountRole.PARTNER, AccountRole.PARTNER_RESERVE, AccountRole.PARTNER_DIFFERENCE, AccountRole.SUPPLIER_CLAIMS,
        AccountRole.PAYABLE, AccountRole.INPUT_TAX,
        AccountRole.SISTER_RECEIVABLE, AccountRole.SISTER_PAYABLE,
    }
)  # fmt: skip

_BY_NAME = {(rule.document, rule.name): rule for rule in POSTING_RULES}
_SIDES = {key: {side.role: side for side in rule.sides} for key, rule in _BY_NAME.items()}


def rule_of(document: str, name: str) -> PostingRule:
    """The rule that posts this for documents of that type; raises ``RuleBroken("posting_rule_unknown")``."""
    rule = _BY_NAME.get((document, name))
    if rule is None:
        raise RuleBroken("posting_rule_unknown", rule=name, document=document)
    return rule


def contra_of(document: str, name: str, role: AccountRole) -> AccountRole:
    """The other account of a rule that has two."""
    (other,) = (side.role for side in rule_of(document, name).sides if side.role != role)
    return other


def require_side(document: str, name: str, role: AccountRole | None, amount: int) -> None:
    """Raise ``RuleBroken("posting_rule_broken")`` unless the rule lets this account be debited (or credited) so."""
    if _BY_NAME[document, name].is_free and role not in CONTROL_ROLES:
        return
    if role is None:
        raise RuleBroken("posting_rule_broken", rule=name, document=document, role="none", side="debit")
    side = _SIDES[document, name].get(role)
    if side is None or not side.takes(amount):
        raise RuleBroken(
            "posting_rule_broken", rule=name, document=document, role=role, side="debit" if amount > 0 else "credit"
        )
