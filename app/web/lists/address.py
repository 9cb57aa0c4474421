"""What does the address of a list ask for, and which address asks for it? The address holds the whole state of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import request, url_for

from app.composition.request import reader
from app.queries.listing import PAGE, SIZES, Asked
from app.queries.places import EntityPick, SitePick, entities_seen, sites_seen
from app.security.require import actor
from app.web.areas import asked_key, asked_page
from app.web.chosen import REALMS, asked_realm, said_realm
from app.web.lists.listing import Filter, Kind, Listing

#: What the address says for a filter that is usually set and now is not.
NOT_SET = "any"


def asked(listing: Listing) -> Asked:
    """What the request's address asks of the list; what makes no sense counts as not asked."""
    args = request.args
    values: dict[str, Any] = {}
    for one in listing.filters:
        text = args.get(one.name, "")
        value = one.read(text)
        if value is not None and not (text == NOT_SET and one.name in listing.usual):
            values[one.name] = value
        elif not text and one.name in listing.usual:
            values[one.name] = listing.usual[one.name]
    size = args.get("size", "")
    sort = args.get("sort", "")[:40]
    known = {one.key for one in listing.page_columns}
    found = Asked(
        values=values, realm=_realm(listing, values),
        sort=sort if sort.removeprefix("-") in listing.sorts() else listing.sort, page=asked_page(),
        size=int(size) if size in {str(one) for one in SIZES} else PAGE,
        columns=tuple(one for one in args.getlist("col") if one in known), view=asked_key("view"),
        whole=args.get("count") == "all",
    )  # fmt: skip
    return replace(found, values=_possible(listing, found))


def _realm(listing: Listing, values: Mapping[str, Any]) -> str:
    """The realm that the address asks for; one that only names a site or a company means that one's."""
    if not listing.realms:
        return "live"
    if "realm" not in request.args:
        named: list[SitePick | EntityPick] = []
        if "site" in values:
            named += [site for site in sites_seen(reader(), actor()) if site.id == values["site"]]
        elif "entity" in values:
            named += [one for one in entities_seen(reader(), actor()) if one.id == values["entity"]]
        if named:
            return named[0].realm
    return asked_realm()


def _possible(listing: Listing, found: Asked) -> dict[str, Any]:
    """The values that are a choice; a code that is none counts as not asked."""
    return {
        name: value
        for name, value in found.values.items()
        if (one := listing.filter_named(name)) is not None
        and (one.kind not in (Kind.CHOICE, Kind.PICK) or value in {known for known, _ in _options(one, found)})
    }


def _options(one: Filter, found: Asked) -> list[tuple[Any, str]]:
    return list(one.options(found)) if one.options else []


def said(listing: Listing, wanted: Asked) -> dict[str, Any]:
    """The parts of the address that asks for this; what is usual is left out. The page and the view are not among them."""
    out: dict[str, Any] = {}
    for one in listing.filters:
        value = wanted.values.get(one.name)
        if value == listing.usual.get(one.name):
            continue
        out[one.name] = NOT_SET if value is None else one.written(value)
    if wanted.sort != listing.sort:
        out["sort"] = wanted.sort
    if wanted.size != PAGE:
        out["size"] = str(wanted.size)
    if wanted.columns:
        out["col"] = list(wanted.columns)
    return out | (said_realm(wanted.realm) if listing.realms else {})


def address(listing: Listing, wanted: Asked, *, page: int = 1, file: str = "", bare: bool = False) -> str:
    """The address of the list that asks for this. ``bare``: the person's list opens with a view, so an address that asks for
    nothing must say so.
    """
    parts = said(listing, wanted)
    if wanted.view is not None and not file:
        parts["view"] = wanted.view
    elif bare and not parts and not file:
        parts["view"] = 0
    if page > 1 and not file:
        parts["page"] = page
    if wanted.whole and not file:
        parts["count"] = "all"
    return url_for(f"{listing.endpoint}{f'_{file}' if file else ''}", **parts)


def with_value(wanted: Asked, name: str, value: Any) -> Asked:
    """The same with this filter set, or not set any more by ``None``."""
    values = {key: known for key, known in wanted.values.items() if key != name}
    return replace(wanted, values=values if value is None else {**values, name: value}, page=1)


def kept(listing: Listing, wanted: Asked) -> dict[str, list[str]]:
    """What a saved view keeps of this: the parts of its address, as lists of texts."""
    return {
        name: [str(one) for one in value] if isinstance(value, list) else [str(value)]
        for name, value in said(listing, wanted).items()
    }


def parts(listing: Listing) -> list[str]:
    """By which parts of its address the list can be asked."""
    return [*(one.name for one in listing.filters), "sort", "size", "col", *(["realm"] if listing.realms else [])]


def misfit(listing: Listing, filters: Mapping[str, Sequence[str]]) -> str | None:
    """The first part of an address that would count as not asked, though it is there; ``None`` when the list reads all of them."""
    realm = (filters.get("realm") or ["live"])[0]
    for name, texts in filters.items():
        if name == "col":
            fits = bool(texts) and set(texts) <= {one.key for one in listing.page_columns}
        elif len(texts) != 1 or name not in parts(listing):
            fits = False
        elif name == "sort":
            fits = texts[0].removeprefix("-") in listing.sorts()
        elif name == "size":
            fits = texts[0] in {str(one) for one in SIZES}
        elif name == "realm":
            fits = texts[0] in REALMS
        else:
            fits = _is_read(listing, name, texts[0], realm)
        if not fits:
            return name
    return None


def _is_read(listing: Listing, name: str, text: str, realm: str) -> bool:
    one = listing.filter_named(name)
    value = one.read(text) if one is not None else None
    if text == NOT_SET and name in listing.usual:
        return True
    return value is not None and value != -1 and name in _possible(listing, Asked(values={name: value}, realm=realm))


def view_address(listing: Listing, view: int, filters: Mapping[str, list[str]]) -> str:
    """The address of a saved view."""
    parts: dict[str, Any] = {name: list(values) for name, values in filters.items()}
    return url_for(listing.endpoint, **parts, view=view)
