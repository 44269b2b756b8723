"""The nouns of a database's catalogue."""

from __future__ import annotations

from msgspec import Struct

from pilotage.data.records import ColumnType

Where = tuple[str, str]
"""Schema and name of a table; in SQLite the schema is empty."""


class Column(Struct, frozen=True):
    """A column as the database declares it: ``declared`` is its own word, ``type`` how it is read, values aside."""

    name: str
    declared: str
    type: ColumnType
    nullable: bool
    comment: str = ""


class Points(Struct, frozen=True):
    """A foreign key: its columns, and the table and columns that they point to. ``table`` is named as in a file."""

    columns: tuple[str, ...]
    table: str
    to: tuple[str, ...]


class Table(Struct, frozen=True):
    """A table or view. ``named`` is its name as a use-case file gives it; ``rows`` about how many, None if unknown."""

    schema: str
    name: str
    named: str
    is_view: bool
    rows: int | None
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[Points, ...] = ()
    comment: str = ""


class Listed(Struct, frozen=True):
    """The rows of a database's own catalogue.

    ``tables``: where, is a view, rows, comment. ``columns``: where, column. ``keys``: where, is the primary key, the
    constraint's name, column. ``foreign_keys``: where, the constraint's name, column, where it points to, column there.
    """

    tables: list[tuple[Where, bool, int | None, str]]
    columns: list[tuple[Where, Column]]
    keys: list[tuple[Where, bool, str, str]]
    foreign_keys: list[tuple[Where, str, str, Where, str]]
