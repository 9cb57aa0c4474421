"""The outside world of Wavegate: screens, API, command line, jobs, papers, importers, and the wiring."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.composition.uow import Database
    from app.config import Settings
    from erpcore.kernel.clock import Clock


def create_app(
    config: Settings | None = None, *, database: Database | None = None, clock: Clock | None = None
) -> Flask:
    """The site, ready to serve. Without arguments it is what the environment says.

    ``database`` and ``clock`` are for tests and the demo; a database that is handed in stays open when the site ends.
    """
    # Imported here: commands and jobs use this package without a site, and start in a fraction of the time.
    from app.assembly import assemble  # noqa: PLC0415

    return assemble(config, database=database, clock=clock)
