"""Is every difference somebody's, and no more than its invoice has open? Rows of name, unit, title, left, right."""

from __future__ import annotations

DISPUTE_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "disputes_open", "minor", "Open of deductions and disputes = raised of them less what their steps took",
        "SELECT entity_id, site_id, id, open_minor FROM dispute",
        "SELECT d.entity_id, d.site_id, s.dispute_id, s.amount_minor FROM dispute_step s JOIN dispute d ON d.id = s.dispute_id",
    ),
    (
        "disputes_receivable", "minor", "Deducted and disputed of invoices = that much of their receivables is open",
        "SELECT entity_id, NULL, invoice_id, SUM(open_minor) FROM dispute WHERE open_minor > 0 GROUP BY entity_id, invoice_id",
        ("SELECT r.entity_id, NULL, r.document_id, CASE WHEN r.open_minor < d.minor THEN r.open_minor ELSE d.minor END FROM receivable r "
        "JOIN (SELECT invoice_id, SUM(open_minor) AS minor FROM dispute WHERE open_minor > 0 GROUP BY invoice_id) d "
        "ON d.invoice_id = r.document_id"),
    ),
    (
        "disputes_owned", "documents", "Open deductions and disputes = those that somebody owns until a day",
        "SELECT entity_id, site_id, id, 1 FROM dispute WHERE open_minor > 0",
        ("SELECT d.entity_id, d.site_id, d.id, 1 FROM dispute d WHERE d.open_minor > 0 AND d.due_on IS NOT NULL AND (d.owner_role <> '' "
        "OR EXISTS (SELECT 1 FROM account a WHERE a.id = d.owner_id AND a.closed_at IS NULL))"),
    ),
    (
        "disputes_credited", "minor", "Credited and given up of disputes = credits set against their invoices for it",
        ("SELECT d.entity_id, NULL, s.document_id, -s.amount_minor FROM dispute_step s JOIN dispute d ON d.id = s.dispute_id "
        "WHERE s.document_id IS NOT NULL"),
        ("SELECT i.entity_id, NULL, a.credit_id, a.amount_minor FROM credit_application a JOIN invoice i ON i.id = a.invoice_id "
        "WHERE a.reverses_id IS NULL AND a.credit_id IN (SELECT document_id FROM dispute_step WHERE document_id IS NOT NULL) "
        "AND a.id = (SELECT MIN(b.id) FROM credit_application b WHERE b.credit_id = a.credit_id)"),
    ),
    (
        "events_disputes", "documents", "An event for every deduction, and for every dispute that is over",
        ("SELECT entity_id, NULL, id, 1 FROM dispute WHERE kind = 'deduction' "
        "UNION ALL SELECT entity_id, NULL, -id, 1 FROM dispute WHERE open_minor = 0"),
        ("SELECT entity, NULL, subject_id, 1 FROM event_log WHERE type = 'deduction.raised' "
        "UNION ALL SELECT entity, NULL, -subject_id, 1 FROM event_log WHERE type = 'dispute.resolved'"),
    ),
)  # fmt: skip
