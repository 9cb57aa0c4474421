"""Has every stage gate released the money it should, once, and nothing else any? Rows of name, unit, title, left, right."""

from __future__ import annotations

PROGRAMME_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "tranches_released", "tranches", "Tranches released = those of phases that an approved request closed",
        "SELECT NULL, NULL, tranche_id || ':' || request_id, 1 FROM tranche_release",
        ("SELECT NULL, NULL, t.id || ':' || p.request_id, 1 FROM tranche t JOIN roadmap_phase p ON p.id = t.phase_id "
         "JOIN approval_request r ON r.id = p.request_id AND r.subject_id = p.id WHERE p.state = 'closed' "
         "AND r.kind = 'stage_gate' AND r.state = 'approved' "
         "AND NOT EXISTS (SELECT 1 FROM tranche_withdrawal w WHERE w.tranche_id = t.id)"),
    ),
)  # fmt: skip
