"""Random walks: people choose among moves by a seed, and what goes wrong is told as the shortest story that still goes wrong.

A move is a method with ``@move``: for each argument the values to choose from. ``often`` says how much likelier it is than others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from time import process_time
from typing import Any

#: A move's name with its arguments.
Step = tuple[str, dict[str, Any]]
#: How long a story is shortened, in seconds of this process.
_SHORTENING = 120


def move(*, often: int = 1, **choices: Sequence[Any]) -> Callable[[Any], Any]:
    """What people may do; each argument is chosen anew each time."""

    def mark(method: Any) -> Any:
        method.choices, method.often = choices, often
        return method

    return mark


def moves_of(people: type) -> dict[str, Any]:
    """Every move of a class and its bases, by name."""
    found = {name: getattr(people, name) for name in sorted(dir(people))}
    return {name: method for name, method in found.items() if hasattr(method, "choices")}


def a_story(people: type, seed: int, steps: int) -> list[Step]:
    """So many moves, chosen by the seed."""
    moves, random = moves_of(people), Random(seed)
    names = random.choices(list(moves), [method.often for method in moves.values()], k=steps)
    return [(name, {key: random.choice(some) for key, some in moves[name].choices.items()}) for name in names]


def play(make: Callable[[], Any], story: Sequence[Step]) -> None:
    """Do it all, and prove after each step. ``make`` gives people with ``begin``, ``prove`` and ``end``; they know what they do."""
    people = make()
    try:
        people.begin()
        for name, arguments in story:
            people.doing = name
            getattr(people, name)(**arguments)
            people.prove()
    finally:
        people.end()


def walk(make: Callable[[], Any], people: type, *, seed: int, steps: int) -> None:
    """Play a story of this seed; raises ``AssertionError`` with the shortest part of it that fails in the same way."""
    story = a_story(people, seed, steps)
    try:
        play(make, story)
    except Exception as error:
        told = "\n".join(f"    {name}({arguments})" for name, arguments in _shortened(make, story, type(error)))
        raise AssertionError(f"seed {seed} fails with {type(error).__name__}: {error}\n{told}") from error


def _shortened(make: Callable[[], Any], story: list[Step], kind: type[Exception]) -> list[Step]:
    """Leave out what is not needed, in ever smaller parts."""
    until, size = process_time() + _SHORTENING, len(story) // 2
    while size and process_time() < until:
        start = 0
        while start < len(story) and process_time() < until:
            shorter = story[:start] + story[start + size :]
            if _fails(make, shorter, kind):
                story = shorter
            else:
                start += size
        size //= 2
    return story


def _fails(make: Callable[[], Any], story: Sequence[Step], kind: type[Exception]) -> bool:
    try:
        play(make, story)
    except Exception as error:  # noqa: BLE001  # whatever it was that went wrong
        return type(error) is kind
    return False
