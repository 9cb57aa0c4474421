"""Letters to customers: one with its words, the texts they are made of, what people say, and where customers are written to."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.letter_texts import FIELDS, LANGUAGES, Event, Situation
from app.composition.letters import (
    Way,
    filled,
    keep_contact,
    save_script,
    save_template,
    script_of,
    template_of,
    try_again,
    way_of,
)
from app.composition.request import change, installation, reader
from app.queries.letters import contact_of, letter_page, preview_facts, versions, waiting_letters
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.letters.forms import ContactForm, ScriptForm, TextForm
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import take_step
from erpcore.kernel.errors import NotFound

blueprint = area("letters")
navigation_entry(
    Entry(
        label="Letters", endpoint="letters.show_all", permission=Permission.LETTER_READ, group=Group.OPERATE, order=14
    )
)


def unsent() -> dict[str, Any]:
    """Why letters do not reach anybody: no mail server, a folder in its place, or parked ones."""
    waiting, parked = waiting_letters(reader())
    mail_url = installation().settings.mail_url
    to_folder = mail_url is not None and way_of(mail_url) == Way.FOLDER
    return {"waiting": waiting, "parked": parked, "has_server": mail_url is not None, "to_folder": to_folder}


@blueprint.get("/letters/<int:letter_id>")
@require(Permission.LETTER_READ)
def show(letter_id: int) -> str:
    return _letter(letter_id)


def _letter(letter_id: int, refused: str = "") -> str:
    return render_template(
        "letters/show.html", row=letter_page(reader(), actor(), letter_id), refused=refused, languages=LANGUAGES
    )


@blueprint.post("/letters/<int:letter_id>/again")
@require(Permission.LETTER_REPLAY)
def again(letter_id: int) -> Any:
    letter_page(reader(), actor(), letter_id)
    return take_step(
        lambda work: try_again(work, letter_id), realm="live", done="The letter is tried again within a minute.",
        to=url_for("letters.show", letter_id=letter_id), again=lambda why: _letter(letter_id, why),
    )  # fmt: skip


@blueprint.get("/letters/texts")
@require(Permission.LETTER_READ)
def texts() -> str:
    scripts = [(one.value, script_of(reader(), one)) for one in Situation]
    return render_template(
        "letters/texts.html", events=list(Event), languages=LANGUAGES, versions=versions(reader()), scripts=scripts
    )


def _seen(known: int) -> int:
    """The version that the form showed; the one there is now for a form that is opened now."""
    return request.form.get("seen", known, type=int)


def _known(event: str, language: str) -> Event:
    if event not in set(Event) or language not in LANGUAGES:
        raise NotFound("not_found")
    return Event(event)


@blueprint.route("/letters/texts/<event>/<language>", methods=["GET", "POST"])
@require(Permission.LETTER_READ)
def text(event: str, language: str) -> Any:
    """The text in force, how it reads with a real order, and a new version of it."""
    kind, form = _known(event, language), TextForm()
    known = template_of(reader(), event, language)
    seen = _seen(known.version if known.language == language else 0)
    if not form.is_submitted():
        form.subject.data, form.body.data = known.subject, known.body
    if form.is_submitted():
        actor().require(Permission.LETTER_WRITE)
    if form.validate_on_submit() and request.form.get("what") != "look":
        with form.refusals(), change() as work:
            save_template(
                work, event=kind, language=language, subject=str(form.subject.data), body=str(form.body.data),
                seen=seen,
            )  # fmt: skip
        if form.accepted:
            flash("The text is in force from now on.", "success")
            return redirect(url_for("letters.text", event=event, language=language))
    facts = preview_facts(reader(), actor(), form.order.data) if form.order.data else None
    if form.order.data and facts is None:
        form.order.errors = ["There is no order of this number that you may see."]
        form.status = 422
    shown = None if facts is None else (filled(str(form.subject.data), facts), filled(str(form.body.data), facts))
    html = render_template(
        "letters/text.html", form=form, event=kind, language=LANGUAGES[language], seen=seen, fields=FIELDS, shown=shown
    )
    return html, form.status


@blueprint.route("/letters/words/<situation>", methods=["GET", "POST"])
@require(Permission.LETTER_READ)
def words(situation: str) -> Any:
    """What people say in a situation, and a new version of it."""
    if situation not in set(Situation):
        raise NotFound("not_found")
    form, (version, body) = ScriptForm(), script_of(reader(), situation)
    seen = _seen(version)
    if not form.is_submitted():
        form.body.data = body
    if form.is_submitted():
        actor().require(Permission.LETTER_WRITE)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            save_script(work, situation=Situation(situation), body=str(form.body.data), seen=seen)
        if form.accepted:
            flash("These words are in force from now on.", "success")
            return redirect(url_for("letters.texts"))
    return render_template("letters/words.html", form=form, situation=situation, seen=seen), form.status


@blueprint.route("/letters/customers/<int:customer_id>", methods=["GET", "POST"])
@require(Permission.LETTER_READ)
def contact(customer_id: int) -> Any:
    """Where and in which language a customer is written to."""
    known = contact_of(reader(), actor(), customer_id)
    seen = _seen(known.version)
    form = ContactForm(data={"email": known.email, "language": known.language or "", "wants_none": known.wants_none})
    if form.is_submitted():
        actor().require(Permission.LETTER_WRITE)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            keep_contact(
                work, customer=customer_id, email=str(form.email.data), language=form.language.data or None,
                wants_none=form.wants_none.data, seen=seen,
            )  # fmt: skip
        if form.accepted:
            flash("The customer is written to like this from now on.", "success")
            return redirect(url_for("letters.contact", customer_id=customer_id))
    return render_template("letters/contact.html", form=form, known=known, seen=seen), form.status
