"""The site and people to use it; see tests/support/web.py."""

from __future__ import annotations

from tests.support.web import caller, signed_in, site

__all__ = ["caller", "signed_in", "site"]
