"""Under every filter of every list a program reads exactly the rows that its page's file holds under the same filter."""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import islice

import pytest
from flask import g

from app.queries.listing import Asked
from app.security.roles import permissions_of
from app.web.lists.listing import LISTINGS, Kind
from erpcore.billing.credits import credit_returns
from erpcore.kernel.actor import Actor
from tests.support.core import OPEN
from tests.support.operate import a_trading_business
from tests.support.processes import COUNCIL, PMO, move, the_set
from tests.support.showroom import a_showroom
from tests.support.web import Browser, a_person, a_site, a_token, calls_of
from tests.web.test_lists import OVER_API

#: By which columns of the file, and which fields of the answer, a row of a list is known; of another list the rows are counted.
KNOWN = {
    "accrual-lines": ("id document", "id shipment"),
    "approvals": ("summary", "summary"), "audit": ("link kind object_id", "position kind subject_id"),
    "backorders": ("order line unmet", "order line_no unmet"), "charges": ("code", "code"),
    "counts": ("item state due", "item state due_on"), "credit-memos": ("number reason", "number reason"),
    "customers": ("customer exposure", "code exposure"), "departures": ("code journey", "code number"),
    "design-questions": ("title", "title"), "exception-paths": ("name when", "path.name path.when"),
    "exchange-rates": ("day currency against", "day currency against"),
    "exceptions": ("number subject since", "number subject since"), "goods-receipts": ("number", "number"),
    "holds": ("order kind reason", "order kind reason"), "imports": ("file", "file_name"),
    "invoices": ("state gross", "state gross"), "items": ("item free", "code free"),
    "journals": ("reason", "reason"), "ledger-entries": ("id day rule", "id entry_on rule"),
    "ledger-lines": ("entry account debit credit", "entry_id account debit credit"),
    "letters": ("order event subject", "order event subject"), "locations": ("code", "code"), "lots": ("code", "code"),
    "order_files": ("file", "file_name"), "orders": ("number value", "number value"), "people": ("sign_in", "sign_in"),
    "price-lists": ("file", "file_name"), "prices": ("kind", "kind"), "process-steps": ("code step", "code step.name"),
    "place_templates": ("code", "code"), "protections": ("contract quantity", "contract quantity"), "purchase-orders": ("number value", "number value"),
    "quotes": ("number revision", "number revision"), "raci": ("name", "name"), "receipts": ("number left", "number left"),
    "rebates": ("number name", "number name"), "rebate-accruals": ("document_number item_code level", "document item_code level"),
    "receivables": ("code balance", "code balance"), "returns": ("number reason", "number reason"),
    "risks": ("code", "code"), "allocation-runs": ("id state", "id state"),
    "service-commitments": ("basis lead from", "basis lead_days valid_from"), "shipments": ("number order", "number order"),
    "short-items": ("item unmet", "item unmet"), "shortages": ("order line unmet", "order line_no unmet"),
    "sourcing-lanes": ("to", "country"), "stock": ("item on_hand", "item on_hand"),
    "sister-transfers": ("number agreed", "number agreed"),
    "substitutes": ("rank", "rank"), "supplier-returns": ("number", "number"), "suppliers": ("code", "code"), "tokens": ("name shown", "name shown"),
    "transfer-orders": ("number", "number"), "transfers": ("number", "number"), "variants": ("code title", "code title"),
}  # fmt: skip
#: Who reads a list both ways, where it is not the usual one.
READERS = {"counts": "warehouse_supervisor", "shortages": "warehouse_supervisor", "stock": "warehouse_supervisor"}
#: What a flag of a page is called where programs may also ask for one kind of it.
SAID = {("raci", "gap"): "any"}


#: Filters that part the rows of this business.
TELLING = {
    ("orders", "state"), ("orders", "step"), ("invoices", "lane"), ("exceptions", "queue"), ("ledger-entries", "rule"),
    ("ledger-entries", "day"), ("ledger-lines", "since"), ("ledger-lines", "channel"), ("quotes", "state"), ("letters", "order"),
    ("process-steps", "paths"), ("shipments", "state"), ("stock", "site"), ("stock", "text"), ("items", "text"),
    ("audit", "object"), ("raci", "kind"),
}  # fmt: skip


@pytest.fixture
def shown(sqlite_database, clock):
    room = a_showroom(sqlite_database, clock)
    with room.business.work() as work:
        credit_returns(work, [room.trade.returned], cells=OPEN)
    _, versions = the_set(sqlite_database, clock)
    for step, who in (("submit", PMO), ("approve", COUNCIL)):
        move(sqlite_database, clock, versions["order_to_cash"], step, by=who)
    return room


def _read(found, name):
    for part in name.split("."):
        found = found[part]
    text = "" if found is None else str(found)
    return text.replace("T", " ").replace("Z", "+00:00") if "T" in text and text.endswith("Z") else text


class Reader:
    """A person with a browser and a token, who reads lists both ways."""

    def __init__(self, site, database, clock, role):
        self.site, self.role = site, role
        who = a_person(database, role, clock=clock)
        self.browser = Browser(site)
        self.browser.sign_in(who)
        self.token = a_token(database, who, role, clock=clock)
        self.actor = Actor(id=who.id, role=role, permissions=permissions_of(role), sites=None)

    def file(self, listing, filters):
        heads = KNOWN.get(listing.name, ("", ""))[0].split()
        path = next(str(one) for one in self.site.url_map.iter_rules() if one.endpoint == f"{listing.endpoint}_csv")
        query = {**dict.fromkeys(listing.usual, "any"), **filters}
        answer = self.browser.client.get(path, query_string=query)
        assert answer.status_code == 200, path
        labels = {one.key: one.label for one in listing.columns}
        first, *rows = csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff")))
        places = [first.index(labels[head] if labels.get(head) in first else head) for head in heads]
        return Counter(tuple(row[place] for place in places) for row in rows)

    def read(self, listing, filters):
        items, part, query = [], None, {name: value for name, value in filters.items() if name != "realm"}
        while True:
            address = f"/api/v1{OVER_API.get(listing.name, f'/{listing.name}')}"
            answer = self.site.test_client().get(
                address,
                query_string={**query, **({"cursor": part} if part else {})},
                headers={"Authorization": f"Bearer {self.token}"},
            )
            assert answer.status_code == 200, (address, query, answer.json)
            items += answer.json["items"]
            part = answer.json.get("next")
            if part is None:
                return Counter(
                    tuple(_read(one, name) for name in KNOWN.get(listing.name, ("", ""))[1].split()) for one in items
                )

    def values(self, listing, one, room):
        """What the filter is tried with."""
        business = room.business
        ids = {
            "order": room.trade.invoiced, "customer": business.customer, "journey": room.trade.invoiced, "reaches": business.site,
            "number": room.trade.held, "account": 1, "item": room.short_item, "probability": 3, "impact": 3,
        }  # fmt: skip
        if one.kind is Kind.FLAG:
            return ["1"]
        if one.kind is Kind.SITE:
            return [business.site, room.branch]
        if one.kind is Kind.CHANNEL:
            return [business.channel]
        if one.kind is Kind.KEY:
            return [ids.get(one.name, 1)]
        if one.kind is Kind.DAY:
            return ["2026-02-26", "2026-03-02"]
        if one.kind is Kind.TEXT:
            return ["1", "zzz"]
        with self.site.test_request_context("/"):
            g.actor = self.actor
            return [value for value, _ in islice(one.options(Asked()), 3)] if one.options else []


def test_every_filter_of_every_list_gives_a_program_the_rows_of_the_page(site, sqlite_database, clock, shown):
    readers: dict[str, Reader] = {}
    told = set()
    for name, listing in sorted(LISTINGS.items()):
        role = READERS.get(name, "super_user")
        if listing.permission not in permissions_of(role):
            role = "auditor" if listing.permission in permissions_of("auditor") else "administrator"
        if role not in readers:
            readers[role] = Reader(site, sqlite_database, clock, role)
        reader = readers[role]
        # A program is told the locations of one site, and of lots those that are left unless it says otherwise.
        base = {"locations": {"site": shown.business.site}, "lots": {"left": "false"}}.get(name, {})
        whole = reader.file(listing, base)
        assert reader.read(listing, base) == whole, name
        for one in listing.filters:
            for value in reader.values(listing, one, shown):
                asked = {**base, one.name: value}
                rows = reader.file(listing, asked)
                said = {**asked, one.name: SAID.get((name, one.name), value)}
                assert reader.read(listing, said) == rows, (name, one.name, value)
                told |= {(name, one.name)} if rows and rows != whole else set()
    assert told >= TELLING, "the business has rows that these filters part"


def test_a_list_is_read_to_its_end_part_by_part_and_refuses_what_it_does_not_know(database, clock, tmp_path):
    a_trading_business(database, clock)
    calls = calls_of(a_site(database, tmp_path, clock), database, clock)
    desk, books = calls("super_user"), calls("process_owner")
    lists = {
        "/orders": desk,
        "/stock": desk,
        "/exceptions": desk,
        "/shipments": desk,
        "/items": desk,
        "/ledger/lines": books,
    }
    for path, call in lists.items():
        whole, parts, cursor = call("GET", f"{path}?limit=200").json["items"], [], ""
        while cursor is not None:
            part = call("GET", f"{path}?limit=2{cursor and f'&cursor={cursor}'}").json
            parts, cursor = parts + part["items"], part["next"]
        assert len(whole) > 2, path
        assert parts == whole, path
        assert call("GET", f"{path}?colour=red").json["errors"][0]["pointer"] == "/colour"
        assert call("GET", f"{path}?cursor=YWZ0ZXI6eDp5Onp6").json["code"] == "cursor_unknown"
    for path, wrong in (
        ("/orders?state=lost", "state"),
        ("/shipments?missed=perhaps", "missed"),
        ("/stock?realm=moon", "realm"),
    ):
        answer = desk("GET", path)
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, f"/{wrong}"), path
    assert books("GET", "/ledger/lines?since=2026-02-30").json["errors"][0]["pointer"] == "/since"
    assert desk("GET", "/ledger/lines").status_code == 403
    assert calls("site_lead", sites=frozenset({1}))("GET", "/orders?text=1").json["items"] == []
