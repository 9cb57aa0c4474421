"""What does a view show, in words? Its filters, order and columns as a list of terms."""

from __future__ import annotations

from collections.abc import Mapping

from app.composition.request import reader
from app.queries.listing import Asked
from app.queries.places import all_channels, sites_seen
from app.security.require import actor
from app.web.figures import heading
from app.web.lists.listing import Filter, Kind, Listing


def described(listing: Listing, filters: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    """The filters as pairs of what and which; one pair that says so when the view keeps to nothing."""
    out = []
    # What the page calls a column goes before what a file does.
    heads = {c.key: c.label for c in (*listing.columns, *listing.page_columns)}
    for name, values in filters.items():
        one = listing.filter_named(name)
        if one is not None:
            out.append((one.label, _words(one, values[0])))
        elif name == "sort":
            head = heads.get(values[0].removeprefix("-"), values[0])
            out.append(("Sorted by", f"{head}, {'descending' if values[0].startswith('-') else 'ascending'}"))
        elif name == "col":
            out.append(("Columns", ", ".join(heads.get(value, value) for value in values)))
        else:
            out.append((heading(name), values[0]))
    return out or [("Shows", f"all {listing.unit}")]


def _words(one: Filter, text: str) -> str:
    if one.kind is Kind.FLAG:
        return "yes"
    if one.kind is Kind.SITE:
        return next((site.label for site in sites_seen(reader(), actor()) if str(site.id) == text), "another site")
    if one.kind is Kind.CHANNEL:
        return next((channel.name for channel in all_channels(reader()) if str(channel.id) == text), text)
    if one.kind is Kind.KEY:
        value = one.read(text)
        return one.named(value) if one.named and value is not None else text
    options = one.options(Asked()) if one.options else ()
    return next((label for value, label in options if str(value) == text), text)
