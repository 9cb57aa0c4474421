"""Files as banks send them, valid in everything a test does not name."""

from __future__ import annotations

from collections.abc import Sequence

IBAN = "DE89370400440532013000"


def entry(
    amount: str, *, debit: bool = False, day: str = "2026-03-02", text: str = "", name: str = "", payer: str = "", ref: str = "",
    returned: str = "", fee: str = "", parts: Sequence[tuple[str, str]] = (), version: str = "08",
) -> str:  # fmt: skip
    """An entry of camt.053."""
    side = "Cdtr" if debit else "Dbtr"
    who = f"<{side}><Pty><Nm>{name}</Nm></Pty></{side}>" if version == "08" else f"<{side}><Nm>{name}</Nm></{side}>"
    status = "<Sts><Cd>BOOK</Cd></Sts>" if version == "08" else "<Sts>BOOK</Sts>"
    details = "".join(
        f'<TxDtls><Amt Ccy="EUR">{minor}</Amt><RmtInf><Ustrd>{said}</Ustrd></RmtInf></TxDtls>' for minor, said in parts
    ) or (
        "<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"
        + (f'<Chrgs><Rcrd><Amt Ccy="EUR">{fee}</Amt></Rcrd></Chrgs>' if fee else "")
        + f"<RltdPties>{who}<{side}Acct><Id><IBAN>{payer}</IBAN></Id></{side}Acct></RltdPties>"
        f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf>"
        + (f"<RtrInf><Rsn><Cd>{returned}</Cd></Rsn></RtrInf>" if returned else "")
        + "</TxDtls>"
    )
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{"DBIT" if debit else "CRDT"}</CdtDbtInd>{status}'
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>{ref}</AcctSvcrRef>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def camt(
    *entries: str, opening: str = "0.00", closing: str | None = "0.00", account: str = IBAN, currency: str = "EUR",
    version: str = "08", name: str = "2026-0302",
) -> bytes:  # fmt: skip
    """A statement of camt.053 in UTF-8."""

    def balance(code: str, amount: str) -> str:
        sign = "DBIT" if amount.startswith("-") else "CRDT"
        return (
            f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount.lstrip("-")}</Amt>'
            f"<CdtDbtInd>{sign}</CdtDbtInd></Bal>"
        )

    closed = "" if closing is None else balance("CLBD", closing)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><Stmt><Id>{name}</Id>'
        f"<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>{currency}</Ccy></Acct>{balance('OPBD', opening)}{closed}"
        f"{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def mt940(*entries: str, opening: str = "C260301EUR0,00", closing: str | None = "C260303EUR0,00") -> bytes:
    """A message of MT940; each entry with its :86:."""
    ends = [] if closing is None else [f":62F:{closing}", "-}"]
    lines = [
        "{1:F01BANKDEFFXXXX}{2:I940}{4:",
        ":20:STMT1",
        f":25:{IBAN}",
        ":28C:61/1",
        f":60F:{opening}",
        *entries,
        *ends,
    ]
    return "\r\n".join("\r\n".join(one.split("\n")) for one in lines).encode("latin-1")
