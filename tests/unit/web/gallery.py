"""Every component once, with invented figures: what the look is judged by. `python -m tests.unit.web.gallery PORT` shows it."""

import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, flash, render_template, request
from jinja2 import StrictUndefined
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    Form,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice

from app import charts
from app.web.assets import STATIC, register_assets
from app.web.fields import NUMBER_WORDS

TEMPLATES = Path(__file__).parents[3] / "templates"
TODAY = date(2027, 1, 14)


class WaiverForm(Form):
    token = HiddenField(default="t")
    criterion = SelectField(
        "Criterion", choices=[SelectChoice("training", "Training readiness"), SelectChoice("orders", "Open orders")]
    )
    until = DateField("Until", description="At most 30 days; it lapses at the end of this day.")
    mark = DecimalField("Own mark", description="The reading you accept meanwhile.")
    reason = TextAreaField("Reason", description="Required; it stands in the decision pack.")
    kind = RadioField(
        "Covers", choices=[SelectChoice("site", "this site"), SelectChoice("wave", "the whole wave")], default="site"
    )
    agreed = BooleanField("The process owner knows")


class VoteForm(Form):
    token = HiddenField(default="t")
    choice = RadioField(
        "Your vote", choices=[SelectChoice("postpone", "Postpone"), SelectChoice("no-go", "No-go")], default="postpone"
    )
    reason = TextAreaField(
        "Reason, required, in the log", default="Prove the invoices first; a week costs less than wrong ones."
    )


class SignInForm(Form):
    token = HiddenField(default="t")
    email = StringField("E-mail")
    password = PasswordField("Password")


def d(text: str) -> Decimal:
    return Decimal(text)


def four_waves() -> list[charts.WaveRow]:
    gate = charts.GateMark
    return [
        charts.WaveRow(
            name="Wave 1 · DE West",
            cells="Duisburg DC, Köln",
            prepares_from=date(2026, 7, 1),
            planned=date(2026, 10, 12),
            live=date(2026, 10, 19),
            hypercare_until=date(2027, 1, 22),
            gates=(gate(date(2027, 1, 22), "exit", "pass"),),
        ),
        charts.WaveRow(
            name="Wave 2 · DE North",
            cells="Hamburg DC, Bremen",
            prepares_from=date(2026, 10, 12),
            planned=date(2027, 2, 1),
            hypercare_until=date(2027, 4, 26),
            gates=(gate(date(2027, 1, 19), "entry", "none"),),
        ),
        charts.WaveRow(
            name="Wave 3 · DE South",
            cells="Nürnberg DC, third-party warehouse Fürth",
            prepares_from=date(2027, 1, 11),
            planned=date(2027, 4, 12),
            hypercare_until=date(2027, 6, 28),
            gates=(gate(date(2027, 3, 30), "entry", "wait"),),
        ),
        charts.WaveRow(
            name="Wave 4 · AT",
            cells="Linz DC",
            prepares_from=date(2027, 3, 1),
            planned=date(2027, 6, 7),
            hypercare_until=date(2027, 8, 30),
            gates=(gate(date(2027, 5, 25), "entry", "wait"),),
        ),
    ]


def pictures() -> dict[str, charts.Chart]:
    first = date(2026, 10, 26)
    values = ["91.2", "92.0", "92.9", "92.4", None, "94.1", "94.4", "95.3", "96.2", "95.8", "96.4", "96.8"]
    points = [
        charts.TrendPoint(
            first + timedelta(weeks=n),
            None if v is None else d(v),
            None if v is None else d(v) - 2,
            None if v is None else d(v) + d("1.1"),
            380 + n,
        )
        for n, v in enumerate(values)
    ]
    control = [
        charts.ControlPoint(first + timedelta(days=3 * n), d(v))
        for n, v in enumerate("41 43 39 44 42 40 45 43 41 44 42 43".split())
    ]
    control += [charts.ControlPoint(date(2026, 12, 6), d("58"), "beyond the upper limit")]
    span = charts.ForecastSpan
    rows = [
        charts.ForecastRow(
            "Invoices right", (span(TODAY, "none"), span(date(2027, 1, 18), "warn"), span(date(2027, 1, 22), "pass"))
        ),
        charts.ForecastRow("Inventory accuracy", (span(TODAY, "warn"), span(date(2027, 1, 16), "pass"))),
        charts.ForecastRow("Training readiness", (span(TODAY, "waived"), span(date(2027, 1, 22), "pass"))),
        charts.ForecastRow("Open orders", (span(TODAY, "fail"),)),
    ]
    return {
        "trend": charts.trend(
            "Commitment attainment", points, key="attainment", unit="%", direction="up", target=95, warn=93, baseline=d("92.1"), ceiling=100,
            events=[charts.TrendEvent(date(2026, 11, 2), "Wave 1 live"), charts.TrendEvent(date(2026, 11, 10), "Variant: branch cash sale"), charts.TrendEvent(date(2026, 12, 21), "Release 1.8")],
        ),
        "control": charts.control_chart("Exceptions per day", control, key="exceptions", unit="orders", centre=d("42.3"), lower=d("34.1"), upper=d("50.4")),
        "waves": charts.waves_timeline("Waves", four_waves(), key="waves", today=TODAY, first=date(2026, 10, 1), last=date(2027, 6, 30), blackouts=[charts.Blackout(date(2026, 11, 16), date(2026, 12, 23), "peak"), charts.Blackout(date(2026, 12, 28), date(2027, 1, 7), "close"), charts.Blackout(date(2027, 3, 26), date(2027, 3, 29), "Easter")]),
        "forecast": charts.forecast_bars("Forecast", rows, key="forecast", first=TODAY, last=date(2027, 1, 25), decides=date(2027, 1, 19)),
        "ageing": charts.ageing_bars("Open exceptions by age", ("under 4 h", "4 – 8 h", "8 – 24 h", "1 – 3 d", "over 3 d"), [charts.AgeingRow("Duisburg DC", (14, 6, 3, 2, 1)), charts.AgeingRow("Köln branch", (4, 2, 0, 1, 0)), charts.AgeingRow("Hamburg DC", (9, 8, 7, 5, 6)), charts.AgeingRow("Linz DC", (0, 0, 0, 0, 0))], key="ageing", unit="exceptions"),
        "funnel": charts.funnel("Order to cash", [charts.FunnelStep("Captured", 1226), charts.FunnelStep("Released", 1204), charts.FunnelStep("Allocated", 1171), charts.FunnelStep("Shipped", 1102), charts.FunnelStep("Invoiced", 1087), charts.FunnelStep("Paid", 612)], key="funnel", unit="Journeys"),
        "credit": charts.stacked_bar("Credit exposure, gross €", [charts.Segment("Open invoices", d("41860.35"), 1), charts.Segment("Open orders", d("13905.20"), 2), charts.Segment("This order", d("7707.87"), 3)], limit=60000, unit="€", key="credit"),
        "spark_up": charts.sparkline([d(v) for v in "92.1 92.8 93.1 92.9 94 94.6 95.1 95.9 95.4 96.8".split()], target=95, direction="up", unit="%"),
        "spark_down": charts.sparkline([d(v) for v in "31.5 31 29.8 28 27.2 26 24.5 25.1 22.8 21.6".split()], target=24, direction="down", unit="h"),
        "spark_gap": charts.sparkline([d("9"), d("9.4"), None, None, d("11"), d("12.9"), d("14.2")], target=10, direction="down", unit="%"),
    }  # fmt: skip


def criterion(name: str, verdict: str, **more: Any) -> dict[str, Any]:
    """A row of the criteria table with the fields the test does not name filled in."""
    kind: Any = {"no evidence": "none"}.get(verdict, verdict)
    value, mark = more.pop("value", d("96.8")), more.pop("mark", d("95"))
    low, high = more.pop("low", None), more.pop("high", None)
    direction: Any = more.pop("direction", "up")
    bar = charts.interval_bar(
        charts.Interval(value=value, pass_mark=mark, warn_mark=more.pop("warn", None), low=low, high=high, direction=direction, verdict=kind, unit="%")
    )  # fmt: skip
    sign = "≥" if direction == "up" else "≤"
    row = {
        "name": name, "href": "#", "code": name.lower().replace(" ", "_"), "badges": ["key"], "weight": 10, "verdict": verdict,
        "verdict_sub": "held 5 of 5" if verdict == "pass" else "", "threshold": f"{sign} {mark} %", "threshold_sub": "bound",
        "reading": f"{value} %", "reading_sub": f"{low} – {high}" if low else "census", "interval": bar,
        "count": "412 orders", "count_sub": "1,922 of 1,986 lines",
        "trend": charts.sparkline([mark - 3, mark - 2, mark - 1, mark, value], target=mark, direction=direction),
        "evidence": "Reference, live", "evidence_sub": "Duisburg DC, 14 d", "owner": "T. Brandt", "owner_sub": "Orders",
    }  # fmt: skip
    return row | more


def example() -> dict[str, Any]:
    form = WaiverForm(data={"criterion": "training", "mark": d("83.3"), "kind": "site"})
    form.until.errors = ["31 Mar is more than 30 days away; choose a day up to 13 Feb"]
    form.reason.errors = ["Say why the wave can go live without this"]
    people = [
        {"name": "M. Albers", "role": "Finance", "state": "voted", "vote": "Postpone to 8 Feb", "reason": "271 invoices prove nothing yet."},
        {"name": "S. Yildiz", "role": "Warehouse", "state": "voted", "vote": "Postpone to 8 Feb"},
        {"name": "K. Voss", "role": "Chair", "state": "waiting", "vote": "you, not yet", "you": True},
        {"name": "C. Reuter", "role": "Tax and audit", "state": "delegated", "vote": "delegate: J. Ahrens"},
        {"name": "H. Lindner", "role": "Logistics", "state": "recused", "vote": "recused: carrier contract"},
    ]  # fmt: skip
    closed = "closed while a key criterion has no evidence. Forecast to open Mon 18 Jan."
    groups = [
        {"name": "Process", "note": "4 criteria · 20.5 of 33 points", "criteria": [
            criterion("Invoices right at posting", "no evidence", value=d("98.9"), mark=d("97.0"), low=d("96.8"), high=d("99.6"), verdict_sub="33 more invoices", blocks=True, count="271", count_sub="of 274 invoices", evidence="Own rehearsal"),
            criterion("Commitment attainment", "pass", low=d("95.4"), high=d("97.8"), warn=93),
            criterion("Touchless orders", "warn", value=d("66.4"), mark=70, low=d("61.7"), high=d("70.8"), warn=62, verdict_sub="3.6 points short", badges=[], weight=5),
        ]},
        {"name": "Deployment", "note": "7 criteria · 30.0 of 38 points", "criteria": [
            criterion("Converted open orders equal", "fail", value=d("98.2"), mark=d("99.5"), warn=99, verdict_sub="24 differ, 19 by unit", weight=6, badges=[]),
            criterion("Interface failures", "pass", value=d("0.21"), mark=d("0.50"), warn=1, low=d("0.13"), high=d("0.33"), direction="down", weight=3, badges=[]),
            criterion("E-invoice and archive", "pass", badges=["statutory"], interval=None, trend=None, reading="Attested", reading_sub="8 Jan 2027", threshold="attested", threshold_sub="in force on 1 Feb", count="1 document", count_sub="tax opinion 27-003", weight=3),
        ]},
        {"name": "Adoption", "note": "2 criteria · 9.0 of 13 points", "criteria": [
            criterion("Training readiness", "waived", value=d("83.3"), mark=95, warn=85, verdict_sub="own verdict: fail", badges=[], weight=8, count="10", count_sub="of 12 heads"),
        ]},
    ]  # fmt: skip
    return {
        "navigation": navigation(),
        "scope": [
            {"label": "Programme", "value": "One Core", "href": "#"},
            {"label": "Wave", "value": "2 · DE North", "choices": [{"label": "Wave 1", "href": "#"}, {"label": "Wave 2", "href": "#", "current": True}]},
            {"label": "Site", "value": "all 2", "href": "#"},
        ],
        "search_url": "/search", "user": {"name": "Dr. Katrin Voss", "role": "Chair", "links": [{"label": "Account", "href": "#"}]},
        "sign_out_url": "/sign-out", "csrf_token": lambda: "token", "uses_htmx": True,
        "realm": request.args.get("realm", "live"),
        "score": d("67.5"),
        "score_groups": [charts.ScoreGroup("Process", d("20.5"), 33), charts.ScoreGroup("Data", d("8.0"), 16), charts.ScoreGroup("Deployment", d("30.0"), 38), charts.ScoreGroup("Adoption", d("9.0"), 13)],
        "holds": [
            {"title": "Invoices right", "href": "#", "points": "−10.0, blocks", "text": "Add returns and credit notes to Saturday’s run. M. Albers, by 16 Jan"},
            {"title": "Open orders converted", "points": "−6.0", "text": "19 of 24 differences are one unit rule: pack of 12. R. Janssen, fix in test"},
            {"title": "Inventory accuracy", "points": "−5.0", "text": "Bound 97.5 % meets the mark; two more days must hold. Nothing to do"},
        ],
        "people": people,
        "decision_moves": [
            {"label": "Go", "permitted": False, "reason": closed}, {"label": "Conditional", "permitted": False, "reason": closed},
            {"label": "Postpone…", "permitted": True, "href": "#"}, {"label": "No-go…", "permitted": True, "action": "/no-go"},
        ],
        "criteria_groups": groups, "charts": SimpleNamespace(**pictures()), "form": form, "vote": VoteForm(), "sign_in": SignInForm(),
        "orders": [
            {"number": "SO-20871", "customer": "Nordhaus Bautechnik GmbH", "due": "Fri 15 Jan", "verdict": "pass", "state": "Allocated", "net": "6,477.20"},
            {"number": "SO-20869", "customer": "Elbe Haustechnik KG", "due": "Fri 15 Jan", "verdict": "warn", "state": "Held: credit", "net": "1,204.00"},
            {"number": "SO-20858", "customer": "Weser Sanitär", "due": "Thu 14 Jan", "verdict": "fail", "state": "Late, 2 lines", "net": "318.60"},
        ],
        "cells": [{"label": "Duisburg DC", "cells": [{"word": "pass", "href": "#"}, {"word": "warn", "href": "#"}, {"word": "pass", "href": "#"}]}, {"label": "Köln branch", "cells": [{"word": "fail", "href": "#", "text": "14.2"}, None, {"word": "no evidence", "href": "#"}]}],
        "sort_href": lambda sort: f"?sort={sort}", "page_href": lambda page: f"?page={page}",
        "tiles": [
            {"name": "Orders shipped on time", "value": "96.8 %", "verdict": "pass", "sub": "412 of 426 since 06:00"},
            {"name": "Silent failures", "value": "6", "verdict": "fail", "sub": "oldest 9 h 05, limit 8 h"},
            {"name": "Open exceptions", "value": "34", "verdict": "warn", "sub": "9 without owner"},
            {"name": "Invoices posted", "value": "271", "verdict": "no evidence", "sub": "33 more needed"},
            {"name": "Backlog age p90", "value": "3.2 h", "verdict": "pass", "sub": "limit 8 h"},
            {"name": "Control difference", "value": "0.00", "verdict": "pass", "sub": "proved 09:35"},
        ],
    }  # fmt: skip


def navigation() -> list[dict[str, Any]]:
    def group(label: str, *names: str) -> dict[str, Any]:
        counts = {"Today": 7, "Waves and gates": 2, "Decisions": 1, "Exceptions": 9}
        return {"label": label, "items": [{"label": n, "href": "#", "active": n == "Waves and gates", "count": counts.get(n, "")} for n in names]}  # fmt: skip

    return [
        group("", "Today"),
        group("Steer", "Programme", "Waves and gates", "Decisions", "Measures"),
        group("Go live", "Cutover", "Training", "Hypercare"),
        group("Operate", "Orders", "Warehouse", "Billing", "Exceptions"),
    ]


def gallery_app() -> Flask:
    """An application with nothing but the look: pages /, /vote, /sign-in, /wall and /broken."""
    app = Flask("gallery", template_folder=str(TEMPLATES), static_folder=str(STATIC))
    app.config["SECRET_KEY"] = "gallery"
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["number_words"] = NUMBER_WORDS
    register_assets(app)

    @app.after_request
    def strict_policy(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = "default-src 'self'; img-src 'self' data:"
        return response

    def page(template: str) -> Any:
        def view() -> str:
            if template == "_gallery.html":
                flash("Criteria saved. They count from the next evaluation.", "success")
            return render_template(template, **example())

        return view

    for path, template in {"/": "_gallery.html", "/vote": "_gallery_vote.html", "/sign-in": "_gallery_sign_in.html", "/wall": "_gallery_wall.html", "/broken": "errors/404.html"}.items():  # fmt: skip
        app.add_url_rule(path, template, page(template))
    return app


if __name__ == "__main__":
    gallery_app().run(port=int(sys.argv[1]))
