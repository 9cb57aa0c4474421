"""What is one operation of the API? Everything that serving and describing it need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from app.security.permissions import Permission


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method on one path."""

    name: str
    method: str
    path: str
    permission: Permission | None
    summary: str
    tag: str
    view: Callable[..., Any]
    answer: type[BaseModel] | None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    versioned: bool = False
    example: dict[str, Any] = field(default_factory=dict)
    #: Long work without a lock: called before the unit of work, its result reaches the view as ``prepared``.
    prepare: Callable[..., Any] | None = None
    #: The body is a file as it lies on the caller's disk: ``prepare`` reads it as a stream, and answers with its ``digest``.
    takes_file: bool = False
    #: Through which door what it changes comes in; only back-entries state their own times.
    source: str = "api"
    #: Parts of the path that are words; all others are ids.
    texts: frozenset[str] = frozenset()

    @property
    def changes(self) -> bool:
        return self.method != "GET"

    @property
    def needs_body(self) -> bool:
        """Whether the body has anything that must be said; without it no body at all means every default."""
        return self.body is not None and any(field.is_required() for field in self.body.model_fields.values())
