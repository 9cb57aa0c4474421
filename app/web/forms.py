"""What do all forms share? Stripped text, a CSRF token, and refusals that land on the field they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs know it not yet

from app.messages import sentence
from app.web.errors import status_of
from app.web.form_words import OUT_OF_TIME, FormWords
from erpcore.kernel.clock import out_of_time
from erpcore.kernel.errors import Conflict, DomainError, NeedsConfirmation, RuleBroken


def choices(pairs: Iterable[tuple[Any, str]]) -> list[Any]:
    """The options of a select field from pairs of value and label."""
    return [SelectChoice(value, label) for value, label in pairs]


def cleaned(value: Any) -> Any:
    """Text without the spaces around it, and without zero bytes, which no look-up survives; ``Form`` refuses those."""
    return value.strip().replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


def _leaves(fields: Iterable[Any]) -> Iterator[Any]:
    """The fields that take something typed, those of rows one by one."""
    for field in fields:
        if field.type == "FormField":
            yield from _leaves(field.form)
        elif field.type == "FieldList":
            yield from _leaves(field.entries)
        else:
            yield field


class Form(FlaskForm):
    """Base of all forms. ::

    form = GrantForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            grant_role(work, …)
        if form.accepted:
            return redirect(…)
    return render_template("…", form=form), form.status
    """

    class Meta(FlaskForm.Meta):
        """Text comes in without the spaces around it; passwords come in as typed."""

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            filters = list(unbound_field.kwargs.get("filters", ()))
            if "Password" not in unbound_field.field_class.__name__:
                filters.append(cleaned)
            # Fields that hold fields take no filters.
            if filters and unbound_field.field_class.__name__ not in {"FieldList", "FormField"}:
                options = {**options, "filters": filters}
            return unbound_field.bind(form=form, **options)

        def get_translations(self, form: Any) -> Any:
            """Our words for what cannot be read."""
            return FormWords()

    #: A warning that may be accepted with a reason; ``confirmation(form)`` in the template asks for it.
    warning: NeedsConfirmation | None = None
    #: The status of the page with this form: 422 once something was refused.
    status = 200
    accepted = False
    #: Fields of the form by what the services call them, where the two differ.
    called: ClassVar[Mapping[str, str]] = {}

    def validate(self, extra_validators: Any = None) -> bool:
        """A zero byte is no text: one database would keep it, the other not. It is named at its field, as is a year that no
        calendar of business has; what could not be read is not said to be too small as well.
        """
        valid = bool(super().validate(extra_validators))
        for field in _leaves(self):
            unread = list(field.process_errors)
            if unread and list(field.errors)[: len(unread)] == unread:
                field.errors = unread
            elif out_of_time(field.data):
                field.errors, valid = [*field.errors, OUT_OF_TIME], False
            if any(isinstance(value, str) and "\0" in value for value in field.raw_data or ()):
                field.errors = [*field.errors, "This holds a zero byte; leave it out"]
                valid = False
        return valid

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate_on_submit(extra_validators))
        if self.is_submitted() and not valid:
            self.status = 422
        return valid

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Keep a refusal with the field it names, or on top; what was typed stays. Sets ``accepted`` when there is none.

        Other kinds pass through: a page that may not be opened has no form to show.
        """
        try:
            yield
        except (RuleBroken, Conflict, NeedsConfirmation) as error:
            self.refuse(error)
        else:
            self.accepted = True

    @property
    def accepted_warnings(self) -> dict[str, str]:
        """The warning that was shown and is accepted now, by its code, with the reason; empty as long as none is given."""
        code, reason = request.form.get("accept", "")[:48], request.form.get("accept_reason", "").strip()[:500]
        return {code: reason} if code and reason and "\0" not in reason else {}

    @property
    def warning_text(self) -> str:
        """The warning in words."""
        return sentence(self.warning) if self.warning is not None else ""

    def refuse(self, error: DomainError) -> None:
        """Show this refusal at its field; a warning gets a field of its own for the reason to go on."""
        self.status = status_of(error)
        if isinstance(error, NeedsConfirmation):
            self.warning = error
            return
        named = error.field or ""
        field: Field | None = self._fields.get(self.called.get(named, named))
        if field is None:
            self.form_errors.append(sentence(error))
        else:
            field.errors = [*field.errors, sentence(error)]
