"""Every component renders without a hole, keeps the strict policy, and can be read, heard and counted."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.web.assets import STATIC, template_names
from app.web.icons import LOOKS, icon, verdict_look
from tests.unit.web.gallery import gallery_app

PAGES = ("/", "/?realm=rehearsal", "/vote", "/sign-in", "/wall", "/broken")
STYLE_SHEET = (STATIC / "css/wavegate.css").read_text()
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """The elements of a page in order, and whether they nest."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.stack, self.wrong = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.wrong.append(tag)

    def of(self, *tags):
        return [attrs for tag, attrs in self.elements if tag in tags]


@pytest.fixture(scope="module")
def client():
    return gallery_app().test_client()


@pytest.fixture(params=PAGES)
def rendered(client, request):
    response = client.get(request.param)
    assert response.status_code == 200
    return Page(response.get_data(as_text=True))


def test_every_page_nests_and_has_one_title_and_one_h1(rendered):
    assert rendered.wrong == []
    assert rendered.stack == []
    assert len([a for a in rendered.of("title") if "id" not in a]) == 1
    assert len(rendered.of("h1")) == 1
    assert rendered.of("html")[0]["lang"] == "en"


def test_no_page_carries_inline_style_or_script_or_a_foreign_address(rendered):
    for tag, attrs in rendered.elements:
        assert "style" not in attrs, (tag, attrs)
        assert not [name for name in attrs if name.startswith("on")], (tag, attrs)
        assert tag != "style"
        if tag == "script":
            assert attrs.get("src", "").startswith("/static/")
        for name in ("src", "href", "action"):
            assert "://" not in (attrs.get(name) or "")


def test_ids_are_unique_and_every_reference_leads_somewhere(rendered):
    ids = [attrs["id"] for _, attrs in rendered.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in rendered.elements:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            for ref in (attrs.get(name) or "").split():
                assert ref in ids, (name, ref)
        target = attrs.get("href") or ""
        if target.startswith("#") and len(target) > 1:
            assert target[1:] in ids


def test_every_entry_has_a_label_and_every_form_that_posts_its_token(rendered):
    named = {attrs["for"] for attrs in rendered.of("label") if "for" in attrs}
    inside = 0
    for tag, attrs in rendered.elements:
        if tag in {"input", "select", "textarea"} and attrs.get("type") not in {"hidden", "radio", "checkbox"}:
            assert attrs.get("id") in named, attrs
            inside += 1
    posting = [attrs for attrs in rendered.of("form") if attrs.get("method") == "post"]
    tokens = [attrs for attrs in rendered.of("input") if attrs.get("name") in {"csrf_token", "token"}]
    assert len(tokens) == len(posting)


def test_every_class_in_use_is_known_to_the_style_sheet(rendered):
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", STYLE_SHEET))
    silent = {"c-text", "wide-only", "clock", "lock"}
    for _, attrs in rendered.elements:
        for name in (attrs.get("class") or "").split():
            assert name in known | silent, name


def test_each_page_has_at_most_one_filled_button(rendered):
    assert len([a for a in rendered.of("a", "button") if "btn-primary" in (a.get("class") or "")]) <= 1


def test_another_realm_than_live_is_unmistakable(client):
    live, rehearsal = (client.get(path).get_data(as_text=True) for path in ("/", "/?realm=rehearsal"))
    assert "realm-band" not in live
    assert '<section class="realm-band" aria-label="Realm">Rehearsal: the same transactions' in rehearsal
    assert '<span class="realm other">Rehearsal</span>' in rehearsal


def test_a_closed_move_stays_visible_with_its_reason_and_sends_nothing(client):
    text = client.get("/").get_data(as_text=True)
    assert '<button class="btn" type="button" aria-disabled="true">Go</button>' in text
    assert "<b>Go, Conditional</b>: closed while a key criterion has no evidence." in text


def test_an_error_stands_at_its_field_and_in_the_summary(client):
    text = client.get("/").get_data(as_text=True)
    assert '<a href="#reason">Reason</a>: Say why the wave can go live without this' in text
    assert re.search(r'<textarea aria-describedby="reason-hint reason-error" aria-invalid="true"', text)
    assert '<p class="error" id="reason-error">' in text


def test_navigation_is_there_for_wide_and_for_small_screens_without_script(client):
    text = client.get("/").get_data(as_text=True)
    assert text.count(">Waves and gates</span>") == 2
    assert text.count('aria-current="page"><span>Waves and gates') == 2
    assert '<details class="drawer"><summary>' in text


def test_the_chosen_theme_comes_from_the_cookie_and_nothing_else_passes(client):
    client.set_cookie("wavegate-theme", "dark")
    assert '<html lang="en" data-bs-theme="dark">' in client.get("/").get_data(as_text=True)
    client.set_cookie("wavegate-theme", 'dark" onload="x')
    assert '<html lang="en">' in client.get("/").get_data(as_text=True)
    client.delete_cookie("wavegate-theme")


def test_a_verdict_is_a_shape_and_a_word_before_it_is_a_colour():
    shapes = {look.kind: str(icon(look.kind)) for look in LOOKS.values()}
    assert len(set(shapes.values())) == len(shapes) == 6
    assert verdict_look("NO_EVIDENCE").word == "No evidence"
    assert verdict_look("not ready: no evidence").kind == "none"


def test_a_verdict_nobody_knows_borrows_no_look():
    with pytest.raises(KeyError):
        verdict_look("green")


def weight_of(client, path):
    with client.get(path) as response:
        return len(response.data)


def test_a_first_page_weighs_less_than_250_kb_even_uncompressed(client):
    page = Page(client.get("/").get_data(as_text=True))
    files = {a["href"] for a in page.of("link")} | {a["src"] for a in page.of("script")}
    assert len(files) == 5
    assert sum(weight_of(client, path) for path in {"/"} | files) < 250_000


def test_the_preloaded_letters_are_those_the_style_sheet_asks_for():
    from app.charts.typeface import SCREEN_FILE

    assert f'url("../typeface/{SCREEN_FILE}")' in STYLE_SHEET
    assert f"typeface/{SCREEN_FILE}" in (Path(__file__).parents[3] / "templates/_head.html").read_text()


def test_macros_need_no_request():
    assert {"icon", "verdict_look", "ScoreGroup", "chart_score"} == set(template_names())


def tokens(theme):
    light, dark = STYLE_SHEET.split("@media (prefers-color-scheme:dark)", 1)
    block = light if theme == "light" else dark.split(":root[data-bs-theme=dark]{", 1)[1].split("}", 1)[0]
    found = dict(re.findall(r"--([a-z0-9-]+):(#[0-9a-f]{6})", light))
    return found | dict(re.findall(r"--([a-z0-9-]+):(#[0-9a-f]{6})", block))


def luminance(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_ink_is_readable_on_every_surface(theme):
    colour = tokens(theme)
    grounds = ("bg", "surface", "sunken", "accent-soft", "none-soft")
    for ink in ("ink", "ink-2", "ink-3"):
        for ground in grounds:
            assert contrast(colour[ink], colour[ground]) >= 4.5, (ink, ground)
    for kind in ("pass", "warn", "fail", "none", "waived"):
        for ground in ("surface", "bg", f"{kind}-soft"):
            assert contrast(colour[kind], colour[ground]) >= 4.5, (kind, ground)
    assert contrast(colour["accent-ink"], colour["accent"]) >= 4.5
    assert contrast(colour["accent-ink"], colour["accent-hover"]) >= 4.5
    assert contrast(colour["realm-ink"], colour["realm"]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_edges_of_controls_and_the_focus_ring_can_be_seen(theme):
    colour = tokens(theme)
    for ground in ("bg", "surface"):
        assert contrast(colour["line-strong"], colour[ground]) >= 3
        assert contrast(colour["focus"], colour[ground]) >= 3


def test_both_ways_into_the_dark_wear_the_same_colours():
    dark = STYLE_SHEET.split("@media (prefers-color-scheme:dark)", 1)[1]
    by_system, by_choice = re.findall(r"color-scheme:dark;(.*?)\}", dark, re.DOTALL)[:2]
    assert re.findall(r"--[a-z0-9-]+:#[0-9a-f]{6}", by_system) == re.findall(r"--[a-z0-9-]+:#[0-9a-f]{6}", by_choice)
