"""How is a document written as XML? Elements in the order in which they are given, empty ones left out, the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, indent, tostring

Node = Element | None


def node(tag: str, *children: Node, text: object = None, **attributes: str) -> Node:
    """An element; ``None`` where it would have neither text nor children."""
    kept = [one for one in children if one is not None]
    said = "" if text is None else _clean(str(text))
    if not kept and not said:
        return None
    made = Element(tag, attributes)
    made.text = said or None
    made.extend(kept)
    return made


def written(root: Node, spaces: Mapping[str, str]) -> bytes:
    """The document, whose tags are written with these prefixes; the empty one is that of tags without."""
    if root is None:
        raise ValueError("a document says something")
    for prefix, space in spaces.items():
        root.set(f"xmlns:{prefix}" if prefix else "xmlns", space)
    indent(root)
    # No line end behind it: in a PDF a reader would take that for no part of the file (see ``archivable``).
    text: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return text


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(one for one in text if one in "\t\n\r" or one >= " ").strip()
