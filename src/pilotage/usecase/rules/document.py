"""YAML, the small safe part of it: texts, lists and mappings, each with its place.

No anchors, aliases, merges, tags or second documents: they make small files explode and say nothing that a use case
needs. Scalars keep their text; what they mean is for the schema to say, so that ``NO`` stays a country and ``0123`` a
number with a zero in front.
"""

from __future__ import annotations

import dataclasses

import yaml

from pilotage.usecase.rules.places import Mistake, Path

FILE_BYTES_MAX = 64 * 1024
_DEPTH_MAX = 20
_MISTAKES_MAX = 50
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclasses.dataclass(frozen=True)
class Scalar:
    """A text as written. ``plain`` when it stands without quotes."""

    text: str
    plain: bool
    place: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Sequence:
    """A list."""

    items: list[Node]
    place: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Mapping:
    """Keys and values; each key with its own place."""

    entries: dict[str, Node]
    key_places: dict[str, tuple[int, int]]
    place: tuple[int, int]


Node = Scalar | Sequence | Mapping


class UnreadableDocument(Exception):
    """The text is not the YAML we read; ``mistake`` says where and why."""

    def __init__(self, message: str, repair: str, place: tuple[int, int] = (1, 1)) -> None:
        self.mistake = Mistake((), message, repair, place)
        super().__init__(message)


def read_document(text: str, depth_max: int = _DEPTH_MAX) -> tuple[Node, list[Mistake]]:
    """The document in the text, at most ``depth_max`` levels deep, and the keys that stand twice in it.

    Raises:
        UnreadableDocument: it breaks YAML's rules or ours, so that nothing more can be said about it.
    """
    _refuse_unprintable(text)
    builder = _Builder(depth_max)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise UnreadableDocument(*_explained(error, text, place), place) from None
    except yaml.YAMLError:
        raise UnreadableDocument("The text holds a character that YAML does not allow.", "Remove it.") from None
    if builder.root is None:
        raise UnreadableDocument("The file is empty.", "Begin with: use_case: your_name")
    return builder.root, builder.mistakes


def _refuse_unprintable(text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        for column, letter in enumerate(line, start=1):
            if letter < " " and letter not in "\t\r":
                message = f"The text holds the control character U+{ord(letter):04X}."
                raise UnreadableDocument(message, "Save the file as plain UTF-8 text.", (number, column))


def _explained(error: yaml.MarkedYAMLError, text: str, place: tuple[int, int]) -> tuple[str, str]:
    """What the reader of YAML stumbled over, and what mostly helps."""
    lines = text.splitlines()
    line = lines[place[0] - 1] if place[0] <= len(lines) else ""
    problem = error.problem or "it cannot be read"
    if line.lstrip(" ").startswith("\t") or "'\\t'" in problem or "tab" in problem:
        return "A tab stands where YAML wants spaces.", "Indent with two spaces."
    if "mapping values are not allowed" in problem:
        return "A second ': ' on this line, or wrong indentation.", "Put the text in quotes, or align the line."
    if "expected" in problem and "block end" in problem:
        return "This line does not line up with the lines above it.", "Keys of one group start in the same column."
    return f"This is not YAML: {problem}.", "See the line above, too: a quote or bracket may be left open."


class _Builder:
    """Builds the tree from the parser's events, without ever following an alias."""

    def __init__(self, depth_max: int) -> None:
        self.root: Node | None = None
        self._depth_max = depth_max
        self.mistakes: list[Mistake] = []
        self._open: list[Mapping | Sequence] = []
        self._keys: list[tuple[str, bool] | None] = []  # pending key of each open mapping; False: duplicate

    def take(self, event: yaml.Event) -> None:
        place = (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (1, 1)
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise UnreadableDocument("A second document begins here (---).", "Write one use case per file.", place)
        if isinstance(event, yaml.AliasEvent):
            raise UnreadableDocument(
                f"*{event.anchor} is an alias.", "Write the value out: aliases are not read.", place
            )
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            raise UnreadableDocument(f"&{event.anchor} is an anchor.", "Remove it: anchors are not read.", place)
        tag = getattr(event, "tag", None)
        if tag:
            raise UnreadableDocument(f"{tag} is a tag.", "Remove it: what a value is follows from its key.", place)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, place)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin(Mapping({}, {}, place), place)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin(Sequence([], place), place)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._open.pop()
            self._keys.pop()
            self._forget_key()

    def _begin(self, node: Mapping | Sequence, place: tuple[int, int]) -> None:
        if len(self._open) >= self._depth_max:
            repair = "A use case needs five, a contract four."
            raise UnreadableDocument(f"Nested deeper than {self._depth_max} levels.", repair, place)
        self._add(node, place)
        self._open.append(node)
        self._keys.append(None)

    def _scalar(self, event: yaml.ScalarEvent, place: tuple[int, int]) -> None:
        if self._open and isinstance(self._open[-1], Mapping) and self._keys[-1] is None:
            self._key(self._open[-1], event, place)
        else:
            self._add(Scalar(event.value, event.implicit[0], place), place)
            self._forget_key()

    def _key(self, mapping: Mapping, event: yaml.ScalarEvent, place: tuple[int, int]) -> None:
        name = event.value
        if name == "<<" and event.implicit[0]:
            raise UnreadableDocument("<< merges another mapping.", "Write the keys out: merges are not read.", place)
        if name in mapping.entries:
            first = mapping.key_places[name][0]
            self._keys[-1] = (name, False)
            if len(self.mistakes) < _MISTAKES_MAX:
                repair = f"Line {first} has it already; keep one."
                self.mistakes.append(Mistake(self._path(), f"{name} stands here a second time.", repair, place))
            return
        self._keys[-1] = (name, True)
        mapping.key_places[name] = place

    def _path(self) -> Path:
        steps: list[str | int] = []
        for node, key in zip(self._open, self._keys, strict=True):
            steps.append(len(node.items) - 1 if isinstance(node, Sequence) else key[0] if key else "")
        return tuple(steps)

    def _add(self, node: Node, place: tuple[int, int]) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self._keys[-1]
        if key is None:
            raise UnreadableDocument("A key must be a word.", "Write: name: value", place)
        if key[1]:
            parent.entries[key[0]] = node

    def _forget_key(self) -> None:
        """The value of the pending key is complete."""
        if self._keys:
            self._keys[-1] = None
