"""One source under judgement: its figures, which of its columns are in use, and findings with its owner filled in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pilotage.audit.measured import Measured
from pilotage.audit.measured.columns import ColumnFigures, Value
from pilotage.audit.measured.repeats import Sample
from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.records import Finding, Severity, Topic
from pilotage.audit.rules.owners import owner_of
from pilotage.data.rules.needs import needed_columns
from pilotage.usecase.records import Definition, Source


@dataclass(frozen=True)
class About:
    """``needed`` are the columns that the file names; ``newest`` is the newest ``known_at`` of all sources."""

    definition: Definition
    topic: Topic
    figures: SourceFigures
    needed: frozenset[str]
    newest: datetime | None

    @property
    def source(self) -> Source:
        return self.definition.use_case.sources[self.figures.source]

    @property
    def columns(self) -> tuple[ColumnFigures, ...]:
        return tuple(self.figures.profiles.values())

    def day(self, period: int) -> str:
        """When a period begins, in words that promise no more than its length allows."""
        periods = self.figures.times.periods
        day = str(periods.starts[period])
        return day if periods.days == 1 else f"about {day}"

    def severity(self, column: str) -> Severity:
        """What a fault costs quality is worth acting on where the column is in use, and worth knowing elsewhere."""
        return "warns" if column in self.needed else "informs"

    def finding(
        self,
        code: str,
        severity: Severity,
        column: str,
        message: str,
        repair: str,
        concerns: int = 0,
        of: int = 0,
        samples: tuple[Sample, ...] = (),
        sampled: int = 0,
        **figures: object,
    ) -> Finding:
        """A finding on this source: ``concerns`` rows of the ``of`` looked at, or of all."""
        rows = of or self.figures.rows
        return Finding(
            code=code,
            topic=self.topic,
            severity=severity,
            source=self.figures.source,
            column=column,
            message=message,
            repair=repair,
            owner=owner_of(self.definition.use_case, self.figures.source),
            concerns=concerns,
            share=min(concerns / rows, 1.0) if rows else 0.0,
            samples=samples,
            sampled=sampled,
            figures=figures,
        )


def about(definition: Definition, measured: Measured, topic: Topic) -> Iterator[About]:
    """Every source with rows, in the order of the file."""
    needed = needed_columns(definition)
    for name, figures in measured.sources.items():
        if figures.rows:
            yield About(definition, topic, figures, frozenset(needed[name]), measured.newest)


def percent(share: float) -> str:
    """A share in words that never round to nothing: 0.03%."""
    return f"{share:.1%}" if share >= 0.001 or not share else f"{share:.2%}"


def counted(values: tuple[Value, ...], most: int = 5) -> str:
    """Values with their rows in a sentence: 'POST' (1,234), 'M' (12)."""
    return ", ".join(f"{value.text!r} ({value.rows:,})" for value in values[:most])
