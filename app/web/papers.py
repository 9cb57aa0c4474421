"""How does a paper reach the person who wants it? As a file, made outside of any transaction; or the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response

from app.messages import sentence
from app.reports.papers import Paper
from app.web.errors import refuse
from app.web.exports import safe_name
from erpcore.kernel.errors import RuleBroken


def paper_file(
    make: Callable[[], Paper],
    *,
    back: str,
    content_type: str = "application/pdf",
    disposition: str = "inline",
    title: str = "There is no such paper",
) -> Any:
    """The file to be saved or printed; where there is none, a page that says why and leads back to its document."""
    try:
        paper = make()
    except RuleBroken as refusal:
        way_out = {"href": back, "label": "Back to what it is about"}
        return refuse(409, title=title, text=sentence(refusal), back=way_out)
    answer = Response(paper.content, content_type=content_type)
    answer.headers["Content-Disposition"] = f'{disposition}; filename="{safe_name(paper.file_name)}"'
    return answer
