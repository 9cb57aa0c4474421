"""Every control of the books can be recomputed on its page, once."""

from __future__ import annotations

from app.queries.controls import CONTROLS
from app.web.proof.views import PARTS


def test_each_control_stands_in_one_part_of_the_proof():
    for control in CONTROLS:
        parts = [key for key, (_, names) in PARTS.items() if control.name.startswith(names)]
        assert len(parts) == 1, f"{control.name} stands in {parts or 'no part'}"
