"""The SQL that finds what is new among staged rows: new and changed rows, keys that are gone, keys that came back.

Rows belong together in *groups*: of a source with clocks those with the same key and ``known_at``, of a static source
those with the same key. What a group held last is its *generation* with the newest ``_seen_at``. A group that comes
with a row which its generation lacks is kept whole as a new generation, seen now: the older one stays, and counts for
the moments before. Values are compared by a 64-bit hash among rows of one group.

Statements read ``incoming`` (the staged rows) and leave ``new`` (rows to be kept). A key that was found to be gone has
a row with nothing but the key and its clocks, which are the instant of that sync, as ``_seen_at`` is: by that it
differs from a row of the source that says of itself that it is deleted.
"""

from __future__ import annotations

from msgspec import Struct

from pilotage.data.rules.marks import DELETED, SEEN, same
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Source

_GENERATION = f"coalesce({SEEN}, TIMESTAMP '0001-01-01')"


class Changes(Struct, frozen=True):
    """One sync of a source against what is kept.

    ``stored`` is the relation of all rows kept, ``recent`` of those that the staged rows can equal; ``columns`` are
    compared (those that both have, of one type); ``now`` is the sync's instant as SQL.
    """

    source: Source
    stored: str
    recent: str
    columns: tuple[str, ...]
    now: str

    @property
    def key(self) -> list[str]:
        return [quoted(name) for name in dict.fromkeys(self.source.key)]

    @property
    def group(self) -> list[str]:
        own = [] if self.source.is_static else [quoted(self.source.known_at)]
        return list(dict.fromkeys([*self.key, *own]))


def first_sql(source: Source) -> list[str]:
    """All that was staged is new: nothing was kept before."""
    seen = "TIMESTAMP '1970-01-01'" if source.is_static else "CAST(NULL AS TIMESTAMP)"
    return [f"CREATE OR REPLACE VIEW new AS SELECT *, {seen} AS {SEEN} FROM incoming"]


def changed_sql(changes: Changes) -> list[str]:
    """Rows of new groups as they are, those of changed groups as seen now."""
    group, key = ", ".join(changes.group), changes.group
    seen = changes.now if changes.source.is_static else f"CASE WHEN c._again THEN {changes.now} END"
    return [
        f"""CREATE TABLE seen AS
SELECT {group}, {DELETED}, {SEEN}, {_values(changes)} AS _values
FROM (SELECT * REPLACE (coalesce({DELETED}, false) AS {DELETED}) FROM {changes.recent} WHERE {_own(changes)})
QUALIFY {_GENERATION} = max({_GENERATION}) OVER (PARTITION BY {group})""",
        f"""CREATE TABLE changed AS
WITH differing AS (
  SELECT DISTINCT {group} FROM (SELECT {group}, {_values(changes)} AS _values FROM incoming) i
  ANTI JOIN seen s ON i._values = s._values AND {same("i", "s", key)}
)
SELECT *, true AS _again FROM differing d SEMI JOIN seen s ON {same("d", "s", key)}
UNION ALL SELECT *, false AS _again FROM differing d ANTI JOIN seen s ON {same("d", "s", key)}""",
        f"""CREATE TABLE new AS
SELECT i.*, {seen} AS {SEEN} FROM incoming i JOIN changed c ON {same("i", "c", key)}""",
    ]


def anew_sql(changes: Changes) -> list[str]:
    """Add to ``new`` what makes it the whole of a source that was read anew, because it gained a column.

    Rows that are as they were are taken from ``incoming``, with the instant at which they were seen; of the kept rows
    those that they do not replace: earlier versions, and keys that are gone.
    """
    group, names = changes.group, ", ".join([*(quoted(name) for name in changes.columns), DELETED, SEEN])
    return [
        f"""INSERT INTO new BY NAME
SELECT i.* EXCLUDE (_values), s.{SEEN} FROM (SELECT *, {_values(changes)} AS _values FROM incoming) i
JOIN (SELECT DISTINCT {", ".join(group)}, {SEEN}, _values FROM seen) s
ON i._values = s._values AND {same("i", "s", group)}
ANTI JOIN changed c ON {same("i", "c", group)}""",
        f"""INSERT INTO new BY NAME
SELECT {names} FROM (
  SELECT *, {_values(changes)} AS _values, {_own(changes)} AND
    {_GENERATION} = max({_GENERATION}) FILTER ({_own(changes)}) OVER (PARTITION BY {", ".join(group)}) AS _latest
  FROM (SELECT * REPLACE (coalesce({DELETED}, false) AS {DELETED}) FROM {changes.stored})
) k ANTI JOIN (SELECT DISTINCT {", ".join(group)}, {_values(changes)} AS _values FROM incoming) i
ON k._latest AND i._values = k._values AND {same("i", "k", group)}""",
    ]


def gone_static_sql(changes: Changes) -> str:
    """Add the keys of a static source that were there and are no more."""
    key = ", ".join(f"s.{name}" for name in changes.key)
    return f"""INSERT INTO new BY NAME
SELECT DISTINCT {key}, true AS {DELETED}, {changes.now} AS {SEEN}
FROM seen s ANTI JOIN incoming i ON {same("s", "i", changes.key)} WHERE NOT s.{DELETED}"""


def keys_sql(changes: Changes) -> str:
    """What is kept of each key: 0 it is there, 1 its own row says that it is gone, 2 a sync found it gone."""
    key, clock = ", ".join(changes.key), quoted(changes.source.known_at)
    known = f"coalesce({SEEN}, {clock})"
    return f"""CREATE TABLE stored_keys AS
SELECT {key}, arg_max(
  CASE WHEN NOT coalesce({DELETED}, false) THEN 0 WHEN {clock} IS NOT DISTINCT FROM {SEEN} THEN 2 ELSE 1 END,
  epoch_us({known}) * 2 + CAST(coalesce({DELETED}, false) AS INTEGER)) AS _state
FROM {changes.stored} GROUP BY {key}"""


def compared_sql(changes: Changes) -> list[str]:
    """Add the keys that are not ``present`` any more; leave in ``back`` those that are and must be read again.

    A key comes back with a row that may be older than what was read: it counts from now on. So does one that was never
    seen, though it is as old as others that were: its row keeps its own clock, and is late.
    """
    key, names = changes.key, ", ".join(changes.key)
    clocks = dict.fromkeys([quoted(changes.source.event_time), quoted(changes.source.known_at)])
    given = "".join(f", {changes.now} AS {clock}" for clock in clocks if clock not in key)
    return [
        f"""UPDATE new SET {SEEN} = {changes.now}
FROM stored_keys k WHERE k._state = 2 AND {same("new", "k", key)}""",
        f"""CREATE TABLE back AS
SELECT DISTINCT {names} FROM present p
ANTI JOIN (SELECT * FROM stored_keys WHERE _state < 2) k ON {same("p", "k", key)}
ANTI JOIN new n ON {same("p", "n", key)}
WHERE {quoted(changes.source.known_at)} <= {changes.now}""",
        f"""INSERT INTO new BY NAME
SELECT {names}{given}, true AS {DELETED}, {changes.now} AS {SEEN} FROM stored_keys k
ANTI JOIN present p ON {same("k", "p", key)} ANTI JOIN new n ON {same("k", "n", key)} WHERE _state = 0""",
    ]


def back_sql(changes: Changes) -> str:
    """Add the rows of ``again``: of a key that was found gone its newest, seen now; of one never seen all."""
    newest_first = f"ORDER BY a.{quoted(changes.source.known_at)} DESC"
    newest = f"rank() OVER (PARTITION BY {', '.join(f'a.{name}' for name in changes.key)} {newest_first})"
    return f"""INSERT INTO new BY NAME
SELECT a.*, CASE WHEN k._state = 2 THEN {changes.now} END AS {SEEN}
FROM again a LEFT JOIN stored_keys k ON {same("a", "k", changes.key)}
QUALIFY k._state IS NULL OR {newest} = 1"""


def counts_sql(changes: Changes, read_until: str) -> str:
    """Of ``new``: rows, deletions, late rows (known before the last sync ended, not seen by it), corrected ones."""
    clock = quoted(changes.source.known_at)
    late = "false" if changes.source.is_static else f"{SEEN} IS NULL AND {clock} <= {read_until}"
    return f"""SELECT count(*) FILTER (NOT {DELETED}), count(*) FILTER ({DELETED}), count(*) FILTER ({late}),
  (SELECT count(*) FROM new n SEMI JOIN {changes.stored} s ON {same("n", "s", changes.key)} WHERE NOT n.{DELETED})
FROM new"""


def _values(changes: Changes) -> str:
    return f"hash({', '.join([DELETED, *(quoted(name) for name in changes.columns)])})"


def _own(changes: Changes) -> str:
    """Rows that came from the source: keys found gone are no generation of a group with clocks."""
    if changes.source.is_static:
        return "true"
    return f"NOT (coalesce({DELETED}, false) AND {quoted(changes.source.known_at)} IS NOT DISTINCT FROM {SEEN})"
