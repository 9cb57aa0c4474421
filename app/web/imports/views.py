"""Imports: runs with their progress, and what was rejected and why."""

from __future__ import annotations

from typing import Any

from flask import render_template

from app.composition.request import now, reader
from app.queries.imports import every_reject, run_page
from app.queries.listing import PAGE
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_page
from app.web.exports import csv_file, xlsx_file
from app.web.navigation import Entry, Group, navigation_entry

blueprint = area("imports")
_HEAD = ("Document", "Position", "Why", "As it stood in the file")
navigation_entry(
    Entry(
        label="Imports", endpoint="imports.show_all", permission=Permission.IMPORT_READ, group=Group.OPERATE, order=60
    )
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


@blueprint.get("/imports/<int:run_id>/rejects.csv")
@require(Permission.IMPORT_READ)
def rejects_csv(run_id: int) -> Any:
    return csv_file(f"rejects-{run_id}", _HEAD, _rejects(run_id))


@blueprint.get("/imports/<int:run_id>/rejects.xlsx")
@require(Permission.IMPORT_READ)
def rejects_xlsx(run_id: int) -> Any:
    return xlsx_file(f"rejects-{run_id}", _HEAD, _rejects(run_id))


def _rejects(run_id: int) -> Any:
    # Asked before the file begins: a run that is not there is answered with a page.
    run_page(reader(), actor(), run_id, 1)

    def rows() -> Any:
        for one in every_reject(reader(), actor(), run_id):
            yield one.document, one.position, one.reason, one.text or ""

    return rows()
