"""Is the API there, and which version is it?"""

from __future__ import annotations

from importlib.metadata import version

from app.api.framework import operation
from app.api.values import Answer


class Health(Answer):
    """That somebody answers, and who."""

    status: str
    version: str


@operation("GET", "/health", permission=None, summary="Whether the API answers", tag="Health", answer=Health)
def health() -> Health:
    return Health(status="ok", version=version("wavegate"))
