"""Names and sentences of the columns that inputs expand to."""

from __future__ import annotations

from pilotage.usecase.records import Input, listed, seconds

_AGGREGATE_WORDS = {"std": "standard deviation"}


def words(name: str) -> str:
    """A column's name as words: ``arr_delay`` is 'arr delay'."""
    return name.replace("_", " ")


def short_span(duration: str) -> str:
    """A duration as part of a name: '7 days' is '7d', '90 minutes' is '90m', '24 hours' is '1d'."""
    length = seconds(duration)
    for unit, size in (("d", 86_400), ("h", 3600)):
        if length % size == 0:
            return f"{length // size}{unit}"
    return f"{length // 60}m"


def taken(key: str, entry: Input) -> dict[str, str]:
    """Columns that a ``latest`` input takes from its source: their names among the inputs → theirs in the source."""
    if isinstance(entry.take, str):
        return {key: entry.take or key}
    return {f"{key}_{take}": take for take in entry.take} or {key: key}


def window_name(aggregate: str, take: str, by: str, duration: str) -> str:
    """Such as ``mean_arr_delay_by_carrier_7d``; a count of rows takes nothing: ``count_by_carrier_7d``."""
    return "_".join(part for part in (aggregate, take, "by", by, short_span(duration)) if part)


def taken_words(entry: Input, take: str) -> str:
    """A taken column in words: the file's own, or its name."""
    return entry.take.get(take) or words(take) if isinstance(entry.take, dict) else words(take)


def latest_says(key: str, entry: Input, take: str) -> str:
    """The sentence of a looked-up column."""
    if entry.says:
        return entry.says if isinstance(entry.take, str) else f"{entry.says}: {taken_words(entry, take)}"
    if isinstance(entry.take, dict):
        return taken_words(entry, take)
    condition = f" where {entry.where}" if entry.where else ""
    return f"{words(take)}, latest by {' and '.join(words(by) for by in listed(entry.by))}{condition}"


def window_says(entry: Input, take: str, by: str, duration: str) -> str:
    """The sentence of a window."""
    sentence = f"{_aggregated(entry, take)} by {words(by)} over the last {duration.removeprefix('1 ')}"
    return f"{entry.says}: {sentence}" if entry.says else sentence


def _aggregated(entry: Input, take: str) -> str:
    """What a window makes of its rows, and of which."""
    if entry.aggregate == "share":
        return f"share of rows where {entry.where}"
    condition = f" where {entry.where}" if entry.where else ""
    if take:
        return f"{taken_words(entry, take)}, {_AGGREGATE_WORDS.get(entry.aggregate, entry.aggregate)}{condition}"
    return f"{'seconds since the newest row' if entry.aggregate == 'since' else 'number of rows'}{condition}"
