"""Who may import whom is held by import-linter; here each contract is shown what it must catch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PRODUCT, ROOT

#: contract → modules to be planted, each of which breaks it
INTRUDERS = {
    "Layers; the three rollout packages are independent": {
        "erpcore/masterdata/intruder_up.py": "import app.config",
        "governance/intruder_sideways.py": "import readiness.measures",
    },
    "Inside erpcore": {"erpcore/masterdata/intruder.py": "import erpcore.orders"},
    "Inside app": {"app/composition/intruder.py": "import app.web"},
    "Inside readiness: figures below, judgements above": {"readiness/measures/intruder.py": "import readiness.gates"},
    "Others see only the published face of erpcore": {
        "governance/intruder_core.py": "import erpcore.masterdata.queries"
    },
    "Screens and API speak to services and queries, never to tables": {
        "app/web/intruder.py": "import erpcore.masterdata.models"
    },
    "No web, PDF or scheduler in the domain": {"erpcore/ledger/intruder.py": "import flask"},
    "No cycles between siblings": {
        "governance/intruder_one.py": "import governance.intruder_two",
        "governance/intruder_two.py": "import governance.intruder_one",
    },
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory) -> dict[str, str]:
    """What import-linter says of a copy of the product with all intruders in it."""
    copy = tmp_path_factory.mktemp("product")
    for package in PRODUCT:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for planted in INTRUDERS.values():
        for path, line in planted.items():
            (copy / path).write_text(f"{line}\n", encoding="utf-8")
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [program, "--no-cache"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return {"all of it": run.stdout, **dict(re.findall(r"^(.+?) (KEPT|BROKEN)", run.stdout, re.MULTILINE))}


def test_every_contract_is_shown_an_intruder(verdicts):
    assert set(verdicts) - {"all of it"} == set(INTRUDERS)


@pytest.mark.parametrize("contract", INTRUDERS)
def test_a_contract_catches_its_intruders(verdicts, contract):
    assert verdicts[contract] == "BROKEN", verdicts["all of it"]
    for path in INTRUDERS[contract]:
        name = path.removesuffix(".py").replace("/", ".")
        assert name in verdicts["all of it"] or name.rpartition(".")[2] in verdicts["all of it"]
