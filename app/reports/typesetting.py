"""How does a document become a PDF? Through WeasyPrint, tagged, the same bytes every time, with nothing fetched.

Letters and style sheets come from the product, pictures stand in the document, and every other address is refused.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.charts.style import literal
from app.charts.typeface import paper_faces
from app.config import ROOT
from app.reports.archivable import MOST_SPARE, is_countable, make_archivable
from erpcore.kernel.errors import RuleBroken

_FACES = ROOT / "app" / "web" / "static" / "typeface"
_SIGN = (
    "M1.6 5.2c2.1 0 2.1 2.3 4.2 2.3s2.1-2.3 4.2-2.3 2.1 2.3 4.2 2.3M1.6 10c2.1 0 2.1 2.3 4.2 2.3"
    "s2.1-2.3 4.2-2.3 2.1 2.3 4.2 2.3M8 1.4v13.2"
)
logger = logging.getLogger(__name__)


def set_pages(
    html: str, style: str, *, finish: Callable[[Any], None] | None = None, attach: Callable[[], Any] = list
) -> bytes:
    """``html`` as a tagged PDF/A-3u in the look of the style sheet of that name. ``finish`` may add to the pydyf document,
    ``attach`` gives the files that it carries, anew each time that it is asked.

    Raises ``RuleBroken("pdf_not_available")`` where the system lacks text libraries. Takes a tenth of a second or more of
    processor time: call it outside of any transaction.
    """
    weasyprint = engine()
    fetcher = closed_fetcher(weasyprint)
    fonts = weasyprint.text.fonts.FontConfiguration()
    sheet = weasyprint.CSS(string=style_sheet(style), font_config=fonts, url_fetcher=fetcher)
    document = weasyprint.HTML(string=html, url_fetcher=fetcher, base_url=None)

    def written(spare: int) -> bytes:
        def finisher(_document: Any, pdf: Any) -> None:
            if finish is not None:
                finish(pdf)
            make_archivable(pdf, spare=spare)

        raw: bytes = document.write_pdf(
            stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/a-3u", pdf_tags=True, finisher=finisher,
            attachments=attach(),
        )  # fmt: skip
        return raw

    try:
        # The table of where objects stand is packed after everything else, and may end as no other stream does either.
        tries = map(written, range(MOST_SPARE))
        return next((raw for raw in tries if is_countable(raw)), None) or written(0)
    except weasyprint.urls.FatalURLFetchingError as asked:
        # WeasyPrint's own error is no Exception, and would end a server's process.
        raise RuntimeError(str(asked)) from asked


def engine() -> Any:
    """WeasyPrint; raises ``RuleBroken("pdf_not_available")`` where the system lacks text libraries."""
    try:
        import weasyprint  # noqa: PLC0415  half a second to import, and absent libraries must not stop the site
        import weasyprint.text.fonts  # noqa: PLC0415  as the line above
    except (ImportError, OSError) as missing:
        logger.warning("PDF not available", extra={"reason": str(missing).splitlines()[0]})
        raise RuleBroken("pdf_not_available") from missing
    return weasyprint


def closed_fetcher(weasyprint: Any) -> Any:
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
def style_sheet(name: str) -> str:
    """A style sheet that lies beside this module."""
    return (files("app.reports") / f"{name}.css").read_text(encoding="utf-8")


@cache
def templates() -> Environment:
    """The templates of papers; an unknown name in one is an error."""
    return Environment(
        loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def product_sign() -> Markup:
    """The product's mark."""
    return drawn(_SIGN, literal("accent"))


def drawn(path: str, colour: str) -> Markup:
    """A sign beside its word; decoration, since the word says it all."""
    return Markup(
        '<svg class="i" viewBox="0 0 16 16" xmlns="http://www.w3.org/2000/svg"><title>·</title><path fill="none" stroke="{}"'
        ' stroke-width="2" stroke-linecap="round" stroke-linejoin="round" d="{}"/></svg>'
    ).format(colour, path)
