"""How does a pack become a PDF? One HTML document through WeasyPrint: tagged PDF/A-3u, the same bytes every time.

Nothing is fetched: letters and style sheet come from the product, pictures stand in the document, and every other address is
refused. The two documents of the dossier are attached.
"""

from __future__ import annotations

import logging
import re
import tempfile
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app import charts
from app.charts.glyphs import GLYPHS, Kind
from app.charts.style import literal
from app.charts.typeface import paper_faces
from app.config import ROOT
from app.reports.dossier import Dossier
from app.reports.pack import Pack
from app.reports.presenting import present
from app.reports.seal import placeholder, seal
from erpcore.kernel.errors import RuleBroken

EVIDENCE_NAME, REST_NAME = "evidence.json", "pack.json"
_FACES = ROOT / "app" / "web" / "static" / "typeface"
_SIGN = (
    "M1.6 5.2c2.1 0 2.1 2.3 4.2 2.3s2.1-2.3 4.2-2.3 2.1 2.3 4.2 2.3M1.6 10c2.1 0 2.1 2.3 4.2 2.3"
    "s2.1-2.3 4.2-2.3 2.1 2.3 4.2 2.3M8 1.4v13.2"
)
#: A class in the selector of a rule.
_CLASS = re.compile(r"\.([a-z0-9-]+)")
logger = logging.getLogger(__name__)


def render_pack(dossier: Dossier) -> bytes:
    """The sealed PDF of a dossier. Raises ``RuleBroken("pdf_not_available")`` where the system lacks text libraries.

    Takes a second or two of processor time: call it outside of any transaction.
    """
    weasyprint = _weasyprint()
    pack = present(dossier)
    fetcher = _closed_fetcher(weasyprint)
    fonts = weasyprint.text.fonts.FontConfiguration()
    style = weasyprint.CSS(string=_style(), font_config=fonts, url_fetcher=fetcher)
    document = weasyprint.HTML(string=page(pack), url_fetcher=fetcher, base_url=None)
    try:
        raw: bytes = document.write_pdf(
            stylesheets=[style], font_config=fonts, pdf_variant="pdf/a-3u", pdf_tags=True, finisher=_add_seal,
            attachments=[
                _attachment(weasyprint, EVIDENCE_NAME, "The evaluation as stored; its SHA-256 is the fingerprint",
                            dossier.evidence, pack.evaluated_at),
                _attachment(weasyprint, REST_NAME, "Names, trends, changes, votes and conditions shown in the pack",
                            dossier.rest, pack.made_from),
            ],
        )  # fmt: skip
    except weasyprint.urls.FatalURLFetchingError as asked:
        # WeasyPrint's own error is no Exception, and would end a server's process.
        raise RuntimeError(str(asked)) from asked
    return seal(raw)


def page(pack: Pack) -> str:
    """The document that is set on A4."""
    return _templates().get_template("reports/decision_pack.html").render(
        pack=pack, draw=_draw, shape=_shape, sign=lambda: _drawn(_SIGN, literal("accent"))
    )  # fmt: skip


def pdf_available() -> bool:
    """Whether this system has the libraries that set a PDF."""
    try:
        _weasyprint()
    except RuleBroken:
        return False
    return True


def _weasyprint() -> Any:
    try:
        import weasyprint  # noqa: PLC0415  half a second to import, and absent libraries must not stop the site
        import weasyprint.text.fonts  # noqa: PLC0415  as the line above
    except (ImportError, OSError) as missing:
        logger.warning("PDF not available", extra={"reason": str(missing).splitlines()[0]})
        raise RuleBroken("pdf_not_available") from missing
    return weasyprint


def _add_seal(_document: Any, pdf: Any) -> None:
    """Put the place of the digest into the file; the digest itself can only be known when the file is whole."""
    import pydyf  # noqa: PLC0415  comes with WeasyPrint

    pdf.add_object(pydyf.Stream([placeholder()], compress=False))


def _attachment(weasyprint: Any, name: str, about: str, content: bytes, at: datetime) -> Any:
    return weasyprint.Attachment(
        string=content.decode(), name=name, description=about, created=at, modified=at, relationship="Data"
    )


def _closed_fetcher(weasyprint: Any) -> Any:
    """A fetcher that hands out the product's letters and what stands in ``data:`` addresses, and refuses all else."""
    faces = _faces()

    class Closed(weasyprint.urls.URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            scheme, _, rest = url.partition(":")
            if scheme == "typeface" and rest in faces:
                return weasyprint.urls.URLFetcherResponse(url, faces[rest], {"Content-Type": "font/ttf"})
            if scheme == "data":
                return super().fetch(url, headers)
            # A fatal error, so that a paper never comes out without something it asked for.
            raise weasyprint.urls.FatalURLFetchingError(f"a paper asked for {url[:120]!r}; nothing is fetched")

    return Closed(allowed_protocols={"data"}, allow_redirects=False)


@cache
def _faces() -> dict[str, bytes]:
    try:
        cut = paper_faces(_FACES)
    except OSError:  # an installation whose files cannot be written
        cut = paper_faces(Path(tempfile.gettempdir()) / "wavegate-typeface")
    return {str(face.weight): face.path.read_bytes() for face in cut}


@cache
def _style() -> str:
    return (files("app.reports") / "paper.css").read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


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
    return _drawn(GLYPHS[kind], literal(kind))


def _drawn(path: str, colour: str) -> Markup:
    """A sign beside its word; decoration, since the word says it all."""
    return Markup(
        '<svg class="i" viewBox="0 0 16 16" xmlns="http://www.w3.org/2000/svg"><title>·</title><path fill="none" stroke="{}"'
        ' stroke-width="2" stroke-linecap="round" stroke-linejoin="round" d="{}"/></svg>'
    ).format(colour, path)
