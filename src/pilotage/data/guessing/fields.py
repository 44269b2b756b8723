"""What the app would send of a case, and which of it may be an input: never what tells the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from pilotage.data.guessing.clocks import is_bookkeeping
from pilotage.data.guessing.groups import is_special, names_a_person
from pilotage.data.guessing.labels import telling_words
from pilotage.data.guessing.naming import request_name
from pilotage.data.guessing.records import LabelGuess, SeenColumn, SeenTable, SourceGuess
from pilotage.data.guessing.targets import is_split, speaks_alike
from pilotage.data.guessing.words import is_identifier
from pilotage.usecase.records import ColumnKind

KINDS: dict[str, ColumnKind] = {"text": "category", "number": "number", "datetime": "datetime", "flag": "flag"}
REQUEST_MAX = 60
CATEGORY_SHARE_MAX = 0.5
CATEGORY_VALUES_FREE = 100
WORDS_MIN = 6.0
"""A text of more words on average is free text: its words say something, and hardly any comes twice."""


class Field(Struct, frozen=True):
    """A column that the app would send: its name in the request, and the source's where that is another.

    ``why`` says why it is no input, where that is so.
    """

    name: str
    column: SeenColumn
    required: bool
    is_input: bool
    why: str = ""

    @property
    def kind(self) -> ColumnKind:
        """Its kind in the request."""
        return "text" if _is_free_text(self.column) else KINDS[self.column.type]


def fields_of(
    decision: SourceGuess,
    entity: str,
    label: LabelGuess,
    others: Sequence[LabelGuess],
    moment: str,
    telling: Mapping[str, str],
) -> tuple[tuple[Field, ...], dict[str, str]]:
    """The request, inputs first, and the columns that are left out of it with the reason. ``telling`` gives it away."""
    left_out = {
        column.name: why for column in decision.table.columns if (why := _why_not(column, label, others, telling))
    }
    silent = {entity}
    if decision.clocks is not None:
        silent |= {guess.value[0] for guess in decision.clocks if guess.value[0] != moment}
    fields: list[Field] = []
    taken = {entity.lower()}
    for column in decision.table.columns:
        if column.name in silent or not column.filled or (column.name in left_out and column.name != moment):
            continue
        name = request_name(column.name, taken)
        taken.add(name.lower())
        why = "it says when the case is decided" if column.name == moment else _why_no_input(column)
        fields.append(Field(name, column, column.filled == decision.table.sampled, not why, why))
    shown = {name: why for name, why in left_out.items() if name not in silent | {moment}}
    shown |= _clocks_not_sent(decision, moment)
    if not fields:  # nothing else is there, and a request needs a column: the entity under another name
        return (Field(request_name(entity, taken), _key_column(decision.table, entity), True, False),), shown
    fields.sort(key=lambda field: not field.is_input)
    kept = fields[:REQUEST_MAX] + [field for field in fields[REQUEST_MAX:] if field.column.name == moment]
    many = f"a draft takes {REQUEST_MAX} columns of a row and these come after them; write those in that matter"
    return tuple(kept), shown | {field.column.name: many for field in fields if field not in kept}


def _clocks_not_sent(decision: SourceGuess, moment: str) -> dict[str, str]:
    """The clocks of a row, which are in no request but where one is its moment."""
    if decision.clocks is None:
        return {}
    event_time, known_at = (guess.value[0] for guess in decision.clocks)
    found = {
        known_at: "it is the known_at of the row: when it was written",
        event_time: "it is the event_time of the row, which stands in no request",
    }
    return {name: why for name, why in found.items() if name != moment}


def _why_not(column: SeenColumn, label: LabelGuess, others: Sequence[LabelGuess], telling: Mapping[str, str]) -> str:
    """Why a column must not be an input; empty where it may."""
    if column.name in telling:
        return telling[column.name]
    if is_bookkeeping(column):
        return "it says when the row was written, changed or deleted"
    if is_split(column):
        return "it says which rows teach and which judge: name it in `decision.judged` instead"
    if names_a_person(column):
        return "it names a person: nothing is learnt from it"
    if is_special(column.name):
        return "named like a special category of personal data: compared by, not learnt from"
    if speaks_alike(label, column.name):
        return "it is named like the outcome, which it may tell"
    shared = frozenset().union(*(telling_words(name) for name in label.columns))
    for other in others:
        if column.name in other.columns and other.named and shared & telling_words(column.name):
            return "it looks like another form of the outcome"
    return ""


def _key_column(table: SeenTable, entity: str) -> SeenColumn:
    """The entity's column; the number of a row in its file is none of the file's own."""
    own = next((column for column in table.columns if column.name == entity), None)
    return own or SeenColumn(entity, "number", table.sampled, table.sampled)


def _why_no_input(column: SeenColumn) -> str:
    """What is the same in every row, the number of something, or a text that is another in nearly every row."""
    if column.distinct < 2:
        return "it is the same in every row"
    if column.type == "number" and is_identifier(column.name) and column.distinct > CATEGORY_VALUES_FREE:
        return "it is a number of something, not how much"
    if _is_free_text(column):
        return ""
    if column.type == "text" and column.distinct > max(CATEGORY_VALUES_FREE, CATEGORY_SHARE_MAX * column.filled):
        return "it is text, and another one in most rows"
    return ""


def _is_free_text(column: SeenColumn) -> bool:
    many = column.distinct > max(CATEGORY_VALUES_FREE, CATEGORY_SHARE_MAX * column.filled)
    return column.type == "text" and many and column.words >= WORDS_MIN
