"""Rows that are there more than once: by hash, and then only among those whose hash occurs again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilotage.audit.measured.repeats import Repeats, SameEvents, Sample
from pilotage.audit.measuring.sources.place import Place
from pilotage.audit.measuring.sources.samples import sample_rows
from pilotage.audit.measuring.sources.spelling import bare
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import SEEN_AT

# Above this many rows, the same event under two keys is looked for among a part of the contents, chosen by hash: equal
# rows are in the same part.
_CONTENTS_MAX = 2_000_000
# With fewer columns, equal rows are no sign that they are one event.
_COLUMNS_MIN = 3
# Rows that agree in so many columns agree.
_COLUMNS_MAX = 300


def measure_repeats(place: Place, distinct: dict[str, int]) -> Repeats:
    """Rows per key, equal rows, and the same event under two keys. Exact but for 64-bit hashes."""
    if not place.rows:
        return Repeats(keys=0)
    place.engine.execute(
        f"CREATE OR REPLACE TEMP TABLE _repeated AS SELECT k, count(*) AS n FROM "
        f"(SELECT hash({place.key}) AS k FROM {place.whole}) GROUP BY k HAVING count(*) > 1"
    )
    again = int(place.one("SELECT COALESCE(sum(n - 1), 0) FROM _repeated")[0])
    counts: dict[str, Any] = _versions(place) if again else {}
    place.engine.execute("DROP TABLE IF EXISTS _versions; DROP TABLE _repeated")
    return Repeats(keys=place.rows - again, same_events=_same_events(place, distinct), **counts)


def _versions(place: Place) -> dict[str, Any]:
    names = [column.name for column in place.columns if column.name != SEEN_AT]
    known = place.known_at or "NULL"
    place.engine.execute(
        f"CREATE OR REPLACE TEMP TABLE _versions AS SELECT hash({place.key}) AS k, "
        f"hash({', '.join(quoted(name) for name in names)}) AS r, hash({known}) AS a, "
        f"hash({_bare(place, names[:_COLUMNS_MAX])}) AS f FROM {place.whole} "
        f"WHERE hash({place.key}) IN (SELECT k FROM _repeated)"
    )
    rows, different, moments, plain = place.one(
        "SELECT count(*), count(DISTINCT (k, r)), count(DISTINCT (k, a)), count(DISTINCT (k, a, f)) FROM _versions"
    )
    picks = {
        "exact": ("GROUP BY k, r HAVING count(*) > 1", rows > different),
        "clashing": ("GROUP BY k, a HAVING count(DISTINCT r) > 1", different > moments),
        "corrected": ("GROUP BY k HAVING count(DISTINCT a) > 1 AND count(DISTINCT r) > 1", moments > 0),
    }
    samples = {kind: _of_keys(place, f"SELECT k FROM _versions {pick}") for kind, (pick, any_) in picks.items() if any_}
    return {
        "exact": rows - different,
        "clashing": different - moments,
        "near": different - plain,
        "samples": {kind: found for kind, found in samples.items() if found},
    }


def _bare(place: Place, names: Sequence[str]) -> str:
    texts = {column.name for column in place.columns if column.type == "text"}
    return ", ".join(bare(quoted(name)) if name in texts else quoted(name) for name in names)


def _of_keys(place: Place, keys: str) -> tuple[Sample, ...]:
    """A few rows of the first keys, all versions of a key together."""
    chosen = [row[0] for row in place.all(f"SELECT DISTINCT k FROM ({keys}) ORDER BY k LIMIT 2")]
    if not chosen:
        return ()
    condition = f"hash({place.key}) IN ({', '.join(str(k) for k in chosen)})"
    return sample_rows(place, place.whole, condition, [column.name for column in place.columns])


def _same_events(place: Place, distinct: dict[str, int]) -> SameEvents | None:
    """Rows that agree in all but their key, when they are told apart by more than their clock."""
    source = place.source
    left_out = ({*source.key, source.known_at, SEEN_AT}) - {source.event_time}
    columns = [column for column in place.columns if column.name not in left_out]
    columns = sorted(columns, key=lambda column: column.name != source.event_time)[:_COLUMNS_MAX]
    names = [column.name for column in columns]
    if not place.event_time or len(names) < _COLUMNS_MIN or set(source.key) <= {source.event_time}:
        return None
    tested = max((name for name in names if name != source.event_time), key=lambda name: distinct.get(name, 0))
    exact = [c.name for c in columns if c.type != "text" and c.name != tested]
    _candidates(place, names, exact, tested)
    rows, near, without = place.one(
        "SELECT count(DISTINCT (r, k)) - count(DISTINCT r), count(DISTINCT (f, k)) - count(DISTINCT f), "
        "count(DISTINCT (w, k)) - count(DISTINCT w) FROM _same"
    )
    samples = _same_samples(place, "r") if rows else ()
    near_samples = _same_samples(place, "f", "r") if near > rows else ()
    place.engine.execute("DROP TABLE _same")
    return SameEvents(tuple(names), rows, near - rows, tested, without, _looked(place), samples, near_samples)


def _part(place: Place) -> int:
    return -(-place.rows // _CONTENTS_MAX)


def _looked(place: Place) -> int:
    return place.rows // _part(place)


def _candidates(place: Place, names: Sequence[str], exact: Sequence[str], tested: str) -> None:
    """The hashes of rows whose numbers and dates, without the tested column, occur again."""
    part = _part(place)
    plain = f"hash({', '.join(quoted(name) for name in exact)})"
    without = [name for name in names if name != tested]
    place.engine.execute(
        f"""CREATE OR REPLACE TEMP TABLE _same AS
        WITH again AS (
            SELECT p FROM (SELECT {plain} AS p FROM {place.whole} WHERE {place.event_time} IS NOT NULL)
            WHERE p % {part} = 0 GROUP BY p HAVING count(*) > 1)
        SELECT hash({place.key}) AS k, hash({", ".join(quoted(n) for n in names)}) AS r,
            hash({_bare(place, names)}) AS f, hash({", ".join(quoted(n) for n in without)}) AS w
        FROM {place.whole} WHERE {plain} IN (SELECT p FROM again) AND {quoted(tested)} IS NOT NULL"""
    )


def _same_samples(place: Place, same: str, other: str = "") -> tuple[Sample, ...]:
    differs = f" AND count(DISTINCT {other}) > 1" if other else ""
    return _of_groups(
        place,
        f"SELECT min(k), max(k) FROM _same GROUP BY {same} HAVING count(DISTINCT k) > 1{differs} ORDER BY 1 LIMIT 2",
    )


def _of_groups(place: Place, pairs: str) -> tuple[Sample, ...]:
    chosen = sorted({k for pair in place.all(pairs) for k in pair})
    condition = f"hash({place.key}) IN ({', '.join(str(k) for k in chosen)})"
    return sample_rows(place, place.whole, condition, [column.name for column in place.columns]) if chosen else ()
