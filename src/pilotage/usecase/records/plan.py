"""What is derived from the file: the columns that a model sees."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from pilotage.usecase.records.deciding import RequestColumn
from pilotage.usecase.records.parts import Aggregate, ColumnKind


class Given(Struct, frozen=True, tag="request"):
    """A column taken from the request."""

    name: str
    kind: ColumnKind
    required: bool
    says: str = ""


class Latest(Struct, frozen=True, tag="latest"):
    """The newest row of a source, per key, that was known as of the decision and happened within the span."""

    name: str
    kind: ColumnKind
    source: str
    by: tuple[str, ...]
    take: str
    within_seconds: int
    says: str = ""
    key: tuple[str, ...] = ()
    where: str = ""

    @property
    def found_by(self) -> tuple[str, ...]:
        """The source's columns that equal the request's ``by``: of the same names unless the file says others."""
        return self.key or self.by


class Window(Struct, frozen=True, tag="window"):
    """An aggregate over the rows of a source, per key, in the span before the decision, known by then."""

    name: str
    kind: ColumnKind
    source: str
    by: tuple[str, ...]
    take: str
    aggregate: Aggregate
    over_seconds: int
    says: str = ""
    key: tuple[str, ...] = ()
    where: str = ""

    @property
    def found_by(self) -> tuple[str, ...]:
        """The source's columns that equal the request's ``by``: of the same names unless the file says others."""
        return self.key or self.by


class Derived(Struct, frozen=True, tag="derived"):
    """A scalar expression over request columns and earlier inputs."""

    name: str
    kind: ColumnKind
    expression: str
    says: str = ""


Column = Given | Latest | Window | Derived


class Plan(Struct, frozen=True):
    """Everything a use case's columns need, expanded from the file and in the order of the file.

    ``request`` holds all columns that the app sends, ``columns`` those that a model or the rule sees.
    """

    entity: str
    moment: str
    request: dict[str, RequestColumn]
    columns: tuple[Column, ...]
    fingerprint: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def decode_plan(content: bytes) -> Plan:
    """A plan from the JSON that an artefact carries."""
    return msgspec.json.decode(content, type=Plan)
