"""The stages of one group's query: candidates, versions, visible rows, values."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.data.rules.direct.groups import Group
from pilotage.data.rules.direct.rows import Rows, native
from pilotage.data.rules.direct.spelling import Spelling
from pilotage.data.rules.direct.values import Terms, newest_first, oldest_first
from pilotage.platform.quoting import quoted
from pilotage.usecase.rules.expressions import to_sql


def stages(prefix: str, group: Group, rows: Rows, spelling: Spelling, narrowing: Sequence[str] = ()) -> list[str]:
    """Common tables that end in ``<prefix>values``: ``_n`` and the group's columns, for moments that have rows.

    They read ``<prefix>asked``: ``_n``, ``_moment`` and the key as ``_by_1`` …; ``narrowing`` are conditions over the
    table's own columns that let no candidate out.
    """
    terms = Terms(group, rows, spelling)
    return [
        f"{prefix}candidates AS ({_candidates(prefix, group, rows, spelling, narrowing)})",
        f"{prefix}fetched AS ({_fetched(prefix, group, rows, spelling)})",
        f"{prefix}versions AS ({_versions(prefix, rows, spelling)})",
        f"{prefix}visible AS ({_visible(prefix, terms)})",
        *_ranked(prefix, terms),
        *_spread(prefix, terms),
        f"{prefix}values AS ({_values(prefix, terms)})",
    ]


def history_stages(prefix: str, group: Group, rows: Rows, spelling: Spelling) -> list[str]:
    """The same for many moments at once, without indices: each version's span in which it is known is found once.

    Moments meet rows by key and by a piece of time as long as the group looks back, so that an engine which can only
    hash equality compares a moment with the rows of its own piece and of the one before, not with all of its key.
    """
    terms = Terms(group, rows, spelling)
    return [
        f"{prefix}spans AS ({_spans(group, rows, spelling)})",
        f"{prefix}pieces AS ({_pieces(prefix, group, spelling)})",
        f"{prefix}visible AS ({_known_then(prefix, terms)})",
        *_ranked(prefix, terms),
        *_spread(prefix, terms),
        f"{prefix}values AS ({_values(prefix, terms)})",
    ]


def _spans(group: Group, rows: Rows, spelling: Spelling) -> str:
    keys = ", ".join(spelling.ordered(f"r.{quoted(name)}", rows.column(name).type) for name in rows.key)
    oldest = oldest_first(rows, spelling, ["_known", "_gone"])
    replaced = f"lead(r._known) OVER (PARTITION BY {keys} ORDER BY {oldest}) AS _replaced_at"
    return f"SELECT r.*, {replaced}, {_piece(group, spelling, 'r._at')} AS _piece FROM {rows.select(spelling)} r"


def _pieces(prefix: str, group: Group, spelling: Spelling) -> str:
    asked = ", ".join(["_n", "_moment", *(f"_by_{n}" for n in range(1, len(group.by) + 1))])
    piece = _piece(group, spelling, "_moment")
    return " UNION ALL ".join(f"SELECT {asked}, {piece}{back} AS _piece FROM {prefix}asked" for back in ("", " - 1"))


def _piece(group: Group, spelling: Spelling, instant: str) -> str:
    return spelling.whole_part(spelling.micros(instant), (group.span_seconds + 1) * 1_000_000)


def _known_then(prefix: str, terms: Terms) -> str:
    group, rows, spelling = terms.group, terms.rows, terms.spelling
    oldest = spelling.earlier("a._moment", group.span_seconds)
    return (
        f"SELECT a._n, a._moment, r.*{_conditions(terms)} FROM {prefix}pieces a JOIN {prefix}spans r "
        f"ON {_same_key(group, rows, spelling, 'r', 'a')} AND r._piece = a._piece AND NOT r._gone "
        f"AND r._known <= a._moment AND (r._replaced_at > a._moment OR r._replaced_at IS NULL) "
        f"AND r._at <= a._moment AND r._at >= {oldest}"
    )


def _candidates(prefix: str, group: Group, rows: Rows, spelling: Spelling, narrowing: Sequence[str]) -> str:
    natives = ", ".join(f"r.{native(n)}" for n in range(1, len(rows.key) + 1))
    asked = ", ".join(f"a._by_{n}" for n in range(1, len(group.by) + 1))
    oldest = spelling.earlier("a._moment", group.span_seconds)
    return (
        f"SELECT DISTINCT a._n, a._moment, {asked}, {natives} FROM {prefix}asked a "
        f"JOIN {rows.select(spelling, narrowing)} r ON {_same_key(group, rows, spelling, 'r', 'a')} "
        f"AND r._known <= a._moment AND r._at <= a._moment AND r._at >= {oldest}"
    )


def _fetched(prefix: str, group: Group, rows: Rows, spelling: Spelling) -> str:
    """All versions of the candidates' keys. SQLite finds them by an index only where no window stands beside them.

    PostgreSQL can hash or look up equality only, so that keys that are not known are joined apart: for each such
    candidate, of which there are hardly any, and never the other way round.
    """
    natives = [native(n) for n in range(1, len(rows.key) + 1)]
    same = " AND ".join(spelling.same(f"r.{name}", f"c.{name}") for name in natives)
    taken = ", ".join(["c._n", "c._moment", *(f"c._by_{n}" for n in range(1, len(group.by) + 1)), "r.*"])
    known, table = "r._known <= c._moment", rows.select(spelling)
    if spelling.dialect != "postgresql":
        return f"SELECT {taken} FROM {prefix}candidates c JOIN {table} r ON {same} AND {known}"
    equal = " AND ".join(f"r.{name} = c.{name}" for name in natives)
    unknown = " OR ".join(f"{name} IS NULL" for name in natives)
    return (
        f"SELECT {taken} FROM {prefix}candidates c JOIN {table} r ON {equal} AND {known} UNION ALL "
        f"SELECT {taken} FROM (SELECT * FROM {prefix}candidates WHERE {unknown}) c "
        f"CROSS JOIN LATERAL (SELECT * FROM {table} r WHERE {same} AND {known} OFFSET 0) r"
    )


def _versions(prefix: str, rows: Rows, spelling: Spelling) -> str:
    keys = ", ".join(spelling.ordered(f"f.{quoted(name)}", rows.column(name).type) for name in rows.key)
    newest = newest_first(rows, spelling, ["_known", "_gone"])
    numbered = f"row_number() OVER (PARTITION BY f._n, {keys} ORDER BY {newest}) AS _version"
    return f"SELECT f.*, {numbered} FROM {prefix}fetched f"


def _visible(prefix: str, terms: Terms) -> str:
    same_key = _same_key(terms.group, terms.rows, terms.spelling, "v", "v")
    visible = f"_version = 1 AND NOT _gone AND _at <= _moment AND {same_key}"
    return f"SELECT v.*{_conditions(terms)} FROM {prefix}versions v WHERE {visible}"


def _conditions(terms: Terms) -> str:
    """Each condition of the group as a number, ``_w1`` …: 1 where it is true."""
    kinds, dialect = terms.rows.kinds, terms.spelling.dialect
    return "".join(
        f", CASE WHEN {to_sql(where, dialect=dialect, kinds=kinds)} THEN 1 ELSE 0 END AS _w{number}"
        for number, where in enumerate(terms.conditions, 1)
    )


def _ranked(prefix: str, terms: Terms) -> list[str]:
    if not terms.rankings:
        return []
    newest = newest_first(terms.rows, terms.spelling, ["_at", "_known"])
    ranks = ", ".join(
        f"row_number() OVER (PARTITION BY {', '.join(['_n', *_condition(terms, where)])} ORDER BY {newest}) "
        f"AS _newest_{number}"
        for number, where in enumerate(terms.rankings, 1)
    )
    return [f"{prefix}ranked AS (SELECT v.*, {ranks} FROM {prefix}visible v)"]


def _condition(terms: Terms, where: str) -> list[str]:
    return [f"_w{terms.conditions.index(where) + 1}"] if where else []


def _spread(prefix: str, terms: Terms) -> list[str]:
    if not terms.spreads:
        return []
    before = f"{prefix}ranked" if terms.rankings else f"{prefix}visible"
    means = [part for number, column in enumerate(terms.spreads, 1) for part in terms.spread_mean(number, column)]
    far = ", ".join(terms.spread_far(number) for number in range(1, len(terms.spreads) + 1))
    window = "WINDOW of_moment AS (PARTITION BY _n)"
    return [
        f"{prefix}means AS (SELECT v.*, {', '.join(means)} FROM {before} v {window})",
        f"{prefix}spread AS (SELECT v.*, {far} FROM {prefix}means v {window})",
    ]


def _values(prefix: str, terms: Terms) -> str:
    stage = "spread" if terms.spreads else "ranked" if terms.rankings else "visible"
    values = ", ".join(f"{terms.aggregated(column)} AS {quoted(column.name)}" for column in terms.group.columns)
    return f"SELECT _n, {values} FROM {prefix}{stage} GROUP BY _n"


def _same_key(group: Group, rows: Rows, spelling: Spelling, row: str, asked: str) -> str:
    """That a row's key, as the training set has it, is the one that is asked for."""
    return " AND ".join(
        f"{_key(group, rows, spelling, n, f'{row}.')} = {asked}._by_{n}" for n in range(1, len(group.by) + 1)
    )


def _key(group: Group, rows: Rows, spelling: Spelling, number: int, alias: str) -> str:
    column = rows.column(group.key[number - 1])
    return spelling.as_kind(alias + quoted(column.name), column.type, column.engine_type, group.kinds[number - 1])


def keys_of(group: Group, rows: Rows, spelling: Spelling) -> str:
    """All keys that a group's rows ever had, as ``_by_1`` …"""
    keys = [_key(group, rows, spelling, n, "r.") for n in range(1, len(group.by) + 1)]
    named = ", ".join(f"{key} AS _by_{n}" for n, key in enumerate(keys, 1))
    known = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    return f"SELECT DISTINCT {named} FROM {rows.select(spelling)} r WHERE {known}"
