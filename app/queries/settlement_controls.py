"""Is what partners owe, hold and cannot explain the same by their payouts and by the ledger?"""

from __future__ import annotations

_POSTED = "JOIN settlement_payout p ON p.id = l.payout_id WHERE p.state = 'posted'"


def _ledger(role: str) -> str:
    return (
        "SELECT e.entity_id, NULL, 0, l.debit_minor - l.credit_minor FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
        f"JOIN ledger_account a ON a.id = l.account_id WHERE a.role = '{role}'"
    )


SETTLEMENT_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "settlement_owed", "minor", "Payouts that the bank has not brought = account of what partners pay",
        "SELECT entity_id, NULL, 0, transfer_minor - paid_minor FROM settlement_payout WHERE state = 'posted'",
        _ledger("partner"),
    ),
    (
        "settlement_reserve", "minor", "Reserves held and not released = account of reserves",
        (f"SELECT l.entity_id, NULL, 0, l.unexplained_minor - l.amount_minor FROM settlement_line l {_POSTED} "
        "AND l.kind IN ('reserve_held', 'reserve_released')"),
        _ledger("partner_reserve"),
    ),
    (
        "settlement_differences", "minor", "Not explained of payouts = account of payouts not explained",
        f"SELECT l.entity_id, NULL, 0, -l.open_minor FROM settlement_line l {_POSTED}",
        _ledger("partner_difference"),
    ),
    (
        "settlement_sums", "minor", "What payouts pay = the sum of their lines",
        "SELECT entity_id, NULL, id, transfer_minor FROM settlement_payout WHERE state <> 'refused'",
        ("SELECT l.entity_id, NULL, l.payout_id, l.amount_minor FROM settlement_line l JOIN settlement_payout p ON p.id = l.payout_id "
        "WHERE p.state <> 'refused' AND l.kind <> 'transfer'"),
    ),
    (
        "settlement_paid", "minor", "Paid of payouts = entries of the bank set against them",
        "SELECT entity_id, NULL, id, paid_minor FROM settlement_payout",
        "SELECT entity_id, NULL, payout_id, amount_minor FROM bank_line WHERE outcome = 'payout'",
    ),
    (
        "settlement_explained", "minor", "Settled of what was not explained = what people said of it",
        "SELECT entity_id, NULL, id, unexplained_minor - open_minor FROM settlement_line",
        ("SELECT l.entity_id, NULL, e.line_id, e.amount_minor FROM settlement_explanation e "
        "JOIN settlement_line l ON l.id = e.line_id"),
    ),
)  # fmt: skip
