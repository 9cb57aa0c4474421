"""Sending the same form twice has one effect: each page brings a key of its own, and the key remembers what it led to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import request
from wtforms import HiddenField
from wtforms.validators import Length

from app.web.forms import Form
from erpcore.kernel import requests
from erpcore.kernel.canonical import plain
from erpcore.kernel.work import UnitOfWork


class KeyedForm(Form):
    """A form that makes something new; ``once`` makes it the first time and finds it the second."""

    request_key = HiddenField(validators=[Length(max=100)], default=lambda: uuid4().hex)

    def content(self) -> dict[str, Any]:
        """What was asked for: the same key with other content is a conflict."""
        typed = {name: str(value) for name, value in self.data.items() if name not in {"csrf_token", "request_key"}}
        return {"path": request.path, **plain(typed)}

    def once(self, work: UnitOfWork, make: Callable[[], int]) -> int:
        """The id of what ``make`` makes, in the same unit of work; a repeated form gets the first one's."""
        key = str(self.request_key.data or uuid4().hex)
        known = requests.claim(work, key, self.content())
        if known is not None:
            return int(known["id"])
        made = make()
        requests.settle(work, key, {"id": made})
        return made
