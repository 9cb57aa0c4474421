"""How does the Cross Industry Invoice of UN/CEFACT say a document? In the profile EN 16931 of Factur-X, which its PDF carries."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.reports.xml_tree import Node, node, written
from erpcore.billing.einvoice.document import SPECIFICATION, Delivery, EInvoice, Line, Party, Place, TaxPart

_SPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
#: Days as YYYYMMDD, by UNCL 2379.
_DAY = "102"


def _in(space: str, name: str, *children: Node, text: object = None, **attributes: str) -> Node:
    return node(f"{space}:{name}", *children, text=text, **attributes)


def _ram(name: str, *children: Node) -> Node:
    return _in("ram", name, *children)


def _said(name: str, text: object, **attributes: str) -> Node:
    return _in("ram", name, text=text, **attributes)


def cii(said: EInvoice) -> bytes:
    """The document as CII."""
    head = _in(
        "rsm", "ExchangedDocument",
        _said("ID", said.number), _said("TypeCode", said.kind), _on("IssueDateTime", said.issued_on),
        *(_ram("IncludedNote", _said("Content", one)) for one in said.notes),
    )  # fmt: skip
    trade = _in("rsm", "SupplyChainTradeTransaction", *map(_line, said.lines), _agreement(said), _delivered(said), _settlement(said))  # fmt: skip
    guideline = _ram("GuidelineSpecifiedDocumentContextParameter", _said("ID", SPECIFICATION))
    context = _in("rsm", "ExchangedDocumentContext", guideline)
    return written(_in("rsm", "CrossIndustryInvoice", context, head, trade), _SPACES)


def _on(name: str, day: date | None, space: str = "udt") -> Node:
    if day is None:
        return None
    return _ram(name, _in(space, "DateTimeString", text=f"{day:%Y%m%d}", format=_DAY))


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _place(place: Place | None) -> Node:
    if place is None:
        return None
    return _ram(
        "PostalTradeAddress", _said("PostcodeCode", place.postal_code), _said("LineOne", place.street), _said("CityName", place.city),
        _said("CountryID", place.country), _said("CountrySubDivisionName", place.region),
    )  # fmt: skip


def _party(name: str, party: Party) -> Node:
    numbers = [(party.vat, "VA"), (party.tax_number, "FC")]
    return _ram(
        name, _said("ID", party.code), _said("Name", party.name),
        _ram("SpecifiedLegalOrganization", _said("ID", party.register_number)), _place(party.place),
        *(_ram("SpecifiedTaxRegistration", _said("ID", number, schemeID=scheme)) for number, scheme in numbers if number),
    )  # fmt: skip


def _agreement(said: EInvoice) -> Node:
    return _ram(
        "ApplicableHeaderTradeAgreement", _party("SellerTradeParty", said.seller), _party("BuyerTradeParty", said.buyer),
        _ram("SellerOrderReferencedDocument", _said("IssuerAssignedID", said.order)),
        _ram("BuyerOrderReferencedDocument", _said("IssuerAssignedID", said.buyer_reference)),
    )  # fmt: skip


def _delivered(said: EInvoice) -> Node:
    to = said.delivery
    day = None if _several(to) else to.first
    # The element must be there, though it may have nothing to say.
    return _ram(
        "ApplicableHeaderTradeDelivery",
        _ram("ShipToTradeParty", _said("Name", to.name), _place(to.place)),
        _ram("ActualDeliverySupplyChainEvent", _on("OccurrenceDateTime", day)),
        _ram("DespatchAdviceReferencedDocument", _said("IssuerAssignedID", said.shipment)),
    ) or _empty("ApplicableHeaderTradeDelivery")


def _empty(name: str) -> Node:
    made = _said(name, "-")
    if made is not None:
        made.text = None
    return made


def _several(to: Delivery) -> bool:
    return to.first is not None and to.first != to.last


def _settlement(said: EInvoice) -> Node:
    to = said.delivery
    period = _ram("BillingSpecifiedPeriod", _on("StartDateTime", to.first), _on("EndDateTime", to.last))
    return _ram(
        "ApplicableHeaderTradeSettlement",
        _said("PaymentReference", said.number) if said.pay_to else None,
        _said("InvoiceCurrencyCode", said.currency),
        _payment(said),
        *map(_part, said.parts),
        period if _several(to) else None,
        _ram("SpecifiedTradePaymentTerms", _said("Description", said.terms), _on("DueDateDateTime", said.due_on)),
        _ram(
            "SpecifiedTradeSettlementHeaderMonetarySummation",
            _said("LineTotalAmount", f"{said.net:f}"), _said("TaxBasisTotalAmount", f"{said.net:f}"),
            _said("TaxTotalAmount", f"{said.tax:f}", currencyID=said.currency), _said("GrandTotalAmount", f"{said.gross:f}"),
            _said("DuePayableAmount", f"{said.gross:f}"),
        ),
        *(
            _ram("InvoiceReferencedDocument", _said("IssuerAssignedID", number), _on("FormattedIssueDateTime", on, "qdt"))
            for number, on in said.preceding
        ),
    )  # fmt: skip


def _payment(said: EInvoice) -> Node:
    to = said.pay_to
    if to is None:
        return None
    return _ram(
        "SpecifiedTradeSettlementPaymentMeans",
        _said("TypeCode", said.means),
        _ram(
            "PayeePartyCreditorFinancialAccount",
            _said("IBANID", to.account) if to.is_iban else None,
            _said("AccountName", to.holder),
            None if to.is_iban else _said("ProprietaryID", to.account),
        ),
        _ram("PayeeSpecifiedCreditorFinancialInstitution", _said("BICID", to.bic)),
    )


def _part(part: TaxPart) -> Node:
    return _ram(
        "ApplicableTradeTax", _said("CalculatedAmount", f"{part.tax:f}"), _said("TypeCode", "VAT"), _said("ExemptionReason", part.reason),
        _said("BasisAmount", f"{part.base:f}"), _said("CategoryCode", part.category),
        None if part.category == "O" else _said("RateApplicablePercent", _plain(part.rate)),
    )  # fmt: skip


def _line(line: Line) -> Node:
    rate = None if line.category == "O" or line.rate is None else _said("RateApplicablePercent", _plain(line.rate))
    return _ram(
        "IncludedSupplyChainTradeLineItem",
        _ram("AssociatedDocumentLineDocument", _said("LineID", line.number)),
        _ram("SpecifiedTradeProduct", _said("SellerAssignedID", line.code), _said("Name", line.name)),
        _ram(
            "SpecifiedLineTradeAgreement",
            _ram("NetPriceProductTradePrice", _said("ChargeAmount", _plain(line.price))),
        ),
        _ram("SpecifiedLineTradeDelivery", _said("BilledQuantity", _plain(line.quantity), unitCode=line.unit or "")),
        _ram(
            "SpecifiedLineTradeSettlement",
            _ram("ApplicableTradeTax", _said("TypeCode", "VAT"), _said("CategoryCode", line.category), rate),
            _ram("SpecifiedTradeSettlementLineMonetarySummation", _said("LineTotalAmount", f"{line.net:f}")),
        ),
    )  # fmt: skip
