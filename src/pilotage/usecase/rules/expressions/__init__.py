"""Scalar SQL in the use-case file: read once, checked against an allow-list, run as SQL or as a Python closure.

One text has one meaning: ``to_sql`` gives it to DuckDB for training and to a live source, ``compile_row`` runs it per
request, and all give the same value for the same row, nulls included (property-tested; docs/reference/expressions.md).
Numbers are finite 64-bit floats. What SQL leaves to the engine is settled here: a division by zero, a result that is no
finite number, and a text that cannot be cast, is null.
"""

from pilotage.usecase.rules.expressions.closures import compile_row
from pilotage.usecase.rules.expressions.dialects import Dialect
from pilotage.usecase.rules.expressions.kinds import check, kind_of
from pilotage.usecase.rules.expressions.parsing import ALLOWED, columns_of, parse
from pilotage.usecase.rules.expressions.sql import to_sql
from pilotage.usecase.rules.expressions.tree import Call, ColumnReference, Constant, ExpressionError, Node

__all__ = [
    "ALLOWED",
    "Call",
    "ColumnReference",
    "Constant",
    "Dialect",
    "ExpressionError",
    "Node",
    "check",
    "columns_of",
    "compile_row",
    "kind_of",
    "parse",
    "to_sql",
]
