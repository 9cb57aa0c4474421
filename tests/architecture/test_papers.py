"""What is written about the project is true of it, and the project names nobody's machine."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from importlib.metadata import packages_distributions

import pytest
from click.testing import CliRunner

from app.cli import COMMANDS, cli
from tests.architecture.source import ROOT, modules, project_files

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: Written so that this file does not find itself.
MACHINE = re.compile(
    r"/wor[k]/|/hom[e]/\w|/roo[t]/|/User[s]/\w|/tm[p]/\w|share[d]/(data|design|bench|hooks)|[A-Z]:\\User[s]", re.ASCII
)
REGISTRY = re.compile(
    r"pyp[i]\.org|pythonhoste[d]\.org|npmj[s]\.(org|com)|crate[s]\.io|golan[g]\.org|rubygem[s]\.org|anacond[a]\.(org|com)"
)
#: Files that may name a folder outside of the checkout, and why.
BESIDE = {".ci/run": "finds the large data files where they stand beside the checkout"}


def texts():
    for path in project_files():
        name = path.relative_to(ROOT).as_posix()
        raw = path.read_bytes()
        if b"\0" not in raw[:4096]:
            yield name, raw.decode("utf-8")


def test_the_searches_find_what_they_are_for():
    assert MACHINE.search("see /" + "work/main")
    assert MACHINE.search("../sha" + "red/data")
    assert REGISTRY.search("https://py" + "pi.org/simple")


def test_no_file_names_a_folder_of_somebodys_machine():
    found = [f"{name}: {hit[0]}" for name, text in texts() if name not in BESIDE and (hit := MACHINE.search(text))]
    assert not found


def test_no_file_names_the_host_of_a_package_registry():
    found = [f"{name}: {hit[0]}" for name, text in texts() if (hit := REGISTRY.search(text))]
    assert not found


def test_the_lock_pins_every_package_by_hash_and_names_no_address():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    for package in re.split(r"\n(?=\S)", lock.strip()):
        assert re.match(r"[a-z0-9\-]+==\S+", package), package.splitlines()[0]
        assert "--hash=sha256:" in package, package.splitlines()[0]


def names_of(requirements):
    return {re.match(r"[a-z0-9\-]+", requirement)[0] for requirement in requirements}


def test_every_dependency_is_locked_and_explained():
    wanted = names_of(PROJECT["project"]["dependencies"]) | names_of(PROJECT["dependency-groups"]["dev"])
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    papers = (ROOT / "docs/decisions/0002-dependencies.md").read_text(encoding="utf-8")
    assert wanted == {name for name in wanted if f"\n{name}==" in f"\n{lock}"}
    assert wanted == set(re.findall(r"^\| ([a-z0-9\-]+) \|", papers, re.MULTILINE)) - {"package"}


def test_every_dependency_of_the_product_is_used_by_it():
    """Whoever installs Wavegate installs these; one that nothing imports is dead weight."""
    named = {"gunicorn": "a program", "psycopg": "named in the database's URL", "tzdata": "read by zoneinfo"}
    packages = {}
    for package, distributions in packages_distributions().items():
        for distribution in distributions:
            packages.setdefault(distribution.lower().replace("_", "-"), set()).add(package)
    text = "\n".join(module.text for module in modules("app", "erpcore", "governance", "readiness", "training"))
    unused = [
        name
        for name in sorted(names_of(PROJECT["project"]["dependencies"]) - set(named))
        if not any(re.search(rf"\b(import|from) {package}\b|\"{package}\"", text) for package in packages[name])
    ]
    assert not unused


def test_every_setting_stands_in_the_readme():
    used = {
        setting
        for module in modules("app", "erpcore", "governance", "readiness", "training", "tests", "benchmarks")
        for setting in re.findall(r"WAVEGATE_[A-Z][A-Z_]+", module.text)
    }
    assert {"WAVEGATE_DATABASE_URL"} <= used
    assert not sorted(setting for setting in used if f"`{setting}`" not in README)


def test_every_setting_in_the_readme_exists():
    known = "\n".join(text for name, text in texts() if not name.endswith(".md"))
    assert not [setting for setting in set(re.findall(r"WAVEGATE_[A-Z_]+", README)) if setting not in known]


def test_the_readme_names_the_make_targets_that_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)) - {"help"}
    assert {"setup", "demo", "test", "check", "bench", "serve", "clean"} <= targets
    assert set(re.findall(r"`make ([a-z]+)", README)) == targets


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_of_the_table_exists_helps_and_stands_in_the_readme(name):
    shown = CliRunner().invoke(cli, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Usage: " in shown.output
    assert f"`wavegate {name}" in README


def commands(group, path=()):
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_listing_speaks_json():
    """A command whose help begins with "List" or whose name is a listing's takes ``--json``."""
    silent = [
        name
        for name, command in commands(cli)
        if (name.split()[-1] in {"list", "current", "gates", "totals"} or (command.help or "").startswith("List"))
        and not any("--json" in option.opts for option in command.params)
    ]
    assert not silent


def test_the_readme_promises_no_command_that_does_not_exist():
    known = {name for name, _ in commands(cli)} | set(COMMANDS)
    for promised in re.findall(r"`wavegate ([a-z][a-z\-]*(?: [a-z][a-z\-]*)?)", README):
        assert promised in known or promised.split()[0] in known, promised


def test_a_decision_has_a_date_a_reason_and_what_was_rejected():
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    found = sorted(folder.glob("[0-9]*.md"))
    assert [path.name[:4] for path in found] == [f"{number:04d}" for number in range(1, len(found) + 1)]
    for path in found:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]} · "), path.name
        date.fromisoformat(re.search(r"^Date: (\S+)$", text, re.MULTILINE)[1])
        assert "\n## Decided\n" in text, path.name
        assert "\n## Rejected\n" in text, path.name
        assert index.count(f"({path.name})") == 1, path.name


def test_the_glossary_gives_each_word_one_meaning_in_order():
    rows = re.findall(
        r"^\| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    words = [word for word, _, _ in rows[1:]]
    assert words == sorted(words, key=str.lower)
    assert len(words) == len(set(words))


def test_links_between_papers_lead_somewhere():
    for path in project_files():
        if path.suffix == ".md":
            for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
                if "://" not in target and not target.startswith("mailto:"):
                    assert (path.parent / target).exists(), f"{path.name} → {target}"
