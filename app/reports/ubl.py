"""How does UBL 2.1 say an invoice or a credit memo? In the syntax binding that EN 16931-3-2 gives each business term."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from app.reports.xml_tree import Node, node, written
from erpcore.billing.einvoice.document import SPECIFICATION, EInvoice, Kind, Line, Party, Place, TaxPart

_CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
_CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_ROOT = "urn:oasis:names:specification:ubl:schema:xsd:{}-2"


def _cac(name: str, *children: Node) -> Node:
    return node(f"cac:{name}", *children)


def _cbc(name: str, text: object, **attributes: str) -> Node:
    return node(f"cbc:{name}", text=text, **attributes)


def ubl(said: EInvoice) -> bytes:
    """The document as UBL."""
    is_invoice = said.kind is Kind.INVOICE
    name = "Invoice" if is_invoice else "CreditNote"
    money = partial(_money, said.currency)
    days = said.delivery
    several = days.first is not None and days.first != days.last
    root = node(
        name,
        _cbc("CustomizationID", SPECIFICATION),
        _cbc("ID", said.number),
        _cbc("IssueDate", said.issued_on),
        _cbc("DueDate", said.due_on) if is_invoice else None,
        _cbc(f"{name}TypeCode", said.kind),
        _cbc("Note", " ".join(said.notes)),
        _cbc("DocumentCurrencyCode", said.currency),
        _cac("InvoicePeriod", _cbc("StartDate", days.first), _cbc("EndDate", days.last)) if several else None,
        _cac("OrderReference", _cbc("ID", said.buyer_reference), _cbc("SalesOrderID", said.order)) if said.buyer_reference else None,
        *(
            _cac("BillingReference", _cac("InvoiceDocumentReference", _cbc("ID", number), _cbc("IssueDate", on)))
            for number, on in said.preceding
        ),
        _cac("DespatchDocumentReference", _cbc("ID", said.shipment)),
        _cac("AccountingSupplierParty", _party(said.seller)),
        _cac("AccountingCustomerParty", _party(said.buyer)),
        _cac(
            "Delivery",
            None if several else _cbc("ActualDeliveryDate", days.first),
            _cac("DeliveryLocation", _place("Address", days.place)),
            _cac("DeliveryParty", _cac("PartyName", _cbc("Name", days.name))),
        ),
        _payment(said),
        _cac("PaymentTerms", _cbc("Note", said.terms)),
        _cac("TaxTotal", money("TaxAmount", said.tax), *(_part(one, money) for one in said.parts)),
        _cac(
            "LegalMonetaryTotal", money("LineExtensionAmount", said.net), money("TaxExclusiveAmount", said.net),
            money("TaxInclusiveAmount", said.gross), money("PayableAmount", said.gross),
        ),
        *(_line(one, money, is_invoice=is_invoice) for one in said.lines),
    )  # fmt: skip
    return written(root, {"": _ROOT.format(name), "cac": _CAC, "cbc": _CBC})


def _payment(said: EInvoice) -> Node:
    if said.pay_to is None:
        return None
    bank = _cac("FinancialInstitutionBranch", _cbc("ID", said.pay_to.bic))
    account = _cac("PayeeFinancialAccount", _cbc("ID", said.pay_to.account), _cbc("Name", said.pay_to.holder), bank)
    return _cac("PaymentMeans", _cbc("PaymentMeansCode", said.means), _cbc("PaymentID", said.number), account)


def _money(currency: str, name: str, amount: Decimal) -> Node:
    return _cbc(name, f"{amount:f}", currencyID=currency)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _vat() -> Node:
    return _cac("TaxScheme", _cbc("ID", "VAT"))


def _place(name: str, place: Place | None) -> Node:
    if place is None:
        return None
    return _cac(
        name, _cbc("StreetName", place.street), _cbc("CityName", place.city), _cbc("PostalZone", place.postal_code),
        _cbc("CountrySubentity", place.region), _cac("Country", _cbc("IdentificationCode", place.country)),
    )  # fmt: skip


def _party(party: Party) -> Node:
    other = _cac("PartyTaxScheme", _cbc("CompanyID", party.tax_number), _cac("TaxScheme", _cbc("ID", "TAX")))
    return _cac(
        "Party",
        _cac("PartyIdentification", _cbc("ID", party.code)),
        _place("PostalAddress", party.place),
        _cac("PartyTaxScheme", _cbc("CompanyID", party.vat), _vat()) if party.vat else None,
        other if party.tax_number else None,
        _cac("PartyLegalEntity", _cbc("RegistrationName", party.name), _cbc("CompanyID", party.register_number)),
    )


def _part(part: TaxPart, money: partial[Node]) -> Node:
    category = _cac(
        "TaxCategory", _cbc("ID", part.category), None if part.category == "O" else _cbc("Percent", _plain(part.rate)),
        _cbc("TaxExemptionReason", part.reason), _vat(),
    )  # fmt: skip
    return _cac("TaxSubtotal", money("TaxableAmount", part.base), money("TaxAmount", part.tax), category)


def _line(line: Line, money: partial[Node], *, is_invoice: bool) -> Node:
    taxed = _cac(
        "ClassifiedTaxCategory", _cbc("ID", line.category),
        None if line.category == "O" or line.rate is None else _cbc("Percent", _plain(line.rate)), _vat(),
    )  # fmt: skip
    return _cac(
        "InvoiceLine" if is_invoice else "CreditNoteLine",
        _cbc("ID", line.number),
        _cbc("InvoicedQuantity" if is_invoice else "CreditedQuantity", _plain(line.quantity), unitCode=line.unit or ""),
        money("LineExtensionAmount", line.net),
        _cac("Item", _cbc("Name", line.name), _cac("SellersItemIdentification", _cbc("ID", line.code)), taxed),
        _cac("Price", money("PriceAmount", line.price.normalize() + Decimal(0))),
    )
