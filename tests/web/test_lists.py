"""Every list: files with what the page shows, columns, sizes, and views that are saved, shared and open the list."""

from __future__ import annotations

import csv
import gc
import inspect
import io
import re
from types import CodeType, FunctionType
from urllib.parse import parse_qs, urlsplit

import pytest
from python_calamine import CalamineWorkbook

from app.composition.saved_views import SaveView, open_with, remove_view, save_view, views_of
from app.composition.uow import reading, unit_of_work
from app.security.roles import ROLES, Role, permissions_of
from app.web.lists.listing import LISTINGS, Kind
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from tests.architecture.source import ROOT
from tests.support.operate import a_trading_business
from tests.support.queries import MOST, queries
from tests.support.web import Browser, a_person, a_site

#: Pages through rows in another way, and why.
OTHERWISE = {
    "lists/list.html": "the one template of lists",
    "_macros/tables.html": "where it is made",
    "billing/statement.html": "the lines of one statement as they came; the page has the file",
    "settlement/show.html": "the lines of one payout as they came; the page has the file",
    "carrier_bills/show.html": "the lines of one bill as they came; the page has the file",
    "_gallery.html": "shows how it looks",
    "imports/show.html": "the rejected lines of one import; the page has both files",
    "prices/list_show.html": "the rows of one list of prices, by what becomes of them; the page has both files",
}


#: Pages with a table that are no lists of records, and what they are.
NO_LISTS = {
    "account.show": "one's own account", "api_docs.show": "the description of the API", "today.show": "what waits for one", "carriers.show": "settings, a few rows each",
    "billing.show_desk": "what waits for money to be set against it, each with a proposal",
    "approvals.show_delegations": "one's own delegations", "approvals.show_rules": "settings: who decides on what",
    "conformance.show_all": "figures by process and site", "exceptions.owners": "settings: whose each queue is", "disputes.show_reasons": "settings: whose each reason is",
    "floor.board": "a board of what is going on", "gates.show_templates": "settings: templates of gates",
    "ledger.show_balance": "a report", "ledger.report_balance_sheet": "a report", "ledger.report_profit_and_loss": "a report",
    "ledger.report_trial_balance": "a report", "ledger.show_consolidated": "a report", "ledger.show_periods": "months of one company, open or closed", "ledger.show_closings": "months of one company, and how they are closed",
    "ledger.show_accruals": "what one period's end is due, by kind",
    "ledger.show_cut_off": "a test of one period's end, by channel",
    "returns.show_reasons": "a report", "returns.show_reason_returns": "what stands behind one row of it",
    "ledger.show_margin": "a report", "ledger.show_margin_entries": "what stands behind one row of it",
    "costing.show_sites": "settings: how each site values its stock",
    "ledger.show_rules": "the posting rules, which are declared", "letters.texts": "settings: words of letters",
    "measures.show_all": "the measures and how they read", "measures.show_baselines": "what was before, by measure",
    "measures.show_calendars": "settings: working days", "measures.show_limits": "settings: limits",
    "measures.show_owners": "settings: who answers for a measure", "operations.show": "how the jobs stand",
    "collections.routes": "settings: whose customers are", "dunning.show_procedures": "the procedures, each with its levels",
    "taxes.show_all": "settings: the rules of tax by company",
    "policies.show_all": "the policy points, which are declared", "policies.run_here": "the rules at one place",
    "prices.check": "why one price is as it is", "processes.show_all": "the processes by value stream",
    "programme.show": "one programme", "proof.show": "a proof", "variants.ask": "the policy points to choose from",
    "variants.show_map": "the register as a map", "variants.show_health": "figures of the register",
    "waves.show_all": "a calendar", "waves.blackouts": "settings: when nothing goes live",
}  # fmt: skip
#: Where programs read a list whose name is not its path.
OVER_API = {
    "audit": "/audit/acts", "transfers": "/stock-transfers", "people": "/users", "ledger-entries": "/ledger/entries",
    "order_files": "/order-files", "counts": "/count-tasks", "protections": "/stock-protections",
    "departures": "/conformance/departures", "ledger-lines": "/ledger/lines", "place_templates": "/place-templates",
}  # fmt: skip


#: What needs no word besides its name.
NAMES_OF_PLACES = {"site", "channel", "entity", "company"}


@pytest.fixture
def trade(sqlite_database, clock):
    return a_trading_business(sqlite_database, clock)


def _rows(answer):
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def _path(site, endpoint):
    return next(str(rule) for rule in site.url_map.iter_rules() if rule.endpoint == endpoint)


def _reader_of(listing):
    return next(role for role, duty in ROLES.items() if listing.permission in duty.permissions)


def test_no_page_pages_through_rows_but_the_lists():
    pages = {
        path.relative_to(ROOT / "templates").as_posix()
        for path in (ROOT / "templates").rglob("*.html")
        if "pagination(" in path.read_text(encoding="utf-8")
    }
    assert pages == set(OTHERWISE)


def test_every_page_of_rows_is_a_list_or_says_why_it_is_none(site):
    lists = {listing.endpoint for listing in LISTINGS.values()}
    tables = {
        rule.endpoint
        for rule in site.url_map.iter_rules()
        if "GET" in rule.methods and not rule.arguments and rule.endpoint not in lists
        if any("table_wrap(" in text or "<table" in text for text in _templates_of(site.view_functions[rule.endpoint]))
    }
    assert tables == set(NO_LISTS)


def _templates_of(view):
    """The texts of the templates that a view names, itself or through the functions of the screens that it calls."""
    found, seen, functions = set(), set(), [view]
    while functions:
        function = inspect.unwrap(functions.pop())
        function = getattr(function, "func", function)
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        codes = [function.__code__]
        while codes:
            code = codes.pop()
            found |= {one for one in code.co_consts if isinstance(one, str) and one.endswith(".html")}
            codes += [one for one in code.co_consts if isinstance(one, CodeType)]
            called = [function.__globals__.get(name) for name in code.co_names]
            functions += [
                one for one in called if isinstance(one, FunctionType) and one.__module__.startswith("app.web.")
            ]
    return [(ROOT / "templates" / name).read_text(encoding="utf-8") for name in found]


def test_a_list_is_there_for_programs_with_the_filters_of_its_page(site):
    paths = site.extensions["wavegate_openapi"]()["paths"]
    for name, listing in LISTINGS.items():
        asked = {one["name"]: one["schema"] for one in paths[OVER_API.get(name, f"/{name}")]["get"]["parameters"]}
        missing = {one.name for one in listing.filters} - set(asked)
        assert not missing, f"programs cannot narrow {name} by {missing}"
        for one in listing.filters:
            said = "description" in asked[one.name] or "enum" in str(asked[one.name])
            assert said or one.name in NAMES_OF_PLACES, f"{name} does not say what {one.name} narrows it to"
            if one.kind is Kind.FLAG and (name, one.name) != ("raci", "gap"):
                assert "boolean" in str(asked[one.name]), f"{one.name} of {name} is on or off"
            if one.kind is Kind.DAY:
                assert "date" in str(asked[one.name]), f"{one.name} of {name} is a day"


def test_every_list_has_its_page_both_files_and_views_and_asks_little(signed_in, sqlite_database, trade, site):
    for name, listing in LISTINGS.items():
        browser = signed_in(_reader_of(listing))
        path = _path(site, listing.endpoint)
        csv_path, xlsx_path = (_path(site, f"{listing.endpoint}_{kind}") for kind in ("csv", "xlsx"))
        with queries(sqlite_database) as ran:
            page = browser.get(path)
        assert len(ran) <= MOST, f"{name} asked {len(ran)} times"
        links = page.links()
        assert {csv_path, xlsx_path} <= {urlsplit(link).path for link in links}, f"{name} offers no files"
        assert any(link.startswith(f"/list-views/new?list={name}") for link in links), f"{name} keeps no views"
        shown = re.search(rf"{re.escape(listing.unit)} ([\d,]+)", page.text, re.IGNORECASE)
        count = int(shown[1].replace(",", "")) if shown else 0
        rows = _rows(browser.client.get(csv_path))
        assert len(rows) - 1 == count, name
        seen = permissions_of(_reader_of(listing))
        heads = [one for one in listing.columns if one.permission is None or one.permission in seen]
        assert rows[0] == [one.label for one in heads if not one.page_only], name
        book = CalamineWorkbook.from_filelike(io.BytesIO(browser.client.get(xlsx_path).data))
        assert len(book.get_sheet_by_index(0).to_python()) == len(rows), name


def test_every_sort_and_filter_of_every_list_answers(signed_in, trade, site):
    for listing in LISTINGS.values():
        browser = signed_in(_reader_of(listing))
        path = _path(site, listing.endpoint)
        asked = [f"sort={sign}{name}" for name in listing.source.sorts for sign in ("", "-")]
        asked += [f"{one.name}={'2026-03-02' if one.kind == 'day' else '1'}" for one in listing.filters]
        for query in [*asked, "page=999", "size=25", "sort=nonsense&size=7&col=nonsense&site=x"]:
            browser.get(f"{path}?{query}")


def test_chosen_columns_are_those_of_the_page_and_of_the_file(signed_in, trade):
    browser = signed_in("super_user")
    page = browser.get("/orders?col=number&col=value&sort=-value")
    heads = [head.text for head in page.root.find("th")]
    assert heads == ["Order", "Value"]
    assert _rows(browser.client.get("/orders.csv?col=number&col=value"))[0] == ["Order", "Value"]


def test_a_page_has_as_many_rows_as_one_asks_for(signed_in, trade):
    browser = signed_in("super_user")
    assert "7 orders" in browser.get("/orders?size=25").text
    assert len(browser.get("/orders?size=25").root.find("td", **{"class": "lead"})) == 7


def test_a_view_is_saved_opens_the_list_and_is_forgotten(signed_in, trade):
    browser = signed_in("super_user")
    page = browser.get("/orders?state=held&sort=value")
    (address,) = [link for link in page.links() if link.startswith("/list-views/new")]
    page = browser.get(address)
    assert "State Held" in page.text
    assert "Sorted by Value, ascending" in page.text
    browser.post(address, {"name": "Stopped, dearest last", "role": "", "site": "0", "is_default": "y"})
    assert urlsplit(browser.path).path == "/orders"
    browser.get("/orders")
    view = parse_qs(urlsplit(browser.response.request.url).query)
    assert (view["state"], view["sort"]) == (["held"], ["value"])
    number = view["view"][0]
    assert "Stopped, dearest last" in browser.page.text
    assert "Orders 7" in browser.get("/orders?view=0").text
    assert "changed" in browser.get(f"/orders?view={number}&state=held&sort=value&late=1").text
    page = browser.get(f"/list-views/{number}")
    page = browser.post(f"/list-views/{number}", {"name": "Held", "role": "site_lead", "site": "0", "version": "1"})
    assert "The view is changed" in page.text
    assert "Orders 7" in browser.get("/orders").text, "it is no default any more"
    other = signed_in("site_lead")
    assert "shared by Super user" in other.get("/orders").text
    assert "Held" not in [link.text for link in signed_in("customer_service").get("/orders").root.find("a")]
    browser.get(f"/list-views/{number}")
    browser.post(f"/list-views/{number}/forget", {})
    assert "No view is saved" in browser.get("/orders").text


def test_a_refused_view_keeps_what_was_typed(signed_in, trade):
    browser = signed_in("customer_service")
    browser.get("/list-views/new?list=orders&late=1")
    page = browser.post("/list-views/new?list=orders&late=1", {"name": "x" * 61, "role": "", "site": "0"}, status=422)
    assert page.value("name") == "x" * 61
    browser.post("/list-views/new?list=orders&late=1", {"name": "Late", "role": "site_lead", "site": "0"}, status=403)
    browser.get("/list-views/new?list=nothing", status=404)
    browser.get("/list-views/77", status=404)


def _actor(person, role, sites=None):
    return Actor(id=person.id, role=role, permissions=permissions_of(role), sites=sites)


def test_views_are_ones_own_or_shared_and_refused_ones_change_nothing(database, clock):
    lead, clerk = (a_person(database, role, clock=clock) for role in (Role.SITE_LEAD, Role.CUSTOMER_SERVICE))
    one, two = _actor(lead, "site_lead"), _actor(clerk, "customer_service", frozenset({1}))

    def saved(actor, **fields):
        with unit_of_work(database, actor=actor, clock=clock) as work:
            return save_view(work, SaveView(**{"list_name": "orders", "filters": {"late": ["1"]}, **fields}))

    mine = saved(one, name="  Late   ones ", is_default=True)
    for shared in (mine, None):
        with pytest.raises(Conflict, match="view_name_taken" if shared is None else "view_changed"):
            saved(
                one, name="late ones" if shared is None else "Other", view=shared, version=None if shared is None else 9
            )
    for name in ("", " ", "x" * 61):
        with pytest.raises(RuleBroken, match="view_name"):
            saved(one, name=name)
    with pytest.raises(NotAllowed):
        saved(two, name="For all", share=True)
    with unit_of_work(database, actor=two, clock=clock) as work:
        with pytest.raises(NotFound):
            remove_view(work, mine)
        with pytest.raises(NotFound):
            open_with(work, mine, wanted=True)
    with reading(database) as session:
        assert [(view.name, view.is_default, view.version) for view in views_of(session, one, "orders")] == [
            ("Late ones", True, 1)
        ]
        assert views_of(session, two, "orders") == []
    saved(one, name="Desk", share=True, role="customer_service", view=mine, version=1)
    saved(one, name="Leads", share=True, role="site_lead")
    with unit_of_work(database, actor=two, clock=clock) as work:
        open_with(work, mine, wanted=True)
    with reading(database) as session:
        assert [(view.name, view.is_own, view.is_default) for view in views_of(session, two, "orders")] == [
            ("Desk", False, True)
        ]
    with unit_of_work(database, actor=one, clock=clock) as work:
        remove_view(work, mine)
    with reading(database) as session:
        assert views_of(session, two, "orders") == []


def test_a_file_gives_its_connection_back(database, clock, tmp_path):
    site = a_site(database, tmp_path, clock)
    readers: dict[str, Browser] = {}
    for listing in LISTINGS.values():
        role = _reader_of(listing)
        if role not in readers:
            readers[role] = Browser(site)
            readers[role].sign_in(a_person(database, role, clock=clock))
        gc.disable()
        try:
            answer = readers[role].client.get(_path(site, f"{listing.endpoint}_csv"))
            assert answer.get_data()
            answer.close()
            assert database.read_engine.pool.checkedout() == 0, listing.name
        finally:
            gc.enable()
