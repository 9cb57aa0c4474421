"""How does the list of imports look?"""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.composition.request import now, reader
from app.queries.imports import RUNS, STATES, RunRow
from app.queries.uploads import list_uploads
from app.security.permissions import Permission
from app.security.require import actor
from app.web.areas import asked_page
from app.web.figures import heading
from app.web.imports.views import blueprint
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, site_filter, text_filter
from app.web.lists.page import list_page

_LOOKS = {"done": "pass", "failed": "fail", "stopped": "warn", "running": "wait"}


def _state(row: RunRow) -> Cell:
    if row.is_silent(now()):
        return Cell("silent", kind="warn")
    return Cell(heading(row.state), kind=_LOOKS.get(row.state, "wait"))


def _rejected(row: RunRow) -> Cell:
    return Cell(f"{row.lines_rejected:,}", kind="fail" if row.lines_rejected else "")


def _files() -> dict[str, Any]:
    return {"files": list_uploads(reader(), actor()) if asked_page() == 1 else []}


RUN_LIST = list_page(
    blueprint,
    Listing(
        name="imports", endpoint="imports.show_all", path="/imports", permission=Permission.IMPORT_READ, title="Imports",
        lead="Files that came in: lines in = posted + rejected + known from before", unit="imports", source=RUNS,
        sort="-started", realms=False, template="imports/list.html", also=_files,
        empty=Empty(
            title="Nothing was imported yet", sign="upload",
            text="Order files of another system come in by a profile that says what their columns mean. Hand one in here, or "
            "by the command line: wavegate import orders FILE --profile NAME",
        ),
        filters=(
            choice("state", STATES, hide_empty=True), flag("rejected", "With rejected lines"), text_filter("File or profile"),
            site_filter(),
        ),
        columns=(
            column("file", "File", "file_name", cell=lambda row: Cell(row.file_name, sub=row.title, href=url_for("imports.show", run_id=row.id))),
            column("profile", "Profile", file_only=True),
            column("state", "State", cell=_state),
            column("site", "Site"),
            column("started", "Started", "started_at"),
            column("finished", "Finished (UTC)", "finished_at", file_only=True),
            column("lines", "Lines", num=True),
            column("posted", "Posted", "lines_posted", num=True),
            column("rejected", "Rejected", "lines_rejected", cell=_rejected, num=True),
            column("known", "Known", "lines_known", num=True),
        ),
    ),
)  # fmt: skip
