"""What stands on somebody's home page, as the daily mail has it: asked of the very same providers, outside of any request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import Flask, g

from app.composition.request import reader
from app.jobs.digests import Line, Waiting
from app.web.today.slots import everything_waiting
from erpcore.kernel.actor import Actor


def waiting_of(site: Flask, address: str | None) -> Waiting:
    """What waits for somebody in a role. ``address``: how people reach the site; without it the mail has no links."""

    def waiting(actor: Actor, now: datetime) -> Sequence[Line]:
        with site.test_request_context("/", base_url=address or "http://wavegate.invalid"):
            g.actor, g.now = actor, now
            return [
                Line(
                    title=one.title, why=" · ".join(part for part in (one.why, one.detail) if part),
                    due_at=one.due_at,
                    address=f"{address.rstrip('/')}{one.url}" if address else "",
                )
                for one in everything_waiting(reader(), actor, now)
            ]  # fmt: skip

    return waiting
