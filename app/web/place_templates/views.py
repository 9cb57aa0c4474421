"""Templates of places: taken, written, looked at, retired, and made into a site, company or channel after a look at what would be."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.placing.making import apply_template, plan_of, rewrite_template, take_template, type_template
from app.composition.placing.plan import Asked, Plan
from app.composition.request import change, now, reader
from app.messages import sentence
from app.queries.place_templates import (
    TemplatePage,
    channel_picks,
    entity_picks,
    places_to_take,
    programme_picks,
    site_picks,
    template_page,
    wave_picks,
)
from app.queries.steer import people_picks
from app.security.permissions import Permission
from app.security.require import actor, require
from app.security.roles import title_of
from app.web.areas import area
from app.web.forms import Form, choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.place_templates.forms import (
    NONE,
    RetireForm,
    TakeForm,
    apply_form,
    content_form,
    facts_in,
    fill,
    rows_in,
)
from app.web.place_templates.presenters import in_a_line, said, sentence_of
from app.web.steps import seen_version
from erpcore.kernel.errors import DomainError, NotFound
from governance.templates.content import FACTS, SECTIONS, PlaceKind
from governance.templates.services import retire_template

blueprint = area("place_templates")
navigation_entry(
    Entry(label="Templates", endpoint="place_templates.show_all", permission=Permission.TEMPLATE_VIEW, group=Group.STEER, order=44)
)  # fmt: skip
KINDS = {PlaceKind.SITE: "Site", PlaceKind.ENTITY: "Company", PlaceKind.CHANNEL: "Channel"}


@blueprint.get("/templates/<int:template_id>")
@require(Permission.TEMPLATE_VIEW)
def show(template_id: int) -> str:
    """What a template says, its versions, and what was made from it."""
    page = template_page(reader(), template_id, now())
    return render_template(
        "place_templates/show.html", page=page, newest=page.versions[0], facts=FACTS[page.kind], sections=SECTIONS[page.kind],
        kinds=KINDS, role_title=title_of, said=said, sentence_of=sentence_of, in_a_line=in_a_line, may_write=actor().may(Permission.TEMPLATE_WRITE) and page.row.retired_at is None,
        may_apply=actor().may(Permission.TEMPLATE_APPLY) and page.row.retired_at is None,
    )  # fmt: skip


@blueprint.route("/templates/take", methods=["GET", "POST"])
@require(Permission.TEMPLATE_WRITE)
def take() -> Any:
    """A template of a place as it stands."""
    form = TakeForm()
    form.place.choices = choices(places_to_take(reader()))
    if form.validate_on_submit():
        kind, _, place = str(form.place.data).partition(":")
        made = 0
        with form.refusals(), change() as work:
            made = form.once(
                work,
                lambda: (
                    take_template(
                        work,
                        PlaceKind(kind),
                        int(place),
                        code=str(form.code.data),
                        name=str(form.name.data),
                        reason=str(form.why.data or ""),
                    ).id
                ),
            )
        if form.accepted:
            flash("The template is kept. Change what a new place should have otherwise.", "success")
            return redirect(url_for("place_templates.show", template_id=made))
    return _form(form, "Take a template from a place", "What the place says today becomes the first version", "Take it")


@blueprint.route("/templates/new/<kind>", methods=["GET", "POST"])
@require(Permission.TEMPLATE_WRITE)
def write(kind: str) -> Any:
    """A template that is typed."""
    if kind not in set(PlaceKind):
        raise NotFound("not_found")
    of = PlaceKind(kind)
    form = content_form(of, is_new=True)
    if form.validate_on_submit():
        made = 0
        with form.refusals(), change() as work:
            made = form.once(
                work,
                lambda: (
                    type_template(
                        work,
                        of,
                        facts_in(form, of),
                        rows_in(form, of),
                        code=str(form.code.data),
                        name=str(form.name.data),
                    ).id
                ),
            )
        if form.accepted:
            flash("The template is kept.", "success")
            return redirect(url_for("place_templates.show", template_id=made))
    return _form(
        form, f"Write a template of a {KINDS[of].lower()}", "A row a line, its cells parted by semicolons", "Keep it"
    )


@blueprint.route("/templates/<int:template_id>/change", methods=["GET", "POST"])
@require(Permission.TEMPLATE_WRITE)
def alter(template_id: int) -> Any:
    """The next version."""
    page = template_page(reader(), template_id, now())
    form = content_form(page.kind, is_new=False)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            form.once(
                work,
                lambda: rewrite_template(
                    work, template_id, facts_in(form, page.kind), rows_in(form, page.kind), name=str(form.name.data),
                    reason=str(form.reason.data), seen=seen_version() or 0,
                ).id,
            )  # fmt: skip
        if form.accepted:
            flash("The next version is kept; what was made from earlier ones stays as it is.", "success")
            return redirect(url_for("place_templates.show", template_id=template_id))
    elif not form.is_submitted():
        fill(form, page.versions[0].content, page.row.name)
    form.version.data = form.version.data or str(page.row.last_number)
    return _form(
        form, f"Change {page.row.name}", "A row a line, its cells parted by semicolons", "Keep the next version", page
    )


@blueprint.route("/templates/<int:template_id>/retire", methods=["GET", "POST"])
@require(Permission.TEMPLATE_WRITE)
def retire(template_id: int) -> Any:
    """Make nothing from it any more."""
    page, form = template_page(reader(), template_id, now()), RetireForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            retire_template(work, template_id, reason=str(form.reason.data))
        if form.accepted:
            flash("The template is retired.", "success")
            return redirect(url_for("place_templates.show", template_id=template_id))
    return _form(form, f"Retire {page.row.name}", "What was made from it stays", "Retire it", page)


@blueprint.route("/templates/<int:template_id>/apply", methods=["GET", "POST"])
@require(Permission.TEMPLATE_APPLY)
def apply(template_id: int) -> Any:
    """First what would be made, with what stands in its way; the same form, sent again, makes it."""
    page = template_page(reader(), template_id, now())
    form, plan = apply_form(page.kind), None
    _offer(form, page)
    if form.validate_on_submit():
        asked, seen = _asked(form, page.kind), str(form.seen.data or "")
        if seen:
            with form.refusals(), change() as work:
                form.once(work, lambda: apply_template(work, template_id, asked, seen=seen).id)
            if form.accepted:
                flash(f"{asked.name} is made. Its cells stay closed until their go.", "success")
                return redirect(url_for("place_templates.show", template_id=template_id))
        plan = _plan(form, template_id, asked)
        form.seen.data = plan.digest if plan is not None and not plan.problems else ""
    return render_template(
        "place_templates/apply.html", page=page, form=form, plan=plan, sentence=sentence, kinds=KINDS, facts=FACTS[page.kind],
        is_ready=bool(form.seen.data),
    ), form.status  # fmt: skip


def _plan(form: Form, template_id: int, asked: Asked) -> Plan | None:
    try:
        plan = plan_of(reader(), template_id, asked, now())
    except DomainError as refusal:
        form.refuse(refusal)
        return None
    for problem in plan.problems:
        if problem.field in form or form.called.get(problem.field or "") in form:
            form.refuse(problem)
    if plan.problems:
        form.status = 422
    return plan


def _offer(form: Any, page: TemplatePage) -> None:
    """What may be chosen; a form that is opened says what the template says."""
    session = reader()
    form.owner.choices = choices([(NONE, "Nobody"), *people_picks(session)])
    if "programme" in form:
        form.programme.choices = choices(programme_picks(session) or [(NONE, "None")])
    if "entity" in form:
        form.entity.choices = choices(entity_picks(session))
        form.channels.choices = choices(channel_picks(session))
        form.wave.choices = choices([(NONE, "None yet"), *wave_picks(session)])
    if "sites" in form:
        form.sites.choices = choices(site_picks(session))
    if not form.is_submitted():
        form.owner.data = actor().id
        for one in FACTS[page.kind]:
            form[f"fact_{one.name}"].data = page.versions[0].content.facts.get(one.name, "")


def _asked(form: Any, kind: PlaceKind) -> Asked:
    def chosen(name: str) -> int | None:
        return (form[name].data or None) if name in form else None

    return Asked(
        code=str(form.code.data), name=str(form.name.data), reason=str(form.reason.data or ""), facts=facts_in(form, kind),
        entity=chosen("entity"), programme=chosen("programme"), wave=chosen("wave"),
        channels=tuple(form.channels.data or ()) if "channels" in form else (), sites=tuple(form.sites.data or ()) if "sites" in form else (),
        starts_on=form.starts_on.data, owner=chosen("owner"), until_on=form.until_on.data,
    )  # fmt: skip


def _form(form: Any, title: str, lead: str, label: str, page: TemplatePage | None = None) -> Any:
    return render_template(
        "place_templates/form.html", form=form, title=title, lead_text=lead, label=label, page=page
    ), form.status  # fmt: skip
