"""The project's files as the architecture tests see them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = ("erpcore", "governance", "readiness", "training")
PRODUCT = ("app", *DOMAIN)


@cache
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the root with forward slashes, its text and its syntax tree."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parse(self.text)


@dataclass(frozen=True, order=True)
class Finding:
    """A broken convention; printed as ``path:line what``."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.what}"


@cache
def project_files() -> tuple[Path, ...]:
    """All files of the project: those git knows and new ones it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())


def modules(*packages: str) -> Iterator[Module]:
    """The Python modules of these top-level folders."""
    for path in project_files():
        relative = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py" and relative.split("/")[0] in packages:
            yield Module(relative, path.read_text(encoding="utf-8"))
