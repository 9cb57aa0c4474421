"""How much processor time did a process and all it started take? Read from Linux; other systems say nothing, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")


def _running(pid: int) -> float:
    """Seconds that the threads of one process have run so far; 0 for one that has ended or cannot be seen."""
    total = 0.0
    for thread in (_PROC / str(pid) / "task").glob("*/schedstat"):
        try:
            total += int(thread.read_text().split()[0]) / 1e9
        except (OSError, IndexError):
            continue
    return total


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for children in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            found += [int(child) for child in children.read_text().split()]
        except OSError:
            continue
    return found


def family(pid: int) -> list[int]:
    """The process and every process that it started, and they in turn, as far as they still run."""
    found = [pid]
    for known in found:
        found += _children(known)
    return found


def processor_seconds(*pids: int) -> float:
    """Seconds that these processes and their families have run so far."""
    return sum(_running(member) for pid in pids for member in family(pid))


def is_measurable() -> bool:
    """Whether this system says what a process of another one's took."""
    return (_PROC / "self" / "schedstat").exists()
