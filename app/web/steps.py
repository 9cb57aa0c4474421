"""How is a document moved on by one press? The move is made, or the page comes again with the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from flask import flash, redirect, request

from app.composition.request import change
from app.messages import sentence
from app.web.errors import status_of
from app.web.forms import Form
from erpcore.kernel.errors import Conflict, NeedsConfirmation, RuleBroken
from erpcore.kernel.work import UnitOfWork


def seen_version() -> int | None:
    """The version of the document that the form showed."""
    return request.form.get("version", type=int)


def take_step(
    move: Callable[[UnitOfWork], Any],
    *,
    realm: str,
    done: str | Callable[[], str],
    to: str,
    again: Callable[[str], str],
) -> Any:
    """Make the move and go ``to`` the page that shows it; refused, ``again`` makes the page with the reason on top.

    ``done`` is what is said then; where that hangs on what the move led to it is asked afterwards.
    """
    try:
        with change(realm=realm) as work:
            move(work)
    except (RuleBroken, Conflict, NeedsConfirmation) as refusal:
        return again(sentence(refusal)), status_of(refusal)
    flash(done if isinstance(done, str) else done(), "success")
    return redirect(to)


@contextmanager
def form_step(form: Form, *, realm: str) -> Any:
    """The unit of work of a form; a refusal stays with its field, and ``form.accepted`` says whether there was none."""
    with form.refusals(), change(realm=realm) as work:
        yield work
