"""Which rules of an archive does a PDF break?"""

from __future__ import annotations

import page


def broken_rules(content: bytes) -> list[str]:
    """Broken rules of PDF/A-3u with their reasons, by a program that knows them all."""
    report = page.validate_pdf_bytes(content, profile="3u")
    assert report.rules.total > 100
    return [f"{one.rule_id}: {one.message}" for one in report.failures]
