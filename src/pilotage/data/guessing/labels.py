"""Which columns may be what is to be predicted, judged by their values and names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from msgspec.structs import replace

from pilotage.data.guessing.clocks import is_bookkeeping
from pilotage.data.guessing.groups import is_protected
from pilotage.data.guessing.naming import column_text
from pilotage.data.guessing.records import LabelGuess, SeenColumn, SeenTable
from pilotage.data.guessing.targets import is_split, targets_of
from pilotage.data.guessing.words import in_ascii, words
from pilotage.platform.quoting import literal

_TELLING = {
    word: weight
    for weight, words_ in (
        (5.0, "label target outcome result y class"),
        (4.0, "churn churned fraud fraudulent default defaulted converted conversion chargeback dropout noshow"),
        (3.5, "returned refunded cancelled canceled late delayed failed spam recid recidivism verspatet"),
        (3.5, "scrap scrapped defect defective complaint breach breached bad rework ausschuss reklamation mangel"),
        (3.0, "survived approved accepted rejected won lost paid clicked bought"),
        (3.0, "response responded subscribed attrition readmitted escalated resolved storno storniert"),
        (3.0, "claim claimed reject refund dispute disputed lapsed escalation"),
        (2.0, "delay status state income deposit"),
    )
    for word in words_.split()
}
_POSITIVE = {
    "ja",
    "j",
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
_POSITIVE_OF_MANY = frozenset(
    (
        *("returned", "cancelled", "canceled", "refunded", "failed", "rejected", "late", "lost", "churned"),
        *("scrap", "scrapped", "defect", "defective", "disputed", "breached", "dropout", "chargeback"),
    )
)
_UNNAMED = "nothing is named like an outcome; "
_SPEAKING = _POSITIVE - {"ja", "j", "yes", "y", "true", "t", "1"}
_TOLD_BY_VALUE = 1.0
_SIBLING = 3.0
_OF_CLASSES = {"label", "target", "outcome", "class", "y"}
CATEGORIES_MAX = 12
STEM = 5
_EMPTY_WORDS = {"risk", "case", "model", "score", "rate", "prediction", "predict", "type", "number", "data", "test"}


def labels_of(tables: tuple[SeenTable, ...], name: str = "") -> tuple[LabelGuess, ...]:
    """Candidates over all tables, the likeliest first. Empty where nothing looks like an outcome.

    What the use case's name speaks of goes first; of two that are as likely, the one that is less rare.
    """
    found = [
        _if_meant(guess, table, name) for table in tables for column in table.columns for guess in _of(table, column)
    ]
    both = [guess for guess in found if 0 < guess.share < 1]  # where all are alike, nothing can be told apart
    return tuple(sorted(both, key=_likeliest))


def _likeliest(guess: LabelGuess) -> tuple[bool, int, float, float, str, str]:
    return not guess.meant, guess.rank, -guess.score, -min(guess.share, 1 - guess.share), guess.table, guess.condition


def _if_meant(guess: LabelGuess, table: SeenTable, name: str) -> LabelGuess:
    """Whether a word of its column or value is one of the use case's name and none of the table's.

    Where nothing else speaks for it, only its column counts, and it goes before no outcome that is named as one.
    """
    spoken = _stems(name) - _stems(table.name)
    told = guess.condition if guess.named else guess.columns[0]
    if not spoken & _stems(told):
        return guess
    why = guess.why.removeprefix(_UNNAMED)
    return replace(guess, why=f"{why}; the use case's name speaks of it", named=True, meant=guess.named)


def _stems(text: str) -> set[str]:
    return {word[:STEM] for word in words(in_ascii(text)) if len(word) >= STEM - 1 and word not in _EMPTY_WORDS}


def telling_words(name: str) -> frozenset[str]:
    """The words in a column's name that speak of an outcome."""
    return frozenset(word for word in _told_words(name) if _TELLING.get(word, 0.0) >= _SIBLING)


def speaks_of_outcome(name: str) -> frozenset[str]:
    """The stems of those words of a name that are, in any of their forms, words of an outcome: return, returned."""
    known = {word[:STEM] for word, weight in _TELLING.items() if weight >= _SIBLING and len(word) >= STEM}
    return frozenset(word[:STEM] for word in _told_words(name) if word[:STEM] in known and word not in _EMPTY_WORDS)


def _told_words(name: str) -> list[str]:
    """Its words, and each two beside each other as one: no_show, drop-out."""
    parts = words(in_ascii(name))
    return parts + [one + two for one, two in pairwise(parts)]


def _of(table: SeenTable, column: SeenColumn) -> Iterator[LabelGuess]:
    if not column.filled or column.distinct < 2 or is_bookkeeping(column) or is_protected(column.name):
        return
    if is_split(column):
        return
    told = max((_TELLING.get(word, 0.0) for word in _told_words(column.name)), default=0.0)
    name = column_text(column.name)
    if column.type == "flag":
        yield _guess(table, column, name, _share(column, ("true", "True", "1")), told, 2)
    elif column.distinct == 2 and column.type in ("text", "number"):
        positive, share = _positive(column)
        if column.type == "text" or {value.removesuffix(".0") for value, _ in column.common} == {"0", "1"}:
            told = max(told, _TOLD_BY_VALUE if positive.strip().lower() in _SPEAKING else 0.0)
            yield _guess(table, column, f"{name} = {_value(column, positive)}", share, told, 1.5)
    elif events := [
        (value, count)
        for value, count in (column.common if column.type == "text" and column.distinct <= CATEGORIES_MAX else ())
        if told and any(word in _POSITIVE_OF_MANY for word in words(value))
    ]:
        for value, count in events:
            yield _guess(table, column, f"{name} = {literal(value)}", count / column.filled, told, 1)
    else:
        yield from targets_of(table, column)
        if _OF_CLASSES & set(words(column.name)) and _is_of_classes(column):
            for value, count in column.common:
                condition, share = f"{name} = {_value(column, value)}", count / column.filled
                yield replace(_guess(table, column, condition, share, told, _rank(value)), rank=2)


def _is_of_classes(column: SeenColumn) -> bool:
    """A few whole numbers, or a few texts: the classes of something, each of which may be what is predicted."""
    if column.distinct > CATEGORIES_MAX or len(column.common) != column.distinct:
        return False
    return column.type == "text" or (column.type == "number" and all(_whole(value) for value, _ in column.common))


def _whole(value: str) -> bool:
    try:
        return float(value).is_integer()
    except ValueError:
        return False


def _rank(value: str) -> float:
    """One, the usual positive, before the others; zero, the usual rest, last."""
    return {"1": 0.2, "0": -0.2}.get(value.removesuffix(".0"), 0.0)


def _guess(table: SeenTable, column: SeenColumn, condition: str, share: float, told: float, form: float) -> LabelGuess:
    balanced = 0.5 if 0.01 <= share <= 0.6 else 0.0
    filled = 0.5 if column.filled >= 0.9 * table.sampled else 0.0
    why = f"{column.name} has {column.distinct} values, this one in {share:.1%} of {column.filled:,} rows"
    if not told:
        why = f"{_UNNAMED}{why}"
    score = told + form + balanced + filled
    is_flag = column.type == "flag"
    rank = 0 if told else 3
    return LabelGuess(table.name, condition, (column.name,), share, score, why, told > 0, is_flag=is_flag, rank=rank)


def _positive(column: SeenColumn) -> tuple[str, float]:
    """The value that is the event: by its word, else the rarer one."""
    counts = dict(column.common)
    named = next((value for value in counts if value.strip().lower().removesuffix(".0") in _POSITIVE), None)
    positive = named if named is not None else min(counts, key=counts.__getitem__)
    return positive, counts[positive] / column.filled


def _share(column: SeenColumn, positives: tuple[str, ...]) -> float:
    return sum(count for value, count in column.common if value in positives) / column.filled


def _value(column: SeenColumn, value: str) -> str:
    return value if column.type == "number" else literal(value)
