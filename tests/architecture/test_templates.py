"""Templates hold to the content security policy and print only what was escaped."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT, project_files

#: What the policy would block in the browser, or what would let text in as markup.
FORBIDDEN = {
    "an inline style": re.compile(r"<[a-z][^>]*\sstyle\s*=", re.IGNORECASE),
    "an inline handler": re.compile(r"<[a-z][^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "an htmx handler": re.compile(r"hx-on|\bjs:"),
    "a script without a file": re.compile(r"<script(?![^>]*\b(src|type\s*=\s*\"application/json\"))", re.IGNORECASE),
    "a style sheet in the page": re.compile(r"<style", re.IGNORECASE),
    "somebody else's host": re.compile(r"(src|href|action)\s*=\s*[\"'](https?:)?//", re.IGNORECASE),
    "escaping switched off": re.compile(r"\|\s*safe\b|autoescape\s+false"),
}
EXAMPLES = {
    "an inline style": '<p class="a" style="width:3px">',
    "an inline handler": '<button type="button" onclick="go()">',
    "an htmx handler": '<p hx-on:click="x()">',
    "a script without a file": "<script>go()</script>",
    "a style sheet in the page": "<style>p{}</style>",
    "somebody else's host": '<script src="//cdn.example/x.js">',
    "escaping switched off": "{{ text | safe }}",
}
#: template: what it may, and why
EXCEPTED: dict[tuple[str, str], str] = {}


def templates():
    for path in project_files():
        if path.suffix == ".html" and path.is_relative_to(ROOT / "templates"):
            yield path.relative_to(ROOT / "templates").as_posix(), path.read_text(encoding="utf-8")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_check_sees_what_it_is_for(what):
    assert FORBIDDEN[what].search(EXAMPLES[what])
    assert not FORBIDDEN[what].search('<p class="style" data-on="1"><a href="/orders">on = off</a></p>')


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds(what):
    found = [
        f"{name}:{text[: hit.start()].count(chr(10)) + 1}"
        for name, text in templates()
        if (name, what) not in EXCEPTED
        for hit in FORBIDDEN[what].finditer(text)
    ]
    assert not found


def test_no_macro_is_left_that_no_page_uses():
    pages = {name: text for name, text in templates() if not name.startswith("_gallery")}
    unused = []
    for name, text in pages.items():
        for macro in re.findall(r"{%-?\s*macro\s+(\w+)\(", text):
            named = [len(re.findall(rf"\b{macro}\b", uncommented(other))) for other in pages.values()]
            # Where it is made and, if another page takes it over, where that says so.
            said = 1 + sum(bool(re.search(rf"import [^%]*\b{macro}\b", other)) for other in pages.values())
            unused += [f"{name}: {macro}"] if sum(named) <= said else []
    assert not unused


def uncommented(text):
    return re.sub(r"{#.*?#}", "", text, flags=re.DOTALL)


def test_there_are_templates_to_look_at():
    assert len(list(templates())) > 10
    assert not {name for name, _ in EXCEPTED} - {name for name, _ in templates()}


_IMPORT = re.compile(r"\{%-? from \"[^\"]+\" import ([^%]+?)(?: with context)? -?%\}")


def test_no_template_imports_what_it_does_not_use():
    unused = [
        f"{name}: {one}"
        for name, text in templates()
        for hit in _IMPORT.finditer(text)
        for one in (part.split(" as ")[-1].strip() for part in hit[1].split(","))
        if not re.search(rf"\b{re.escape(one)}\b", text.replace(hit[0], ""))
    ]
    assert not unused
