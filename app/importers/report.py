"""What did an import do, or what would it do? Counts of lines and documents, and the rejected lines with their reasons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from app.composition.imports import Outcome
from app.importers.reading import Document


@dataclass
class Report:
    """What an import did, or would do. ``outcomes`` counts lines of documents that are new; ``known`` those in before."""

    profile: str
    file: str
    dry_run: bool
    run: int | None = None
    lines: int = 0
    documents: int = 0
    lines_known: int = 0
    documents_known: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    items_opened: int = 0
    named: int = 50
    rejected: list[dict[str, object]] = field(default_factory=list)
    begins: datetime | None = None
    ends: datetime | None = None

    @property
    def lines_rejected(self) -> int:
        return self.outcomes[Outcome.REJECTED]

    @property
    def lines_posted(self) -> int:
        return sum(self.outcomes.values()) - self.lines_rejected

    def take(self, document: Document) -> None:
        """Count a new document."""
        self.kinds[document.kind] += 1
        for line in document.lines:
            self.outcomes[line.outcome] += 1
            if line.outcome == "rejected" and len(self.rejected) < self.named:
                self.rejected.append(
                    {
                        "line": line.row, "document": document.key, "position": line.position, "reason": line.reason,
                        "text": line.text,
                    }
                )  # fmt: skip
        if document.at:
            self.begins = min(self.begins or document.at, document.at)
            self.ends = max(self.ends or document.at, document.at)
