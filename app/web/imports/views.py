"""Imports: runs with their progress, and what was rejected and why. Files are given to ``wavegate import``."""

from __future__ import annotations

from flask import render_template

from app.composition.request import now, reader
from app.queries.imports import list_runs, run_page
from app.queries.orders import PAGE
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_page
from app.web.navigation import Entry, Group, navigation_entry

blueprint = area("imports")
navigation_entry(
    Entry(
        label="Imports", endpoint="imports.show_all", permission=Permission.IMPORT_READ, group=Group.OPERATE, order=60
    )
)


@blueprint.get("/imports")
@require(Permission.IMPORT_READ)
def show_all() -> str:
    page = asked_page()
    rows, total = list_runs(reader(), actor(), page)
    return render_template(
        "imports/list.html", rows=rows, total=total, page=page, pages=max(1, -(-total // PAGE)), at=now()
    )


@blueprint.get("/imports/<int:run_id>")
@require(Permission.IMPORT_READ)
def show(run_id: int) -> str:
    page = asked_page()
    found = run_page(reader(), actor(), run_id, page)
    return render_template(
        "imports/show.html", found=found, row=found.row, page=page, pages=max(1, -(-found.reject_total // PAGE)), at=now(),
        realm=found.realm,
    )  # fmt: skip


@blueprint.get("/imports/<int:run_id>/progress")
@require(Permission.IMPORT_READ)
def progress(run_id: int) -> str:
    """The part of a run's page that renews itself while the run goes on."""
    return render_template("imports/_progress.html", row=run_page(reader(), actor(), run_id, 1).row, at=now())
