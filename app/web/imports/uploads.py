"""Handing a file in, and following it until it is tried or imported."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for

from app.composition.request import change, installation, now, reader
from app.importers import profiles
from app.importers.uploads import HandIn, accept, import_again, receive
from app.queries.jobs import leader
from app.queries.uploads import UploadPage, upload_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import choices
from app.web.imports.forms import UploadForm
from app.web.imports.views import blueprint
from app.web.steps import take_step


@blueprint.route("/imports/new", methods=["GET", "POST"])
@require(Permission.IMPORT_RUN)
def hand_in() -> Any:
    form = UploadForm()
    form.profile.choices = choices(profiles.choices())
    if form.validate_on_submit():
        wanted = HandIn(
            profile=str(form.profile.data), purpose=str(form.purpose.data), file_name=str(form.file.data.filename)
        )
        where = installation()
        upload = 0
        with form.refusals():
            received = receive(where.database, form.file.data.stream, wanted, actor=actor(), clock=where.clock)
            with change(source="import") as work:
                upload = accept(work, received).id
        if form.accepted:
            return redirect(url_for("imports.show_file", upload_id=upload))
    return render_template("imports/new.html", form=form), form.status


@blueprint.get("/imports/files/<int:upload_id>")
@require(Permission.IMPORT_READ)
def show_file(upload_id: int) -> Any:
    return _page(upload_page(reader(), actor(), upload_id))


def _page(found: UploadPage, refused: str = "") -> str:
    titles = dict(profiles.choices())
    return render_template(
        "imports/file.html", found=found, row=found.row, at=now(), leader=leader(reader(), now()), refused=refused,
        title=titles.get(found.row.profile, found.row.profile),
    )  # fmt: skip


@blueprint.get("/imports/files/<int:upload_id>/progress")
@require(Permission.IMPORT_READ)
def file_progress(upload_id: int) -> Any:
    """The part of a file's page that renews itself; once the file is done, the browser loads the whole page again."""
    found = upload_page(reader(), actor(), upload_id)
    html = render_template(
        "imports/_file_progress.html", found=found, row=found.row, at=now(), leader=leader(reader(), now())
    )
    return html, 200, {} if found.row.is_open else {"HX-Refresh": "true"}


@blueprint.post("/imports/files/<int:upload_id>/import")
@require(Permission.IMPORT_RUN)
def import_file(upload_id: int) -> Any:
    upload_page(reader(), actor(), upload_id)
    return take_step(
        lambda work: import_again(work, upload_id), realm="live", done="The file waits to be imported.",
        to=url_for("imports.show_file", upload_id=upload_id),
        again=lambda why: _page(upload_page(reader(), actor(), upload_id), why),
    )  # fmt: skip
