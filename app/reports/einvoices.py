"""How do an invoice and a credit memo leave for other programs? As UBL, and as Factur-X: a PDF that carries the CII.

Neither is written unless it holds what EN 16931 demands and its sums agree; what lacks is said with the place where it is entered.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from app.reports.cii import cii
from app.reports.papers import Paper, day_text, frame, pay_rows
from app.reports.typesetting import engine, set_pages, templates
from app.reports.ubl import ubl
from erpcore.billing.einvoice.document import EInvoice, Kind, Line, Place
from erpcore.billing.einvoice.rules import differences, lacking
from erpcore.kernel.errors import RuleBroken
from erpcore.masterdata.countries import country_name

#: The name by which readers of Factur-X look for the XML.
XML_NAME = "factur-x.xml"
_WORDS = {Kind.INVOICE: "Invoice", Kind.CREDIT_MEMO: "Credit memo"}
#: What a description of a PDF must say of the schema of its own properties (ISO 19005-3), then the properties of Factur-X.
_XMP = """<rdf:Description rdf:about="" xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">
<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>{name}</fx:DocumentFileName><fx:Version>1.0</fx:Version>
<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"""
_PROPERTY = (
    '<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>'
    "<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>{}</pdfaProperty:description></rdf:li>"
)
_PROPERTIES = {
    "DocumentFileName": "name of the embedded XML invoice file", "DocumentType": "INVOICE", "Version": "version of the XML data",
    "ConformanceLevel": "profile of the XML data",
}  # fmt: skip


def require_sound(said: EInvoice) -> None:
    """Raise ``RuleBroken``: ``einvoice_lacks`` with all that is missing and where to enter it, ``einvoice_unsound`` for sums."""
    lacks = lacking(said)
    if lacks:
        text = "; ".join(f"{one.sentence} ({one.rule}). {one.way_out}" for one in lacks)
        raise RuleBroken("einvoice_lacks", document=said.number, lacks=text)
    wrong = differences(said)
    if wrong:
        raise RuleBroken(
            "einvoice_unsound", document=said.number, why="; ".join(f"{one.sentence} ({one.rule})" for one in wrong)
        )


def ubl_file(said: EInvoice) -> Paper:
    """The document as UBL 2.1."""
    require_sound(said)
    return Paper(file_name=f"{said.file_name}.xml", content=ubl(said))


def cii_file(said: EInvoice) -> Paper:
    """The document as CII, the XML that the PDF carries."""
    require_sound(said)
    return Paper(file_name=f"{said.file_name}.xml", content=cii(said))


def facturx_file(said: EInvoice) -> Paper:
    """The document as a PDF/A-3 that carries its CII. Takes a tenth of a second or more: call it outside of any transaction."""
    require_sound(said)
    weasyprint = engine()
    at = datetime.combine(said.issued_on, time(12), UTC)
    xml = cii(said).decode()

    def carried() -> list[Any]:
        return [weasyprint.Attachment(
            string=xml, name=XML_NAME, description="Factur-X invoice", created=at, modified=at, relationship="Alternative"
        )]  # fmt: skip

    properties = "".join(_PROPERTY.format(name, about) for name, about in _PROPERTIES.items())
    described = _XMP.format(name=XML_NAME, properties=properties).encode()
    html = templates().get_template("papers/invoice.html").render(**_context(said, at))
    content = set_pages(html, "slips", finish=_describe(described), attach=carried)
    return Paper(file_name=f"{said.file_name}.pdf", content=content)


def _describe(more: bytes) -> Callable[[Any], None]:
    """Add to the description that the PDF has of itself."""

    def finish(pdf: Any) -> None:
        for found in pdf.objects:
            if getattr(found, "extra", None) is not None and found.extra.get("Type") == "/Metadata":
                found.stream = [found.stream[0].replace(b"</rdf:RDF>", more + b"</rdf:RDF>")]

    return finish


def _context(said: EInvoice, at: datetime) -> dict[str, Any]:
    kind = _WORDS[said.kind]
    seller, to = said.seller, said.delivery
    context = frame(
        kind, said.number, at, realm=said.realm, of=said.buyer.name, foot=f"{kind} {said.number} · {seller.name}"
    )
    days = day_text(to.first) if to.first == to.last else f"{day_text(to.first)} to {day_text(to.last)}"
    facts = [
        (f"{kind} date", day_text(said.issued_on)), ("Due", day_text(said.due_on)), ("Customer", said.buyer.code),
        ("Your reference", said.buyer_reference or "–"), ("Our order", said.order or "–"), ("Goods left", days),
        ("Your VAT number", said.buyer.vat or "–"),
    ]  # fmt: skip
    if said.kind is Kind.CREDIT_MEMO:
        corrected = ", ".join(f"{number} of {day_text(on)}" for number, on in said.preceding)
        facts = [facts[0], ("Corrects", corrected or "no invoice"), facts[2], facts[6]]
    identity = [seller.vat or seller.tax_number, seller.register_number]
    money = {
        "from": " · ".join([seller.name, *_lines(seller.place), *(one for one in identity if one)]),
        "to": {"name": said.buyer.name, "lines": _lines(said.buyer.place)},
        "gone_to": ", ".join([to.name, *_lines(to.place)]) if to.name else "",
        "lines": [_shown(one) for one in said.lines], "currency": said.currency,
        "sums": [
            ("Net", f"{said.net:,f}"),
            *((f"Tax {_quantity(one.rate)} % on {one.base:,f}", f"{one.tax:,f}") for one in said.parts),
            ("To pay" if said.kind is Kind.INVOICE else "Given back", f"{said.gross:,f} {said.currency}"),
        ],
        "notes": [*(one.reason for one in said.parts if one.reason), *([said.terms] if said.terms else []), *said.notes],
    }  # fmt: skip
    return context | {"whose": seller.name, "facts": facts, "bill": money, "pay_to": pay_rows(said.pay_to, said.number)}


def _lines(place: Place | None) -> list[str]:
    if place is None:
        return []
    town = f"{place.postal_code} {place.city}".strip()
    country = country_name(place.country) if place.country else ""
    return [one for one in (place.street, town, place.region, country) if one]


def _quantity(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _shown(line: Line) -> dict[str, str]:
    price = max(
        line.price.normalize(), line.price.quantize(Decimal("0.01")), key=lambda one: -int(one.as_tuple().exponent)
    )
    return {
        "number": str(line.number), "code": line.code, "name": line.name, "quantity": f"{_quantity(line.quantity)} {line.unit_said}",
        "price": f"{price:,f}", "tax": _quantity(line.rate or Decimal(0)), "net": f"{line.net:,f}",
    }  # fmt: skip
