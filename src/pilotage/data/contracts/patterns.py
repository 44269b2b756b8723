"""Regular expressions of contracts: RE2's, which takes linear time, in the engine as in the hot path.

A text is matched whole. Python's own ``re`` is ten times faster to call than any RE2 at hand, but a pattern such as
``(a+)+b`` lets it run for hours over a text that somebody sent. So it is used only for patterns in which both mean the
same and nothing that repeats is inside something that repeats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from pilotage.platform.engine import analytical

_KEPT = 4096
_LENGTH_MAX = 256
_UNBOUNDED_MAX = 2
_REPEATED_GROUP = re.compile(r"\)[*+?{]")
_UNBOUNDED = re.compile(r"[*+]|\{\d*,\}")
_PLAIN_ESCAPE = re.compile(r"\\[dDwW.\-+*?()\[\]{}|/\\^$ ]")

Matcher = Callable[[str], bool]


def faults(patterns: Iterable[str]) -> dict[str, str]:
    """Of these patterns those that RE2 does not know, with what it says of each."""
    wanted = [pattern for pattern in dict.fromkeys(patterns) if pattern]
    if not wanted:
        return {}
    import duckdb

    found = {}
    with analytical() as connection:
        for pattern in wanted:
            try:
                connection.execute("SELECT regexp_full_match('', ?)", [pattern]).fetchall()
            except duckdb.Error as error:
                found[pattern] = str(error).splitlines()[0].split("Error: ", 1)[-1]
    return found


@lru_cache(maxsize=_KEPT)
def matcher(pattern: str) -> Matcher:
    """Says whether a whole text matches, as ``regexp_full_match`` of the engine does."""
    by_engine = _by_engine(pattern)
    if not _is_harmless(pattern):
        return by_engine
    full = re.compile(pattern, re.ASCII).fullmatch

    def matches(text: str) -> bool:
        return full(text) is not None if len(text) <= _LENGTH_MAX else by_engine(text)

    return matches


def _is_harmless(pattern: str) -> bool:
    """Whether ``re`` means the same by it and cannot be kept busy by it."""
    bare = _PLAIN_ESCAPE.sub("", pattern)
    simple = pattern.isascii() and "\\" not in bare and "(?" not in bare and "[:" not in bare
    return simple and not _REPEATED_GROUP.search(bare) and len(_UNBOUNDED.findall(bare)) <= _UNBOUNDED_MAX


def _by_engine(pattern: str) -> Matcher:
    """RE2 through Arrow: some 20 µs a text, hence what was seen is remembered."""

    @lru_cache(maxsize=_KEPT)
    def matches(text: str) -> bool:
        import pyarrow as pa
        import pyarrow.compute as pc

        return bool(pc.match_substring_regex(pa.scalar(text, pa.string()), pattern=rf"\A(?:{pattern})\z").as_py())

    return matches
