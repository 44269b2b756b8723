"""Which columns may be what is to be predicted, judged by their values and names."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.data.guessing.records import LabelGuess, SeenColumn, SeenTable
from pilotage.data.guessing.words import words
from pilotage.platform.quoting import literal
from pilotage.usecase.rules.expressions import ExpressionError, parse
from pilotage.usecase.rules.expressions.tree import ColumnReference

_TELLING = {
    word: weight
    for weight, words_ in (
        (5.0, "label target outcome result y class"),
        (4.0, "churn churned fraud fraudulent default defaulted converted conversion"),
        (3.5, "returned refunded cancelled canceled late delayed failed spam recid recidivism"),
        (3.0, "survived approved accepted rejected won lost paid clicked bought"),
        (3.0, "response responded subscribed attrition readmitted escalated resolved"),
        (2.0, "delay status state income deposit"),
    )
    for word in words_.split()
}
_POSITIVE = {
    "yes",
    "y",
    "true",
    "t",
    "1",
    "positive",
    "bad",
    "spam",
    "late",
    "lost",
    "churned",
    "returned",
    "cancelled",
}
_POSITIVE_OF_MANY = {"returned", "cancelled", "canceled", "refunded", "failed", "rejected", "late", "lost", "churned"}
_DELAY = {"delay", "delayed", "lateness", "overdue"}
CATEGORIES_MAX = 12


def labels_of(tables: tuple[SeenTable, ...]) -> tuple[LabelGuess, ...]:
    """Candidates over all tables, the likeliest first. Empty where nothing looks like an outcome."""
    found = [guess for table in tables for column in table.columns for guess in _of(table, column)]
    return tuple(sorted(found, key=lambda guess: (-guess.score, guess.table, guess.condition)))


def _of(table: SeenTable, column: SeenColumn) -> Iterator[LabelGuess]:
    if not column.filled or column.distinct < 2:
        return
    told = max((_TELLING.get(word, 0.0) for word in words(column.name)), default=0.0)
    if column.type == "flag":
        yield _guess(table, column, column_text(column.name), _share(column, ("true", "True", "1")), told + 2)
    elif column.distinct == 2 and column.type in ("text", "number"):
        positive, share = _positive(column)
        if column.type == "text" or {value for value, _ in column.common} == {"0", "1"}:
            yield _guess(table, column, f"{column_text(column.name)} = {_value(column, positive)}", share, told + 1.5)
    elif column.type == "text" and column.distinct <= CATEGORIES_MAX and told:
        for value, count in column.common:
            if any(word in _POSITIVE_OF_MANY for word in words(value)):
                condition = f"{column_text(column.name)} = {literal(value)}"
                yield _guess(table, column, condition, count / column.filled, told + 1)
    elif column.type == "number" and set(words(column.name)) & _DELAY and column.highest and column.highest > 0:
        limit = max(column.middle or 0.0, 0.0)
        yield _guess(table, column, f"{column_text(column.name)} > {limit:g}", 0.5, told)


def _guess(table: SeenTable, column: SeenColumn, condition: str, share: float, score: float) -> LabelGuess:
    balanced = 0.5 if 0.01 <= share <= 0.6 else 0.0
    filled = 0.5 if column.filled >= 0.9 * table.sampled else 0.0
    why = f"{column.name} has {column.distinct} values, this one in {share:.1%} of {column.filled:,} rows"
    if column.type == "number" and column.distinct > 2:
        why = f"{column.name} is named like a delay; the limit is only its middle"
    return LabelGuess(table.name, condition, (column.name,), share, score + balanced + filled, why)


def _positive(column: SeenColumn) -> tuple[str, float]:
    """The value that is the event: by its word, else the rarer one."""
    counts = dict(column.common)
    named = next((value for value in counts if value.strip().lower() in _POSITIVE), None)
    positive = named if named is not None else min(counts, key=counts.__getitem__)
    return positive, counts[positive] / column.filled


def _share(column: SeenColumn, positives: tuple[str, ...]) -> float:
    return sum(count for value, count in column.common if value in positives) / column.filled


def _value(column: SeenColumn, value: str) -> str:
    return value if column.type == "number" else literal(value)


def column_text(name: str) -> str:
    """A column as an expression names it: in double quotes where it is no plain word."""
    try:
        plain = parse(name) == ColumnReference(name)
    except ExpressionError:  # a word of SQL, or not a word
        plain = False
    return name if plain else '"' + name.replace('"', '""') + '"'
