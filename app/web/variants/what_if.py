"""What would it change? Recent orders replayed under a variant that is proposed, beside today's standard."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from wtforms import IntegerField, RadioField
from wtforms.validators import InputRequired, NumberRange

from app.composition.replaying.asking import ask_replay
from app.composition.replaying.points import not_shown, shown
from app.composition.request import change, now, reader
from app.queries.jobs import leader
from app.queries.replays import AT_ONCE, ReplayRow, may_see_orders, named, orders_that_differ, replay_of, replays_of
from app.queries.variants import VariantRow, variant_row
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.forms import choices
from app.web.once import KeyedForm
from app.web.variants.tabs import register_tabs
from app.web.variants.views import blueprint
from app.web.variants.what_if_words import because, headline, rows_of, said_of, state_words
from governance.replays.services import MOST_ORDERS, AskReplay, may_replay
from governance.variants.flow import VariantState

_PERIODS = [(7, "the last 7 days"), (28, "the last 4 weeks"), (91, "the last 3 months"), (366, "the last year")]


class WhatIfForm(KeyedForm):
    """Which orders are replayed."""

    days = RadioField("Orders of", [InputRequired("Choose one")], coerce=int, default=28)
    most = IntegerField(
        "At most", [InputRequired(), NumberRange(1, MOST_ORDERS)], default=10_000, description="The newest so many."
    )


def may_ask(row: VariantRow) -> bool:
    """Whether this person may have orders replayed under it: it is not decided on, does not reach beyond the person's sites, and
    a replay can show something of it.
    """
    return (
        row.state in (VariantState.DRAFT, VariantState.SUBMITTED)
        and may_replay(actor())
        and may_see_orders(actor(), row.site_id)
        and bool(shown(one.name for one in row.values))
    )


@blueprint.app_template_global()
def replay_summary(variant_id: int) -> dict[str, Any] | None:
    """The newest replay of a variant that has a record, in short, for its page and for who decides; ``None`` without one."""
    rows = replays_of(reader(), variant_id)
    kept = next((row for row in rows if row.figures is not None), None)
    if kept is None or kept.figures is None:
        return None
    return {
        "row": kept, "said": headline(kept.differing, kept.orders), "href": url_for("variants.what_if", variant_id=variant_id),
        "rows": [row for row in rows_of(kept.figures) if not row.is_part],
    }  # fmt: skip


@blueprint.route("/register/variants/<int:variant_id>/what-if", methods=["GET", "POST"])
@require(Permission.VARIANT_VIEW)
def what_if(variant_id: int) -> Any:
    """What the newest replay found (or the one that the address names), those before, and asking for another."""
    row = variant_row(reader(), actor(), variant_id, now())
    form = WhatIfForm()
    form.days.choices = choices(_PERIODS)
    if form.validate_on_submit():
        command = AskReplay(variant=variant_id, days=form.days.data, most=form.most.data or 0)
        with form.refusals(), change() as work:
            form.once(work, lambda: ask_replay(work, command).id)
        if form.accepted:
            flash("It is replayed as soon as the worker comes to it.", "success")
            return redirect(url_for("variants.what_if", variant_id=variant_id))
    rows = replays_of(reader(), variant_id)
    asked = asked_key("replay")
    chosen = named(rows, asked) if asked is not None else next(iter(rows), None)
    return _shown(row, form, rows, chosen), form.status


def _shown(row: VariantRow, form: WhatIfForm, rows: list[ReplayRow], chosen: ReplayRow | None) -> str:
    after = request.args.get("after", "")
    last = int(after) if after.isdecimal() and len(after) < 10 else -1
    is_seen = may_see_orders(actor(), row.site_id)
    found = orders_that_differ(reader(), chosen.id, after=last, limit=AT_ONCE) if chosen is not None and is_seen else []
    values = {one.name: one.value for one in row.values}
    return render_template(
        "register/what_if.html", row=row, form=form, replays=rows, chosen=chosen, at=now(),
        figures=rows_of(chosen.figures) if chosen is not None and chosen.figures is not None else [],
        said=headline(chosen.differing, chosen.orders) if chosen is not None else "", state_words=state_words,
        orders=[(one, said_of(one), because(one.points, values)) for one in found], first=last + 1,
        is_seen=is_seen, next_after=last + len(found) if len(found) == AT_ONCE else None, may_ask=may_ask(row), shown=shown(values),
        not_shown=not_shown(values), leader=leader(reader(), now()), tabs=register_tabs("variants.show_all"),
    )  # fmt: skip


@blueprint.get("/register/variants/<int:variant_id>/what-if/<int:replay_id>/progress")
@require(Permission.VARIANT_VIEW)
def what_if_progress(variant_id: int, replay_id: int) -> Any:
    """The part of the page that renews itself; once it is done, the browser loads the whole page again."""
    row = variant_row(reader(), actor(), variant_id, now())
    chosen = replay_of(reader(), variant_id, replay_id)
    html = render_template(
        "register/_what_if_progress.html", row=row, chosen=chosen, at=now(), leader=leader(reader(), now()),
        state_words=state_words,
    )  # fmt: skip
    return html, 200, {} if chosen.is_open else {"HX-Refresh": "true"}
