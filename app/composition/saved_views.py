"""Which filters of a list has somebody kept under a name, who shares them, and with which does the list open?

A view holds filters, sort, page size and columns, never rows: whoever opens it sees what the own role and sites allow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.identity import models as _identity  # noqa: F401  the owner is an account, whose table must be known
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.first import add_first, insert_absent
from erpcore.kernel.model import Base, Key, Name, UtcDateTime
from erpcore.kernel.work import UnitOfWork

#: More than these of one list nobody finds anything in.
MOST_VIEWS = 50
LONGEST_NAME = 60
SHARE = "app:view:share"

Filters = Mapping[str, list[str]]


class SavedView(Base):
    """Filters of a list under a name. Without ``shared_role`` and ``shared_site`` it is the owner's alone; with both, who has the
    role sees it at the site. ``owner_role`` is in which role it was saved: others read that, not the name.
    """

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("account_id", "list_name", "name"),
        Index("ix_saved_view_list", "list_name", "shared_role"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    list_name: Mapped[str] = mapped_column(String(48))
    name: Mapped[str] = mapped_column(Name)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    owner_role: Mapped[str] = mapped_column(String(64))
    filters: Mapped[str] = mapped_column(Text)
    is_shared: Mapped[bool]
    shared_role: Mapped[str | None] = mapped_column(String(32))
    shared_site: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class DefaultView(Base):
    """With which view a list opens for somebody."""

    __tablename__ = "default_view"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    list_name: Mapped[str] = mapped_column(String(48), primary_key=True)
    view_id: Mapped[int] = mapped_column(ForeignKey("saved_view.id"))


@dataclass(frozen=True, kw_only=True)
class ListedView:
    """A list that views are kept of. ``misfit``: the first part of some filters that the list cannot be asked by, or ``None``;
    ``parts``: the names of all that it can be asked by.
    """

    name: str
    permission: str
    parts: Callable[[], Sequence[str]]
    misfit: Callable[[Filters], str | None]

    def checked(self, filters: Filters) -> Filters:
        """The filters; raises ``RuleBroken`` by name for one that the list does not know or cannot read."""
        wrong = self.misfit(filters)
        if wrong is not None:
            raise RuleBroken("view_filter", field="filters", name=wrong, list=self.name, known=", ".join(self.parts()))
        return filters


#: Every list of the pages, by name: each says so where it is declared.
LISTS: dict[str, ListedView] = {}


def known_list(name: str) -> ListedView:
    """The list of that name; raises ``NotFound`` naming those that there are."""
    if name not in LISTS:
        raise NotFound("view_list_unknown", field="list_name", list=name, known=", ".join(sorted(LISTS)))
    return LISTS[name]


@dataclass(frozen=True, kw_only=True)
class ViewFact:
    """A view as somebody sees it. ``shared``: with whom, in short; ``is_default``: the reader's list opens with it."""

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


@dataclass(frozen=True, kw_only=True)
class SaveView:
    """Keep these filters of a list under a name. ``view`` and ``version``: change this one, as it was seen."""

    list_name: str
    name: str
    filters: Filters
    share: bool = False
    role: str | None = None
    site: int | None = None
    is_default: bool = False
    view: int | None = None
    version: int | None = None


def views_of(session: Session, actor: Actor, list_name: str) -> list[ViewFact]:
    """The views of a list that this person sees, own ones first, by name. One query, since every list asks it."""
    rows = session.execute(
        select(SavedView, DefaultView.view_id)
        .join(
            DefaultView,
            (DefaultView.account_id == actor.id)
            & (DefaultView.list_name == SavedView.list_name)
            & (DefaultView.view_id == SavedView.id),
            isouter=True,
        )
        .where(SavedView.list_name == list_name, _seen(actor))
    )
    found = [_fact(row.SavedView, actor, is_default=row.view_id is not None) for row in rows]
    return sorted(found, key=lambda view: (not view.is_own, view.name.lower(), view.id))


def view_named(session: Session, actor: Actor, view_id: int) -> ViewFact:
    """One view; raises ``NotFound`` for an unknown one and for one the person does not see."""
    row = session.execute(
        select(SavedView, DefaultView.view_id)
        .join(
            DefaultView,
            (DefaultView.account_id == actor.id) & (DefaultView.view_id == SavedView.id),
            isouter=True,
        )
        .where(SavedView.id == view_id, _seen(actor))
    ).one_or_none()
    if row is None:
        raise NotFound("view_unknown", view=view_id)
    return _fact(row.SavedView, actor, is_default=row.view_id is not None)


def _seen(actor: Actor) -> ColumnElement[bool]:
    shared = SavedView.is_shared & or_(SavedView.shared_role.is_(None), SavedView.shared_role == actor.role)
    if actor.sites is not None:
        shared = shared & or_(SavedView.shared_site.is_(None), SavedView.shared_site.in_(sorted(actor.sites)))
    return or_(SavedView.account_id == actor.id, shared)


def _fact(view: SavedView, actor: Actor, *, is_default: bool) -> ViewFact:
    return ViewFact(
        id=view.id, list_name=view.list_name, name=view.name, is_own=view.account_id == actor.id, owner_role=view.owner_role,
        filters=orjson.loads(view.filters), is_shared=view.is_shared, shared_role=view.shared_role, shared_site=view.shared_site,
        is_default=is_default, version=view.version,
    )  # fmt: skip


def save_view(work: UnitOfWork, command: SaveView) -> int:
    """Keep or change a view; returns its id.

    Raises ``RuleBroken`` without a usable name, ``Conflict`` for a name the person has for this list already and for a view that
    changed since it was seen, ``NotFound`` for somebody else's, ``NotAllowed`` for sharing without the permission.
    """
    name = " ".join(command.name.split())
    if not name or len(name) > LONGEST_NAME:
        raise RuleBroken("view_name", field="name", most=LONGEST_NAME)
    if command.share:
        work.actor.require(SHARE)
        if command.site is not None and work.actor.sites is not None and command.site not in work.actor.sites:
            raise RuleBroken("site_unknown", field="site", site=command.site)
    same = select(SavedView.id).where(
        SavedView.account_id == work.actor.id, SavedView.list_name == command.list_name,
        func.lower(SavedView.name) == name.lower(), SavedView.id != (command.view or 0),
    )  # fmt: skip
    if work.session.scalar(same.limit(1)):
        raise Conflict("view_name_taken", field="name", name=name)
    view = _new(work, command) if command.view is None else _own(work, command.view, command.version)
    view.name, view.filters = name, orjson.dumps(dict(command.filters), option=orjson.OPT_SORT_KEYS).decode()
    view.is_shared = command.share
    view.shared_role, view.shared_site = (command.role, command.site) if command.share else (None, None)
    view.saved_at, view.version = work.now, view.version + 1
    # The default refers to the view, which must be there first.
    add_first(work, view, "view_name_taken", field="name", name=name)
    _default(work, view, wanted=command.is_default)
    return view.id


def remove_view(work: UnitOfWork, view_id: int) -> None:
    """Forget a view of one's own; lists that opened with it open without one. Raises ``NotFound`` for somebody else's."""
    view = _own(work, view_id, None)
    work.session.execute(delete(DefaultView).where(DefaultView.view_id == view.id))
    work.session.delete(view)


def open_with(work: UnitOfWork, view_id: int, *, wanted: bool) -> None:
    """Let the list open with this view for this person, or no more. Raises ``NotFound`` for a view the person does not see."""
    view = work.session.scalar(select(SavedView).where(SavedView.id == view_id, _seen(work.actor)))
    if view is None:
        raise NotFound("view_unknown", view=view_id)
    _default(work, view, wanted=wanted)


def _new(work: UnitOfWork, command: SaveView) -> SavedView:
    count = work.session.scalar(
        select(func.count()).where(
            SavedView.account_id == work.actor.id, SavedView.list_name == command.list_name
        )
    )  # fmt: skip
    if (count or 0) >= MOST_VIEWS:
        raise RuleBroken("views_enough", most=MOST_VIEWS)
    return SavedView(
        id=work.ids.one(), list_name=command.list_name, account_id=work.actor.id, owner_role=work.actor.role, version=0
    )


def _own(work: UnitOfWork, view_id: int, version: int | None) -> SavedView:
    view = work.session.scalar(
        select(SavedView)
        .where(SavedView.id == view_id, SavedView.account_id == work.actor.id)
        .with_for_update(key_share=True)
    )
    if view is None:
        raise NotFound("view_unknown", view=view_id)
    if version is not None and view.version != version:
        raise Conflict("view_changed", name=view.name)
    return view


def _default(work: UnitOfWork, view: SavedView, *, wanted: bool) -> None:
    key = {"account_id": work.actor.id, "list_name": view.list_name}
    if wanted:
        insert_absent(work, DefaultView, key | {"view_id": view.id})
    known = work.session.get(DefaultView, key, with_for_update={"key_share": True})
    if wanted and known is not None:
        known.view_id = view.id
    elif known is not None and known.view_id == view.id:
        work.session.delete(known)
