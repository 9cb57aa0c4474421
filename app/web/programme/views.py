"""One programme on one page."""

from __future__ import annotations

from flask import render_template

from app.composition.request import now, reader
from app.queries.steer import ProgrammePage, programme_page
from app.security.permissions import Permission
from app.security.require import require
from app.web.areas import area
from app.web.icons import verdict_look
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steering_words import PHASES, WAVE_STATES, gate_word, share, short_day, short_moment, speech
from app.web.waves.presenters import sites_of, timeline, warnings, when
from erpcore.kernel.clock import local_day
from readiness.waves.flow import WaveState

blueprint = area("programme")
navigation_entry(
    Entry(
        label="Programme", endpoint="programme.show", permission=Permission.PROGRAMME_VIEW, group=Group.STEER, order=10
    )
)


@blueprint.get("/programme")
@require(Permission.PROGRAMME_VIEW)
def show() -> str:
    return _html(None)


@blueprint.get("/programmes/<int:programme_id>")
@require(Permission.PROGRAMME_VIEW)
def show_one(programme_id: int) -> str:
    return _html(programme_id)


def _html(programme_id: int | None) -> str:
    page = programme_page(reader(), programme_id, now())
    if page is None:
        return render_template("programme/none.html")
    said = speech(page.names)
    today = local_day(now(), said.time_zone)
    return render_template(
        "programme/show.html", page=page, programme=page.programme, speech=said, today=today, figures=_figures(page),
        picture=timeline(page.waves, said, today), warnings=warnings(page.waves.lines), sites_of=sites_of, when=when,
        WAVE_STATES=WAVE_STATES, PHASES=PHASES, gate_word=gate_word, verdict_look=verdict_look, share=share, short_day=short_day,
        short_moment=short_moment,
    )  # fmt: skip


def _figures(page: ProgrammePage) -> dict[str, int]:
    lines = page.waves.lines
    return {
        "waves": len(lines), "live": sum(1 for line in lines if line.live_on is not None),
        "rehearsing": sum(1 for line in lines if line.wave.state is WaveState.IN_REHEARSAL),
        "cells": len(page.programme.cells), "open": len(page.open_cells), "votes": len(page.waves.open_votes),
    }  # fmt: skip
