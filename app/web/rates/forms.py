"""The forms of exchange rates: one rate, a file of them, and the question what holds on a day."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, IntegerField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from app.importers.ratefiles import ENDINGS, MOST_BYTES
from app.web.fields import ExactField
from app.web.forms import Form
from app.web.once import KeyedForm
from erpcore.masterdata.rate_models import RATE_PLACES
from erpcore.masterdata.rates import MOST_DAYS, USUAL_DAYS

_CODE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}


class RateForm(KeyedForm):
    """One unit of a currency is so much of another on a day."""

    currency = StringField("One unit of", [DataRequired("Enter a currency"), Length(max=3)], render_kw=_CODE)
    rate = ExactField("Is worth", [InputRequired("Enter the rate")], places=RATE_PLACES)
    against = StringField("Of", [DataRequired("Enter the other currency"), Length(max=3)], render_kw=_CODE)
    day = DateField("On", [InputRequired("Enter the day")])
    source = StringField("Source", [DataRequired("Say where it is from"), Length(max=60)], description="Such as ECB")
    holds_days = IntegerField(
        "May be used for days",
        [InputRequired("Enter a number of days"), NumberRange(1, MOST_DAYS, f"From 1 to {MOST_DAYS} days")],
        default=USUAL_DAYS,
        description="Counted from its day; after them a newer one is needed",
    )
    reason = StringField(
        "Reason", [Length(max=200)], description="Needed for another rate of a day that has one, and where it jumps"
    )


class RateFileForm(Form):
    """A file of rates."""

    file = FileField(
        "File", [FileRequired("Choose a file")],
        description=f"CSV or a workbook (.xlsx) in the columns of the export, up to {MOST_BYTES // 1_000_000} MB.",
        render_kw={"accept": ",".join(ENDINGS)},
    )  # fmt: skip


class HeldForm(Form):
    """Which pair and day."""

    currency = StringField("One unit of", [DataRequired("Enter a currency"), Length(max=3)], render_kw=_CODE)
    against = StringField("In", [DataRequired("Enter the other currency"), Length(max=3)], render_kw=_CODE)
    day = DateField("On", [InputRequired("Enter the day")])
