"""What does a camt.053 statement say? Any version: elements are known by their names, whatever their namespace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

from app.importers.bankfiles.values import Unreadable, clean, day_of, minor_of
from erpcore.billing.bank import BankLine, TakeStatement

Element = Any


class _Plain(ET.TreeBuilder):
    """A tree of plain elements; a document type, which may make a small file a huge one, is refused."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse it."""
        raise Unreadable("the file declares a document type, which no bank needs")


def _root(content: bytes) -> Element:
    parser = ET.XMLParser(target=_Plain())  # noqa: S314 - what is dangerous begins with a document type, which is refused
    try:
        parser.feed(content)
        root = parser.close()
    except (ET.ParseError, LookupError, ValueError) as error:
        raise Unreadable(f"the file is cut off or not in the character set that it names ({error})") from error
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    return root


def read_camt(content: bytes) -> list[TakeStatement]:
    """The statements of a file; raises ``Unreadable`` for one that is no camt.053."""
    root = _root(content)
    found = root.findall("BkToCstmrStmt/Stmt")
    if not found:
        raise Unreadable("the file holds no statement of camt.053")
    try:
        return [_statement(one) for one in found]
    except RecursionError as error:
        raise Unreadable("the file is nested deeper than any statement is") from error


def _text(element: Element, *paths: str) -> str:
    for path in paths:
        value = clean(element.findtext(path))
        if value:
            return value
    return ""


def _statement(element: Element) -> TakeStatement:
    account = _text(element, "Acct/Id/IBAN", "Acct/Id/Othr/Id").replace(" ", "")
    balances = {_text(one, "Tp/CdOrPrtry/Cd"): one for one in element.findall("Bal")}
    opening, closing = balances.get("OPBD", balances.get("PRCD")), balances.get("CLBD")
    fault, currency = "", _text(element, "Acct/Ccy")
    if opening is not None:
        currency = opening.find("Amt").get("Ccy", currency) if opening.find("Amt") is not None else currency
    sums: list[int | None] = []
    for name, one in (("opening", opening), ("closing", closing)):
        try:
            sums.append(_balance(one, currency, name))
        except Unreadable as unread:
            fault = fault or str(unread)
            sums.append(None)
    lines = [line for entry in element.findall("Ntry") for line in _entry(entry, currency)]
    return TakeStatement(
        format="camt.053", reference=_text(element, "Id", "ElctrncSeqNb") or "–", account=account, currency=currency,
        opening_minor=sums[0], closing_minor=sums[1], fault=fault, lines=lines,
    )  # fmt: skip


def _balance(element: Element | None, currency: str, name: str) -> int:
    if element is None:
        raise Unreadable(f"the statement has no {name} balance")
    return _signed(element, "Amt", currency)


def _signed(element: Element, path: str, currency: str, sign: str = "") -> int:
    amount = element.find(path)
    if amount is None:
        raise Unreadable("an amount is missing")
    if amount.get("Ccy", currency) != currency:
        raise Unreadable(f"an amount is in {amount.get('Ccy')}, the account in {currency}")
    said = _text(element, "CdtDbtInd") or sign
    if said not in ("CRDT", "DBIT"):
        raise Unreadable(f"“{said}” is neither credit nor debit")
    minor = minor_of(amount.text or "", currency)
    return minor if said == "CRDT" else -minor


def _entry(entry: Element, currency: str) -> Iterator[BankLine]:
    """The lines of one entry: of a batch each transaction, when their amounts are there and add up."""
    if _text(entry, "Sts/Cd", "Sts") == "PDNG":
        return
    raw = ET.tostring(entry, encoding="unicode")[:4000]
    try:
        whole = _line(entry, entry, currency, raw)
    except Unreadable as unread:
        yield BankLine(raw=raw, fault=str(unread), text=_remittance(entry))
        return
    parts = entry.findall("NtryDtls/TxDtls")
    if len(parts) < 2:
        yield _with_details(whole, parts[0] if parts else entry, currency)
        return
    try:
        minors = [_signed(part, _amount_path(part), currency, _text(entry, "CdtDbtInd")) for part in parts]
    except Unreadable as unread:
        yield replace(whole, fault=f"of a batch: {unread}", amount_minor=None)
        return
    if sum(minors) != whole.amount_minor:
        yield replace(whole, fault="the transactions of the batch do not add up to it", amount_minor=None)
        return
    for at, (part, minor) in enumerate(zip(parts, minors, strict=True), 1):
        one = replace(whole, amount_minor=minor, bank_ref=f"{whole.bank_ref}/{at}" if whole.bank_ref else "")
        yield _with_details(one, part, currency)


def _amount_path(part: Element) -> str:
    return next((path for path in ("Amt", "AmtDtls/TxAmt/Amt") if part.find(path) is not None), "Amt")


def _line(entry: Element, part: Element, currency: str, raw: str) -> BankLine:
    booked = _text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm")[:10]
    valued = _text(entry, "ValDt/Dt") or _text(entry, "ValDt/DtTm")[:10]
    if not booked:
        raise Unreadable("the entry has no day")
    return BankLine(
        raw=raw, booked_on=day_of(booked), valued_on=day_of(valued) if valued else None,
        amount_minor=_signed(entry, "Amt", currency), bank_ref=_text(entry, "AcctSvcrRef", "NtryRef")[:110],
        is_return=entry.find(".//RtrInf") is not None or _text(entry, "RvslInd") in ("true", "1"), text=_remittance(part),
    )  # fmt: skip


def _remittance(part: Element) -> str:
    said = [clean(one.text) for one in part.iter("Ustrd")] + [
        clean(one.text) for one in part.findall(".//CdtrRefInf/Ref")
    ]
    return clean(" ".join(said) or _text(part, "AddtlNtryInf", "AddtlTxInf"))


def _with_details(line: BankLine, part: Element, currency: str) -> BankLine:
    """The line with who paid, why and what the bank kept; a fee that cannot be read makes it faulty."""
    side = "Dbtr" if (line.amount_minor or 0) > 0 else "Cdtr"
    fee = 0
    try:
        for one in part.findall("Chrgs/Amt") or part.findall("Chrgs/Rcrd/Amt"):
            fee += minor_of(one.text or "", currency) if one.get("Ccy", currency) == currency else 0
    except Unreadable as unread:
        return replace(line, fault=f"the bank’s fee: {unread}", amount_minor=None)
    instructed = part.find("AmtDtls/InstdAmt/Amt")
    foreign = ""
    if instructed is not None and instructed.get("Ccy", currency) != currency:
        foreign = clean(f"{instructed.get('Ccy')} {instructed.text}", 40)
    end_to_end = _text(part, "Refs/EndToEndId", ".//EndToEndId")
    return replace(
        line, fee_minor=fee if (line.amount_minor or 0) > 0 else 0, foreign=foreign,
        name=_text(part, f".//RltdPties/{side}/Pty/Nm", f".//RltdPties/{side}/Nm")[:300],
        payer=_text(part, f".//RltdPties/{side}Acct/Id/IBAN", f".//RltdPties/{side}Acct/Id/Othr/Id").replace(" ", "")[:64],
        end_to_end="" if end_to_end == "NOTPROVIDED" else end_to_end[:120], text=_remittance(part) or line.text,
    )  # fmt: skip
