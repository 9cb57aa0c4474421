"""Which rules does a document run under? The answer to the core's ``ProcessRules`` port.

No effective variant exists without a register, so every scope resolves to the enterprise standard of this catalogue version.
"""

from __future__ import annotations

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import StoredRuleset
from erpcore.ports import CATALOGUE_VERSION, Ruleset, standard_ruleset


class RegisterRules:
    """Rulesets by scope, each stored by its hash before a document is stamped with it."""

    def resolve(
        self, work: UnitOfWork, *, entity: int, site: int, channel: int | None, customer_group: int | None
    ) -> Ruleset:
        """The effective values for a scope: the standard."""
        return self._keep(work, standard_ruleset())

    def stored(self, work: UnitOfWork, hash_: str) -> Ruleset:
        """The ruleset a document was stamped with; raises ``RuleBroken`` when it is not there: never guess."""
        known: dict[str, Ruleset] = work.memo.setdefault("rulesets", {})
        if hash_ not in known:
            row = work.session.execute(
                select(StoredRuleset.content, StoredRuleset.variants).where(StoredRuleset.hash == hash_)
            ).one_or_none()
            if row is None:
                raise RuleBroken("rules_unreadable", ruleset=hash_[:12])
            known[hash_] = Ruleset(hash_, orjson.loads(row.content), row.variants)
        return known[hash_]

    def _keep(self, work: UnitOfWork, ruleset: Ruleset) -> Ruleset:
        known: dict[str, Ruleset] = work.memo.setdefault("rulesets", {})
        if ruleset.hash not in known:
            stored = work.session.execute(select(StoredRuleset.hash).where(StoredRuleset.hash == ruleset.hash)).first()
            if stored is None:
                insert = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
                work.session.execute(
                    insert(StoredRuleset)
                    .values(
                        hash=ruleset.hash, catalogue_version=CATALOGUE_VERSION,
                        content=canonical_json(dict(ruleset.values)).decode(), variants=ruleset.variants,
                        first_used_at=work.now,
                    )
                    .on_conflict_do_nothing()
                )  # fmt: skip
            known[ruleset.hash] = ruleset
        return known[ruleset.hash]
