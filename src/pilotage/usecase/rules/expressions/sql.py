"""Writes an expression for an engine, from our own tree alone: nothing of the author's text passes unread."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from pilotage.platform.quoting import literal, quoted
from pilotage.usecase.records import ColumnKind
from pilotage.usecase.rules.expressions import templates
from pilotage.usecase.rules.expressions.dialects import ENGINES, SHORT, Dialect, Engine
from pilotage.usecase.rules.expressions.kinds import kind_of_node, mistakes_in
from pilotage.usecase.rules.expressions.parsing import parse
from pilotage.usecase.rules.expressions.semantics import OPERATIONS, Operation, Refused
from pilotage.usecase.rules.expressions.tree import Call, ColumnReference, Constant, ExpressionError, Node
from pilotage.usecase.rules.expressions.values import NUMBER_PATTERN, TIMESTAMP_PATTERN, timestamp_from

_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}


def to_sql(
    text: str,
    qualify: Mapping[str, str] | None = None,
    dialect: Dialect = "duckdb",
    kinds: Mapping[str, ColumnKind] | None = None,
) -> str:
    """The expression in an engine's dialect, every identifier quoted; the value is that of :func:`compile_row`.

    ``qualify`` maps a column to the alias of the relation it is taken from: ``{"arr_delay": "arrivals"}`` gives
    ``"arrivals"."arr_delay"``. ``kinds`` are those of the columns: with them each column's values are made those of the
    closure, whatever type it is stored in. DuckDB may go without, for columns that are DOUBLE and finite, VARCHAR,
    BOOLEAN, or TIMESTAMP in UTC. Booleans are 0 and 1 in SQLite, instants texts such as 2013-12-01 05:00:00.000000.

    Raises:
        ExpressionError: the text is not an allowed expression, its kinds do not go together, or the engine cannot
            do one of its operations with the same values; the message names it.
    """
    tree = parse(text)
    if dialect != "duckdb":
        wrong = mistakes_in(tree, kinds or {})
        if wrong:
            raise ExpressionError(" ".join(wrong))
    return _Writer(ENGINES[dialect], dialect, qualify or {}, kinds).value(tree)


@dataclasses.dataclass(frozen=True)
class _Writer:
    engine: Engine
    dialect: Dialect
    qualify: Mapping[str, str]
    kinds: Mapping[str, ColumnKind] | None

    def value(self, node: Node, wanted: ColumnKind | None = None) -> str:
        """A value that is finite or null; a null of no kind is given the kind that is wanted."""
        written = self._raw(node, wanted)
        return self.engine.finite(written) if self._may_be_infinite(node) else written

    def _may_be_infinite(self, node: Node) -> bool:
        if isinstance(node, ColumnReference):
            return self.kinds is not None and self.kinds.get(node.name) == "number"
        if not isinstance(node, Call) or not (operation := OPERATIONS.get(node.operation)):
            return False
        return operation.overflows or (operation.arithmetic and self._may_be_infinite(node.arguments[0]))

    def _kind(self, node: Node) -> ColumnKind | None:
        return kind_of_node(node, self.kinds or {})

    def _raw(self, node: Node, wanted: ColumnKind | None) -> str:
        """A value that may be infinite where arithmetic goes on with it, and stays so to its end."""
        if self.dialect != "duckdb" and self._kind(node) is None:
            return f"CAST(NULL AS {self.engine.types[wanted or 'category']})"
        if isinstance(node, Constant):
            return self._constant(node)
        if isinstance(node, ColumnReference):
            return self._column(node)
        if node.operation in {"AND", "OR"}:
            return "(" + f" {node.operation} ".join(self.value(part, "flag") for part in node.arguments) + ")"
        if node.operation == "CASE":
            return self._case(node)
        if node.operation == "CAST TO TIMESTAMP" and isinstance(node.arguments[0], Constant):
            return self._timestamp(node.arguments[0])
        return self._called(node, OPERATIONS[node.operation])

    def _called(self, call: Call, operation: Operation) -> str:
        parts = self._arguments(call, operation)
        if call.operation == "ROUND" and self.dialect != "duckdb":
            return templates.rounded(self.engine, parts[0], int(str(call.parameter or 0)))
        if call.operation == "NULLIF":
            return self._null_if(*parts)
        template = self._template(call, operation)
        written = template.format(
            *parts,
            all=", ".join(parts),
            rest=", ".join(parts[1:]),
            divisor=self._null_if(parts[-1], "0e0"),
            union=" UNION ALL SELECT ".join(parts),
            parameter=self._parameter(call),
            letters=self._letters(call),
            number_pattern=NUMBER_PATTERN,
            timestamp_pattern=TIMESTAMP_PATTERN,
        )
        return self.engine.in_years(written) if call.operation == "shift" else written

    def _arguments(self, call: Call, operation: Operation) -> list[str]:
        common = next(filter(None, map(self._kind, call.arguments)), None)
        takes = [operation.takes[min(number, len(operation.takes) - 1)] for number in range(len(call.arguments))]
        written = []
        for number, (argument, takes_kind) in enumerate(zip(call.arguments, takes, strict=True)):
            wanted = takes_kind if takes_kind in self.engine.types else common
            stays = operation.arithmetic and not (number and call.operation in {"/", "%"})
            part = self._raw(argument, wanted) if stays else self.value(argument, wanted)  # type: ignore[arg-type]
            if operation.arithmetic and self.kinds is None and isinstance(argument, ColumnReference):
                part = f"CAST({part} AS DOUBLE)"
            written.append(part)
        return written

    def _template(self, call: Call, operation: Operation) -> str:
        if operation.from_number and self.kinds is not None and self._kind(call.arguments[0]) == "number":
            return operation.from_number
        own = {"duckdb": None, "sqlite": operation.sqlite, "postgresql": operation.postgresql}[self.dialect]
        if isinstance(own, Refused):
            raise ExpressionError(
                f"{self.engine.name} cannot do {call.operation} as it is meant here: it {own.why}. Leave "
                f"{call.operation} out, or take the column from a snapshot."
            )
        return own or operation.sql

    def _null_if(self, value: str, unwanted: str) -> str:
        """NULLIF is a macro in DuckDB that writes its first argument twice: nested, time would double each time."""
        if self.dialect != "duckdb" or len(value) <= SHORT:
            return f"NULLIF({value}, {unwanted})"
        pair = f"{{'v': {value}, 'w': {unwanted}}}"
        return f"list_transform([{pair}], lambda p: CASE WHEN p.v = p.w THEN NULL ELSE p.v END)[1]"

    def _column(self, node: ColumnReference) -> str:
        alias = self.qualify.get(node.name)
        name = f"{quoted(alias)}.{quoted(node.name)}" if alias else quoted(node.name)
        if not self.kinds:
            return name
        kind = self.kinds[node.name]
        return self.engine.column(name, "category" if kind == "text" else kind)

    def _constant(self, constant: Constant) -> str:
        if isinstance(constant.value, bool):
            return "TRUE" if constant.value else "FALSE"
        if isinstance(constant.value, str):
            return self.engine.text(constant.value)
        return "NULL" if constant.value is None else self.engine.number(constant.value)

    def _timestamp(self, constant: Constant) -> str:
        instant = timestamp_from(str(constant.value))
        if instant is None:
            return f"CAST(NULL AS {self.engine.types['datetime']})" if self.dialect != "duckdb" else "NULL"
        return f"{self.engine.timestamp}'{instant:%Y-%m-%d %H:%M:%S.%f}'"

    def _letters(self, call: Call) -> str:
        if self.dialect != "postgresql" or call.operation not in {"UPPER", "LOWER"}:
            return ""
        before, after = templates.letters(call.operation == "UPPER")
        return f"{literal(before)}, {literal(after)}"

    def _parameter(self, call: Call) -> str:
        if call.operation == "shift" and isinstance(call.parameter, tuple):
            count, unit = call.parameter
            if self.dialect == "sqlite":
                return f"{count * _SECONDS[unit]:+} seconds"
            return f"{'-' if count < 0 else '+'} INTERVAL '{abs(count)}' {unit}"
        if call.operation == "LIKE":
            return self._pattern(str(call.parameter))
        return str(call.parameter or 0)

    def _pattern(self, pattern: str) -> str:
        if self.dialect == "sqlite":
            return literal(templates.glob(pattern))
        if self.dialect == "duckdb" and "\\" not in pattern:
            return literal(pattern)
        return literal(pattern) + r" ESCAPE '\'"

    def _case(self, node: Call) -> str:
        outcomes = [*node.arguments[1::2], node.arguments[-1]]
        common: ColumnKind | None = next(filter(None, map(self._kind, outcomes)), None)
        conditions = [self.value(when, "flag") for when in node.arguments[:-1:2]]
        *thens, otherwise = [self.value(outcome, common) for outcome in outcomes]
        branches = [f"WHEN {when} THEN {then}" for when, then in zip(conditions, thens, strict=True)]
        return f"CASE {' '.join(branches)} ELSE {otherwise} END"
