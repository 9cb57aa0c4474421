"""The table that the books are kept by, and what a document would post by it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import render_template
from wtforms import SelectField
from wtforms.validators import InputRequired

from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.journal_lines import WholeEntry
from app.queries.posting_rules import rules_with_examples
from app.queries.posting_trials import WORDS, Event, Means, Waiting, find_waiting, waiting, would_post
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import key_of
from app.web.fields import ExactField
from app.web.forms import Form, choices
from app.web.ledger.views import blueprint
from app.web.steps import form_step
from erpcore.kernel.errors import NotFound


class TrialForm(Form):
    """Of which document it is asked what it would post."""

    document = SelectField("What happens", [InputRequired("Choose a document")], validate_choice=False)
    amount = ExactField("Amount", places=4, description="Of a goods receipt: what it costs more; with a minus, less")

    def offer(self, found: list[Waiting]) -> None:
        """What may be chosen, by what would happen to it."""
        self.document.choices = {
            WORDS[event]: choices((f"{one.event}:{one.id}", f"{one.title} · {one.company}") for one in group)
            for event, group in groupby(found, key=lambda one: one.event)
        } or choices([("", "Nothing waits")])


def _chosen(value: str) -> Waiting:
    """The document that a form names; raises ``NotFound``."""
    event, _, key = value.partition(":")
    if event not in set(Event):
        raise NotFound("not_found")
    return find_waiting(reader(), actor(), Event(event), key_of(key))


@blueprint.route("/ledger/posting-rules", methods=["GET", "POST"])
@require(Permission.LEDGER_READ)
def show_rules() -> Any:
    """The table; sent with a document, what this would post. Nothing is written then."""
    form, document = TrialForm(), None
    entries: list[WholeEntry] | None = None
    form.offer(waiting(reader(), actor()))
    if form.validate_on_submit():
        document = _chosen(form.document.data)
        with form_step(form, realm=document.realm) as work:
            entries = would_post(work, document, Means(rules(), cells(), form.amount.data))
    html = render_template(
        "ledger/rules.html", rows=rules_with_examples(reader(), actor()), form=form, document=document, entries=entries,
        words=WORDS, realm=document.realm if document else "live",
    )  # fmt: skip
    return html, form.status
