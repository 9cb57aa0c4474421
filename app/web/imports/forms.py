"""The form with which a file is handed in."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField, SelectField

from app.composition.imports import Purpose
from app.importers.uploads import ENDINGS, MOST_BYTES
from app.web.forms import Form, choices


class UploadForm(Form):
    """A file, what it means, and whether to try it first."""

    profile = SelectField("Profile", description="Says what the columns mean and whose business the file is.")
    file = FileField(
        "File",
        [FileRequired("Choose a file")],
        description=f"CSV, packed CSV (.csv.gz) or a workbook (.xlsx), up to {MOST_BYTES // 1024 // 1024} MB.",
        render_kw={"accept": ",".join((*ENDINGS, ".gz"))},
    )
    purpose = RadioField(
        "What for",
        choices=choices(
            [
                (Purpose.DRY_RUN.value, "Try it: say what would happen, write nothing"),
                (Purpose.IMPORT.value, "Import it"),
            ]
        ),
        default=Purpose.DRY_RUN.value,
    )
