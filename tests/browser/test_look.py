"""The look in a real browser: no axe violation in either theme, one thumb at 360 px, and use without script."""

from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from werkzeug.serving import make_server

from tests.unit.web.gallery import gallery_app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site():
    server = make_server("127.0.0.1", 0, gallery_app(), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def visit(browser, site):
    contexts = []

    def open_page(path, *, width=1440, **options):
        context = browser.new_context(viewport={"width": width, "height": 780}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(site + path, wait_until="networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("path", "width"), [("/?realm=rehearsal", 1440), ("/", 360), ("/vote", 360), ("/wall", 1920)])
def test_no_page_has_an_axe_violation(visit, path, width, theme):
    page = visit(path, width=width, color_scheme=theme, bypass_csp=True)
    found = Axe().run(page).response["violations"]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []


@pytest.mark.parametrize("path", ["/", "/vote", "/sign-in", "/broken"])
def test_nothing_has_to_be_scrolled_sideways_on_a_phone(visit, path):
    page = visit(path, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_vote_is_cast_with_one_thumb(visit):
    page = visit("/vote", width=360)
    for target in page.locator("label.opt, textarea, .castbar button, .plain > header a").all():
        assert target.bounding_box()["height"] >= 44
    button = page.locator("[data-cast-button]")
    expect(button).to_have_text("Vote: postpone to 8 Feb")
    page.get_by_text("No-go").click()
    expect(button).to_have_text("Vote: no-go")
    box = button.bounding_box()
    assert box["y"] + box["height"] <= 780


def test_the_strict_policy_lets_everything_through_that_we_use(browser, site):
    context = browser.new_context()
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(site, wait_until="networkidle")
    assert said == []
    assert page.evaluate("document.fonts.check('13px Inter')")
    context.close()


def test_nothing_moves_after_the_page_has_loaded(visit):
    page = visit("/")
    moved = page.evaluate(
        "new Promise(done => { let sum = 0; new PerformanceObserver(list => { for (const e of list.getEntries()) sum += e.value })"
        ".observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 300) })"
    )
    assert moved < 0.05


def test_the_theme_is_kept_for_the_next_page(visit):
    page = visit("/", color_scheme="light")
    page.get_by_role("button", name="Dark theme").click()
    page.reload()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


def test_keys_walk_the_rows_and_find_the_search(visit):
    page = visit("/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr.at")).to_contain_text("Commitment attainment")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("Escape")


def test_the_menu_opens_without_script(visit):
    page = visit("/", width=360, java_script_enabled=False)
    entry = page.locator(".drawer a", has_text="Decisions")
    assert not entry.is_visible()
    page.get_by_text("Menu", exact=True).click()
    assert entry.is_visible()
    assert not page.get_by_role("button", name="Dark theme").is_visible()
