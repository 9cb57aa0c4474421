"""Does each document stand at the level that its notices say, and is every fee in the books once? Rows of name, unit, title, left, right."""

from __future__ import annotations

DUNNING_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "dunning_levels", "levels", "Level of each document = the steps of its issued notices",
        "SELECT c.entity_id, NULL, s.document_id, s.level FROM dunning_stand s JOIN customer c ON c.id = s.customer_id",
        ("SELECT n.entity_id, NULL, s.document_id, MAX(s.level) FROM dunning_step s JOIN dunning_notice n ON n.id = s.notice_id "
        "WHERE n.state = 'issued' GROUP BY n.entity_id, s.document_id"),
    ),
    (
        "dunning_fees", "minor", "Fees of issued notices = fees posted for them",
        "SELECT entity_id, NULL, id, fee_minor FROM dunning_notice WHERE state = 'issued'",
        ("SELECT e.entity_id, NULL, f.notice_id, l.debit_minor FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
        "JOIN dunning_fee f ON f.id = e.document_id WHERE e.document_type = 'dunning_fee'"),
    ),
    (
        "dunning_fees_settled", "minor", "Settled of dunning fees = what was paid and waived of them, less what went back",
        "SELECT entity_id, NULL, document_id, amount_minor - open_minor FROM receivable WHERE document_type = 'dunning_fee'",
        ("SELECT f.entity_id, NULL, s.fee_id, s.amount_minor FROM dunning_fee_settlement s JOIN dunning_fee f ON f.id = s.fee_id "
        "UNION ALL SELECT f.entity_id, NULL, s.fee_id, -s.amount_minor FROM dunning_fee_reversal s JOIN dunning_fee f ON f.id = s.fee_id"),
    ),
    (
        "dunning_letters", "documents", "A letter for every notice that was issued",
        "SELECT entity_id, NULL, id, 1 FROM dunning_notice WHERE state = 'issued'",
        "SELECT n.entity_id, NULL, l.notice_id, 1 FROM dunning_letter l JOIN dunning_notice n ON n.id = l.notice_id",
    ),
    (
        "events_dunning", "documents", "An event for every notice that was issued",
        "SELECT entity_id, NULL, id, 1 FROM dunning_notice WHERE state = 'issued'",
        "SELECT entity, NULL, subject_id, 1 FROM event_log WHERE type = 'dunning.sent'",
    ),
)  # fmt: skip
