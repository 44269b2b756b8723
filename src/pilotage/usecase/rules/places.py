"""Where in the file something stands: paths of keys, positions, and mistakes that are located by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pilotage.platform.errors import Problem

Path = tuple[str | int, ...]
"""Keys and indices from the top of the file: ``("inputs", "weather", "take", 2)``."""

Positions = Mapping[Path, tuple[int, int]]
"""Line and column, both from 1, of every scalar and of the key of every mapping and list."""


class WithShared(dict[Path, tuple[int, int]]):
    """Positions in a use-case file, those of what it shares being where it says so.

    ``shared`` has, for each shared input and source, the columns file it comes from and the positions there.
    """

    def __init__(self, positions: Positions) -> None:
        super().__init__(positions)
        self.shared: dict[Path, tuple[str, Positions]] = {}


class Mistake(msgspec.Struct, frozen=True):
    """Something wrong at a path; ``place`` is given only where the path alone would lead elsewhere."""

    path: Path
    message: str
    repair: str = ""
    place: tuple[int, int] | None = None


def lies_on(path: Path, others: Iterable[Path]) -> bool:
    """Whether one of the paths leads here, or on from here."""
    return any(path[:length] == other[:length] for other in others if (length := min(len(path), len(other))))


def dotted(path: Path) -> str:
    """A path in words: ``inputs.weather.take[2]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "file"


def located(mistakes: Iterable[Mistake], positions: Positions) -> list[Problem]:
    """The mistakes with line and column, in the file's order. What is not written stands where its parent does."""
    problems = []
    for mistake in dict.fromkeys(mistakes):
        line, column = mistake.place or _position(mistake.path, positions)
        message = mistake.message + _in_shared(mistake.path, positions)
        problems.append(Problem(dotted(mistake.path), message, mistake.repair, line, column))
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


def _in_shared(path: Path, positions: Positions) -> str:
    """Where a mistake of a shared input stands in its own file."""
    if not isinstance(positions, WithShared) or path[:2] not in positions.shared:
        return ""
    file, theirs = positions.shared[path[:2]]
    return f" It stands in {file}, line {_position(path, theirs)[0]}."


def _position(path: Path, positions: Positions) -> tuple[int, int]:
    while path and path not in positions:
        path = path[:-1]
    return positions.get(path, (1, 1))
