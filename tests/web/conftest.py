"""The site and people to use it; see tests/support/web.py."""

from __future__ import annotations

from tests.support.web import signed_in, site

__all__ = ["signed_in", "site"]
