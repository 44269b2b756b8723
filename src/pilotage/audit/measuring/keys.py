"""Figures of keys: matches between systems, ways of writing that would match more, ties, and orphans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotage.audit.measured.decisions import KeyMatch
from pilotage.audit.measured.keys import KeyFigures, Lookup, Orphans, Spelling
from pilotage.audit.measuring.separation import entity_of, sources_with_entity
from pilotage.data.records import Snapshot
from pilotage.data.rules.keys import as_text
from pilotage.data.rules.timelines import Timeline, cast, timelines
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition, Source

if TYPE_CHECKING:
    import duckdb

ROWS_MAX = 200_000
SAMPLES = 5
# Each way of writing keys alike includes the one before it, but for the last.
WAYS = {
    "case and blanks": "lower(trim({0}))",
    "decimal points of whole numbers": "regexp_replace(lower(trim({0})), '[.]0+$', '')",
    "leading zeros": "ltrim(regexp_replace(lower(trim({0})), '[.]0+$', ''), '0')",
    "punctuation": "ltrim(regexp_replace(regexp_replace(lower(trim({0})), '[.]0+$', ''), '[^\\p{{L}}\\p{{N}}]', '', "
    "'g'), '0')",
}


def measure_keys(
    connection: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot]
) -> KeyFigures:
    """What plain joins by the keys would do, and which rows name no case."""
    lookups = []
    for line in _distinct_lines(definition):
        if not line.is_window:
            source = definition.use_case.sources[line.source]
            lookups.append(_lookup(connection, line, source, _decisions(connection, definition)))
    own = definition.use_case.decision.source
    orphans = [
        _orphans(connection, definition, found, name) for name in sources_with_entity(definition, found) if name != own
    ]
    return KeyFigures(tuple(lookups), tuple(orphans))


def measure_matches(connection: duckdb.DuckDBPyConnection, definition: Definition) -> tuple[KeyMatch, ...]:
    """For each key by which a source is looked up: the share of decisions that have it and find any row under it."""
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], KeyMatch] = {}
    for line in _distinct_lines(definition):
        if (line.source, line.by, line.key) not in found:
            found[line.source, line.by, line.key] = _match(connection, line)
    return tuple(found.values())


def _distinct_lines(definition: Definition) -> list[Timeline]:
    """One timeline per source, key and form."""
    found = {(line.source, line.by, line.key, line.is_window): line for line in timelines(definition.plan)}
    return list(found.values())


def _match(connection: duckdb.DuckDBPyConnection, line: Timeline) -> KeyMatch:
    pairs = list(zip(line.key, line.kinds, strict=True))
    keys = ", ".join(f"{cast(quoted(name), kind)} AS k{n}" for n, (name, kind) in enumerate(pairs))
    names = ", ".join(f"k{n}" for n in range(len(pairs)))
    own = ", ".join(f"{quoted(by)} AS k{n}" for n, by in enumerate(line.by))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _theirs AS SELECT DISTINCT {keys} FROM {quoted(line.source)}")
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE _ours AS
    SELECT o.*, t.k0 IS NOT NULL AS matched FROM (SELECT {own}, count(*) AS n FROM spine GROUP BY ALL) o
    LEFT JOIN (SELECT * FROM _theirs) t USING ({names})""")
    empty = " OR ".join(f"k{n} IS NULL" for n in range(len(pairs)))
    total, matched, without = connection.execute(
        f"SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (matched), 0), coalesce(sum(n) FILTER ({empty}), 0) "
        "FROM _ours"
    ).fetchall()[0]
    if not total or matched + without == total:
        return KeyMatch(line.source, line.by, matched / total if total else 0.0, without / total if total else 0.0)
    spellings = _spellings(connection, line, total) if "category" in line.kinds else ()
    rows = connection.execute(
        f"SELECT {names} FROM _ours WHERE NOT matched AND NOT ({empty}) ORDER BY n DESC, {names} LIMIT {SAMPLES}"
    ).fetchall()
    samples = tuple({by: str(value)[:80] for by, value in zip(line.by, row, strict=True)} for row in rows)
    return KeyMatch(line.source, line.by, matched / total, without / total, spellings, samples)


def _spellings(connection: duckdb.DuckDBPyConnection, line: Timeline, total: int) -> tuple[Spelling, ...]:
    """What would match if both systems wrote their keys alike."""
    found, already = [], 0
    texts = [kind == "category" for kind in line.kinds]
    for way, form in WAYS.items():
        alike = [form.format(f"k{n}") if text else f"k{n}" for n, text in enumerate(texts)]
        chosen = ", ".join(f"{sql} AS a{n}" for n, sql in enumerate(alike))
        names = ", ".join(f"a{n}" for n in range(len(alike)))
        theirs = ", ".join(f"min(k{n}) AS t{n}" for n in range(len(alike)))
        said = ", ".join(f"k{n}, t{n}" for n in range(len(alike)))
        connection.execute(f"""CREATE OR REPLACE TEMP TABLE _alike AS
        SELECT n, {said} FROM (SELECT *, {chosen} FROM _ours WHERE NOT matched)
        JOIN (SELECT {names}, {theirs} FROM (SELECT *, {chosen} FROM _theirs) GROUP BY ALL) USING ({names})
        WHERE a0 <> ''""")
        more = connection.execute("SELECT coalesce(sum(n), 0) FROM _alike").fetchall()[0][0] - already
        if more <= 0:
            continue
        rows = connection.execute(f"SELECT {said} FROM _alike ORDER BY n DESC, {said} LIMIT 3").fetchall()
        examples = tuple(
            {
                **{f"{by} of the decision": str(row[2 * n])[:80] for n, by in enumerate(line.by)},
                **{f"{name} in {line.source}": str(row[2 * n + 1])[:80] for n, name in enumerate(line.key)},
            }
            for row in rows
        )
        found.append(Spelling(way, more / total, examples))
        already += more
    return tuple(found)


def _lookup(connection: duckdb.DuckDBPyConnection, line: Timeline, source: Source, decisions: str) -> Lookup:
    """What a plain join would make of the decisions, and ties: current rows that share lookup key and instant."""
    inputs = tuple(column.name for column in line.columns)
    factor = _factor(connection, line, decisions)
    if factor <= 1 or set(source.key) <= {*line.key, source.event_time}:
        return Lookup(line.source, line.by, inputs, factor, 0.0, 0.0)
    taken = list(dict.fromkeys(column.take for column in line.columns if column.take))
    said = ", ".join(f"coalesce(CAST({quoted(take)} AS VARCHAR), '')" for take in taken) or "''"
    key = ", ".join(quoted(name) for name in source.key)
    keys, names, recent = _texts(line.key), _names(line), _recent(connection, line, source)
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE _instants AS
    WITH current AS (
      SELECT {keys}, {quoted(source.event_time)} AS instant, concat_ws(chr(31), {said}) AS said
      FROM {quoted(line.source)}{recent}
      QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {quoted(source.known_at)} DESC) = 1
    )
    SELECT {names}, instant, count(*) AS n, count(DISTINCT said) AS kinds FROM current GROUP BY ALL""")
    rows, tied = connection.execute(
        "SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (n > 1), 0) FROM _instants"
    ).fetchall()[0]
    arbitrary, samples = _arbitrary(connection, line, source, decisions) if tied else (0.0, ())
    return Lookup(
        line.source,
        line.by,
        inputs,
        factor,
        tied / rows if rows else 0.0,
        arbitrary,
        samples,
        int(rows) if recent else 0,
    )


def _texts(columns: tuple[str, ...]) -> str:
    return ", ".join(f"{as_text(quoted(name))} AS k{n}" for n, name in enumerate(columns))


def _names(line: Timeline) -> str:
    return ", ".join(f"k{n}" for n in range(len(line.by)))


def _recent(connection: duckdb.DuckDBPyConnection, line: Timeline, source: Source) -> str:
    """Of a large source only about its newest 200,000 rows: whole instants, so that ties stay together."""
    rows = connection.execute(f"SELECT count(*) FROM {quoted(line.source)}").fetchall()[0][0]
    if rows <= ROWS_MAX or source.is_static:
        return ""
    at = quoted(source.event_time)
    return f" WHERE {at} >= (SELECT approx_quantile({at}, {1 - ROWS_MAX / rows}) FROM {quoted(line.source)})"


def _decisions(connection: duckdb.DuckDBPyConnection, definition: Definition) -> str:
    """The decisions, or one in so many of them that there are 200,000."""
    every = -(-connection.execute("SELECT count(*) FROM spine").fetchall()[0][0] // ROWS_MAX)
    return (
        "spine" if every <= 1 else f"(SELECT * FROM spine WHERE hash({quoted(definition.plan.entity)}) % {every} = 0)"
    )


def _factor(connection: duckdb.DuckDBPyConnection, line: Timeline, decisions: str) -> float:
    """Rows out per decision in, of a plain join of the decisions that find rows."""
    names = _names(line)
    row = connection.execute(f"""
    WITH ours AS (SELECT {_texts(line.by)}, count(*) AS decisions FROM {decisions} GROUP BY ALL),
    theirs AS (SELECT {_texts(line.key)}, count(*) AS n FROM {quoted(line.source)} GROUP BY ALL)
    SELECT sum(decisions * n) / sum(decisions) FROM ours JOIN theirs USING ({names})""").fetchall()[0]
    return float(row[0] or 0.0)


def _arbitrary(
    connection: duckdb.DuckDBPyConnection, line: Timeline, source: Source, decisions: str
) -> tuple[float, tuple[dict[str, str], ...]]:
    """The share of decisions for whose newest instant several rows say different things."""
    names = _names(line)
    same = " AND ".join(f"s.k{n} = i.k{n}" for n in range(len(line.by)))
    share = connection.execute(f"""
    SELECT avg(CAST(coalesce(i.n > 1 AND i.kinds > 1, false) AS INTEGER))
    FROM (SELECT {_texts(line.by)}, _moment FROM {decisions}) s
    ASOF LEFT JOIN _instants i ON {same} AND s._moment >= i.instant""").fetchall()[0][0]
    rows = connection.execute(
        f"SELECT {names}, CAST(instant AS VARCHAR), n FROM _instants WHERE n > 1 "
        f"ORDER BY kinds DESC, n DESC, instant, {names} LIMIT {SAMPLES}"
    ).fetchall()
    samples = []
    for *key, at, n in rows:
        shown = {by: str(value)[:80] for by, value in zip(line.by, key, strict=True)}
        samples.append({**shown, **({} if source.is_static else {"at": at}), "rows": str(n)})
    return float(share or 0.0), tuple(samples)


def _orphans(
    connection: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot], name: str
) -> Orphans:
    """Rows whose case is not in the decision's source, of those that happened in the time which that covers."""
    use_case = definition.use_case
    named, own = entity_of(definition, found[name]), use_case.decision.source
    entity, ours = quoted(named), quoted(definition.plan.entity)
    source, deciding = use_case.sources[name], use_case.sources[own]
    within = ""
    if not source.is_static and not deciding.is_static:
        times = f"SELECT min({quoted(deciding.event_time)}), max({quoted(deciding.event_time)}) FROM {quoted(own)}"
        first, last = connection.execute(times).fetchall()[0]
        if first is not None:
            at = quoted(source.event_time)
            within = f" AND {at} BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last}'"
    every = -(-found[name].rows // ROWS_MAX)
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE _cases AS
    SELECT _case AS entity, count(*) AS n FROM (SELECT *, {as_text(entity)} AS _case FROM {quoted(name)})
    WHERE _case IS NOT NULL AND hash(_case) % {max(every, 1)} = 0{within} GROUP BY ALL""")
    missing = f"ANTI JOIN (SELECT {as_text(ours)} AS entity FROM {quoted(own)}) USING (entity)"
    rows = connection.execute("SELECT coalesce(sum(n), 0) FROM _cases").fetchall()[0][0]
    lost = connection.execute(f"SELECT coalesce(sum(n), 0) FROM _cases {missing}").fetchall()[0][0]
    some = connection.execute(f"SELECT entity FROM _cases {missing} ORDER BY entity LIMIT {SAMPLES}").fetchall()
    samples = tuple({named: str(value)[:80]} for (value,) in some)
    return Orphans(name, (named,), int(lost), int(rows), samples, int(rows) if every > 1 else 0)
