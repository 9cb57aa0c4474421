"""Saved views of lists for programs: filters kept under a name, shared, opened with, forgotten; the same as on the pages."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.api.framework import operation
from app.api.v1.numbers import Key, pointing
from app.api.values import Answer, Body
from app.composition.request import reader
from app.composition.saved_views import (
    LONGEST_NAME,
    ListedView,
    SaveView,
    ViewFact,
    known_list,
    open_with,
    remove_view,
    save_view,
    view_named,
    views_of,
)
from app.security.permissions import Permission
from app.security.require import actor
from app.security.roles import Role
from erpcore.kernel.work import UnitOfWork

TAG = "Lists"
Kept = dict[str, str | list[str]]


class ViewQuery(Body):
    """Of which list."""

    list_name: str = Field(
        min_length=1, max_length=48, description="The list's name, as `orders`; an unknown one is told the known."
    )


class ViewAnswer(Answer):
    """A view. `filters` are the parts of the list's address; `owner_role` is in which role it was saved."""

    id: int
    list_name: str
    name: str
    is_own: bool
    owner_role: str
    filters: dict[str, list[str]]
    is_shared: bool
    shared_role: str | None
    shared_site: int | None
    is_default: bool
    version: int


class ViewList(Answer):
    """The views of the list that the caller sees, own ones first."""

    count: int
    items: list[ViewAnswer]


class ViewParts(Body):
    """What a view keeps and with whom it is shared: nobody, everybody who may see the list, or one role, at one site or all."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    filters: Kept = Field(
        default_factory=dict, max_length=40, description="Filters, `sort`, `size`, `col` and `realm` of the list."
    )
    share: bool = False
    role: Role | None = None
    site: Key | None = None
    is_default: bool = False


class NewViewBody(ViewParts):
    """A new view of a list."""

    list_name: str = Field(min_length=1, max_length=48)


class ViewBody(ViewParts):
    """A view of one's own, whole; `version` is the one that was read."""

    version: int = Field(ge=1)


class DefaultBody(Body):
    """Whether the list opens with the view, for the caller."""

    is_default: bool


def _view(one: ViewFact) -> ViewAnswer:
    return ViewAnswer(**{name: getattr(one, name) for name in ViewAnswer.model_fields})


def _list(name: str) -> ListedView:
    found = known_list(name)
    actor().require(found.permission)
    return found


def _mine(view_id: int) -> ViewFact:
    """The view, of a list that the caller may see."""
    view = view_named(reader(), actor(), view_id)
    _list(view.list_name)
    return view


def _command(of: ListedView, body: ViewParts, **more: Any) -> SaveView:
    filters = of.checked({name: [said] if isinstance(said, str) else list(said) for name, said in body.filters.items()})
    return SaveView(
        list_name=of.name, name=body.name, filters=filters, share=body.share, role=body.role, site=body.site,
        is_default=body.is_default, **more,
    )  # fmt: skip


@operation("GET", "/list-views", permission=Permission.VIEW_SAVE, summary="Saved views of a list", tag=TAG, query=ViewQuery, answer=ViewList)  # fmt: skip
def list_saved_views(query: ViewQuery) -> ViewList:
    found = [_view(one) for one in views_of(reader(), actor(), _list(query.list_name).name)]
    return ViewList(count=len(found), items=found)


@operation("GET", "/list-views/{view_id}", permission=Permission.VIEW_SAVE, summary="One saved view", tag=TAG, answer=ViewAnswer)  # fmt: skip
def show_saved_view(view_id: int) -> ViewAnswer:
    return _view(_mine(view_id))


@operation(
    "POST", "/list-views", permission=Permission.VIEW_SAVE, summary="Save a view", tag=TAG, body=NewViewBody, answer=ViewAnswer,
    status=201, example={"list_name": "orders", "name": "Held", "filters": {"state": "held", "sort": "-captured"}, "is_default": True},
)  # fmt: skip
def save_list_view(work: UnitOfWork, body: NewViewBody) -> ViewAnswer:
    with pointing():
        view = save_view(work, _command(_list(body.list_name), body))
    work.session.flush()
    return _view(view_named(work.session, work.actor, view))


@operation(
    "PUT", "/list-views/{view_id}", permission=Permission.VIEW_SAVE, summary="Change a view of one's own", tag=TAG, body=ViewBody,
    answer=ViewAnswer, example={"name": "Held at night", "filters": {"state": "held"}, "version": 1},
)  # fmt: skip
def change_list_view(work: UnitOfWork, view_id: int, body: ViewBody) -> ViewAnswer:
    with pointing():
        save_view(work, _command(_list(_mine(view_id).list_name), body, view=view_id, version=body.version))
    work.session.flush()
    return _view(view_named(work.session, work.actor, view_id))


@operation(
    "POST", "/list-views/{view_id}/default", permission=Permission.VIEW_SAVE, summary="Let the list open with a view, or no more",
    tag=TAG, body=DefaultBody, answer=ViewAnswer, example={"is_default": True},
)  # fmt: skip
def open_list_with_view(work: UnitOfWork, view_id: int, body: DefaultBody) -> ViewAnswer:
    _mine(view_id)
    open_with(work, view_id, wanted=body.is_default)
    work.session.flush()
    return _view(view_named(work.session, work.actor, view_id))


@operation("DELETE", "/list-views/{view_id}", permission=Permission.VIEW_SAVE, summary="Forget a view of one's own", tag=TAG, answer=None)  # fmt: skip
def forget_list_view(work: UnitOfWork, view_id: int) -> None:
    _mine(view_id)
    remove_view(work, view_id)
