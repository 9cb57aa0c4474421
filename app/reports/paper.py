"""How does a pack become a PDF? One HTML document through WeasyPrint: tagged PDF/A-3u, the same bytes every time.

Nothing is fetched: letters and style sheet come from the product, pictures stand in the document, and every other address is
refused. The two documents of the dossier are attached.
"""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from typing import Any

from markupsafe import Markup

from app import charts
from app.charts.glyphs import GLYPHS, Kind
from app.charts.style import literal
from app.reports.dossier import Dossier
from app.reports.pack import Pack
from app.reports.presenting import present
from app.reports.seal import placeholder, seal
from app.reports.typesetting import drawn, engine, product_sign, set_pages, templates

EVIDENCE_NAME, REST_NAME = "evidence.json", "pack.json"
#: A class in the selector of a rule.
_CLASS = re.compile(r"\.([a-z0-9-]+)")


def render_pack(dossier: Dossier) -> bytes:
    """The sealed PDF of a dossier. Raises ``RuleBroken("pdf_not_available")`` where the system lacks text libraries.

    Takes a second or two of processor time: call it outside of any transaction.
    """
    weasyprint = engine()
    pack = present(dossier)

    def attachments() -> list[Any]:
        return [
            _attachment(weasyprint, EVIDENCE_NAME, "The evaluation as stored; its SHA-256 is the fingerprint",
                        dossier.evidence, pack.evaluated_at),
            _attachment(weasyprint, REST_NAME, "Names, trends, changes, votes and conditions shown in the pack",
                        dossier.rest, pack.made_from),
        ]  # fmt: skip

    return seal(set_pages(page(pack), "paper", finish=_add_seal, attach=attachments))


def page(pack: Pack) -> str:
    """The document that is set on A4."""
    return templates().get_template("reports/decision_pack.html").render(
        pack=pack, draw=_draw, shape=_shape, sign=product_sign
    )  # fmt: skip


def _add_seal(pdf: Any) -> None:
    """Put the place of the digest into the file; the digest itself can only be known when the file is whole."""
    import pydyf  # noqa: PLC0415  comes with WeasyPrint

    pdf.add_object(pydyf.Stream([placeholder()], compress=False))


def _attachment(weasyprint: Any, name: str, about: str, content: bytes, at: datetime) -> Any:
    return weasyprint.Attachment(
        string=content.decode(), name=name, description=about, created=at, modified=at, relationship="Data"
    )


def _draw(picture: charts.Chart) -> Markup:
    """A picture with literal colours, and its words where a reader of tagged PDFs looks for them."""
    svg = picture.with_style(_rules_for(picture.svg))
    if "<title" not in svg:
        head, body = svg.split(">", 1)
        svg = f"{head}><title>{escape(f'{picture.title}: {picture.description}')}</title>{body}"
    return Markup(svg)  # noqa: S704  drawn by app.charts, which escapes every text


def _rules_for(svg: str) -> str:
    """The chart rules whose classes stand in the picture: a rule is a line, and reading all of them takes longer than drawing."""
    worn = {name for names in re.findall(r'class="([^"]*)"', svg) for name in names.split()}
    return "\n".join(
        rule for rule in charts.chart_css().splitlines() if set(_CLASS.findall(rule.split("{")[0])) <= worn
    )


def _shape(kind: Kind) -> Markup:
    return drawn(GLYPHS[kind], literal(kind))
