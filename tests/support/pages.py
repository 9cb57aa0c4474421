"""What is wrong with this page? Reads HTML as a browser and a screen reader would, and says what they would miss."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
INLINE = {"a", "b", "code", "em", "i", "kbd", "span", "strong", "time"}
NEEDS_LABEL = {"select", "textarea", "input"}
NO_LABEL_NEEDED = {"hidden", "submit", "button", "reset"}


@dataclass(eq=False)
class Element:
    """One element with its attributes, its text and what it stands in."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None
    children: list[Element] = field(default_factory=list)
    content: list[str | Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        parts = (part if isinstance(part, str) else part.text_with_spaces for part in self.content)
        return " ".join("".join(parts).split())

    @property
    def text_with_spaces(self) -> str:
        inside = "".join(part if isinstance(part, str) else part.text_with_spaces for part in self.content)
        return inside if self.tag in INLINE else f" {inside} "

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()

    def find(self, tag: str, **attributes: str) -> list[Element]:
        return [
            one
            for one in self.walk()
            if one.tag == tag
            and all(one.attributes.get(name.rstrip("_")) == value for name, value in attributes.items())
        ]

    def within(self, tag: str) -> bool:
        return self.parent is not None and (self.parent.tag == tag or self.parent.within(tag))


class Page(HTMLParser):
    """A parsed page; ``problems`` lists what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.root = Element("document", {}, None)
        self._open = [self.root]
        self.problems: list[str] = []
        self.feed(html)
        self.close()
        if len(self._open) > 1:
            self.problems.append(f"never closed: {[one.tag for one in self._open[1:]]}")

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        for name in names:
            if names.count(name) > 1:
                self.problems.append(f"<{tag}> has {name} twice")
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open[-1])
        self._open[-1].children.append(element)
        self._open[-1].content.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if self._open[-1].tag != tag:
            self.problems.append(f"</{tag}> closes <{self._open[-1].tag}>")
            while len(self._open) > 1 and self._open[-1].tag != tag:
                self._open.pop()
        if len(self._open) > 1:
            self._open.pop()

    def handle_data(self, data):
        self._open[-1].content.append(data)

    # what tests ask

    @property
    def title(self) -> str:
        found = self.root.find("title")
        return found[0].text if found else ""

    @property
    def heading(self) -> str:
        found = self.root.find("h1")
        return found[0].text if found else ""

    @property
    def text(self) -> str:
        main = self.root.find("main")
        return (main[0] if main else self.root).text

    @property
    def navigation(self) -> list[str]:
        """The labels of the main navigation, in order."""
        nav = self.root.find("nav", **{"aria-label": "Main"})
        return [link.children[0].text for link in nav[0].find("a")] if nav else []

    def links(self) -> list[str]:
        """Addresses of this site that the page leads to."""
        return [
            one.attributes["href"]
            for one in self.root.find("a")
            if not urlsplit(one.attributes.get("href", "#")).scheme
        ]

    def value(self, name: str) -> str:
        """The value of the form field with this name."""
        found = [one for tag in NEEDS_LABEL for one in self.root.find(tag, name=name)]
        assert found, f"there is no field {name}"
        return found[0].attributes.get("value", found[0].text)

    def errors(self) -> list[str]:
        """What the error summary says."""
        summary = self.root.find("div", id="errors")
        return [item.text for item in summary[0].find("li")] if summary else []


def check(page: Page) -> list[str]:
    """Everything that is wrong with the page, for whoever uses it without eyes, mouse, script or trust."""
    root, wrong = page.root, list(page.problems)
    if not page.title.removesuffix(" · Wavegate").strip() or not page.title.endswith(" · Wavegate"):
        wrong.append(f"the title is '{page.title}'")
    if len(root.find("h1")) != 1 or not page.heading:
        wrong.append(f"{len(root.find('h1'))} h1")
    if not root.find("html")[0].attributes.get("lang"):
        wrong.append("the page does not say its language")
    ids = [one.attributes["id"] for one in root.walk() if "id" in one.attributes]
    wrong += [f"the id {one} twice" for one in sorted(set(ids)) if ids.count(one) > 1]
    wrong += _labels(root)
    wrong += _forms(root)
    for one in root.walk():
        wrong += [
            f"<{one.tag}> has inline {name}" for name in one.attributes if name == "style" or name.startswith("on")
        ]
        for name in ("aria-describedby", "aria-labelledby", "for"):
            wrong += [f"{name} leads to no {key}" for key in one.attributes.get(name, "").split() if key not in ids]
        for name in ("src", "href", "action"):
            if urlsplit(one.attributes.get(name, "")).netloc:
                wrong.append(f"<{one.tag}> leads to another host: {one.attributes[name]}")
    wrong += [f"<{tag}> with content in the page" for tag in ("script", "style") for one in root.find(tag) if one.text]
    wrong += [f"<{one.tag}> says nothing" for tag in ("a", "button") for one in root.find(tag) if not _spoken(one)]
    return wrong


def _spoken(element: Element) -> str:
    label = element.attributes.get("aria-label", "")
    inside = " ".join(one.attributes.get("aria-label", "") for one in element.walk())
    return (label + element.text + inside).strip()


def _labels(root: Element) -> list[str]:
    named = {one.attributes["for"] for one in root.find("label") if "for" in one.attributes}
    wrong = []
    for one in root.walk():
        if one.tag in NEEDS_LABEL and one.attributes.get("type", "text") not in NO_LABEL_NEEDED:
            labelled = one.attributes.get("id") in named or one.within("label") or "aria-label" in one.attributes
            if not labelled:
                wrong.append(f"no label for <{one.tag} name={one.attributes.get('name')}>")
    return wrong


def _forms(root: Element) -> list[str]:
    wrong = []
    for form in root.find("form"):
        if form.attributes.get("method", "get").lower() == "post" and not form.find("input", name="csrf_token"):
            wrong.append(f"the form to {form.attributes.get('action')} has no CSRF token")
        if form.within("form"):
            wrong.append("a form in a form")
    return wrong
