"""Who has an account, and which tokens are there? The lists of people and of programs' secrets."""

from __future__ import annotations

from app.identity.queries import Person, TokenEntry, list_people, list_tokens
from app.queries.worked_out import MemoryList

PEOPLE: MemoryList[Person] = MemoryList(
    rows=lambda session, _actor, _asked, at: list_people(session, at),
    text=lambda person: f"{person.name} {person.sign_in}", by=("account", lambda person: "closed" if person.is_closed else "open"),
    flags=("present",),
    sorts={"name": lambda person: person.name.lower(), "zone": lambda person: person.time_zone}, usual="name",
    wanted={
        "role": lambda person, role, _: any(granted.role == role for granted in person.roles),
        "account": lambda person, value, _: person.is_closed == (value == "closed"),
        "present": lambda person, _value, _: person.open_sign_ins > 0,
    },
)  # fmt: skip

TOKENS: MemoryList[TokenEntry] = MemoryList(
    rows=lambda session, _actor, _asked, _at: list_tokens(session),
    text=lambda token: token.name, flags=("ended",),
    sorts={"name": lambda token: token.name.lower(), "until": lambda token: token.expires_at},
    wanted={"ended": lambda token, _value, eyes: token.revoked_at is not None or token.expires_at <= eyes.now},
)  # fmt: skip
