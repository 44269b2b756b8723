"""What a fault is: how it is written into a month, and by which findings it counts as named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pilotage.audit.records import Finding
from tests.proof.planting.office import MONTHS

RATES = (0.01, 0.02, 0.03, 0.05)


@dataclass(frozen=True)
class Fault:
    """One kind of fault. ``plant`` is SQL, or several ways of which a seed takes one.

    In the SQL ``hit(text)`` is true for a share of keys, by chance; six times that with ``often(text)``, for faults
    that only one case in six can have; ``since()`` is a day in the middle of the month, ``till()`` its end.
    ``where`` are the sources and columns of which one must be named. ``high``: it must block or warn. ``rated``: it is
    planted into a share of rows; else it is a step that all rows take. ``also`` are findings that follow from it.
    """

    kind: str
    says: str
    codes: tuple[str, ...]
    where: tuple[tuple[str, str], ...]
    plant: tuple[str, ...]
    high: bool = True
    rated: bool = True
    also: tuple[str, ...] = ()
    edits: tuple[tuple[str, str], ...] = ()
    holds: str = ""
    limit: bool = False

    def statements(self, seed: int) -> list[str]:
        """The SQL of one planting."""
        day = datetime(2013, month_of(seed), 1) + timedelta(days=11 + seed * 7 % 9)  # noqa: DTZ001 - UTC
        end = datetime(2013, month_of(seed) + 1, 1)  # noqa: DTZ001 - UTC
        rate = rate_of(seed)
        return [
            f"CREATE OR REPLACE MACRO hit(x) AS hash(x || '{self.kind} {seed}') % 100000 < {rate * 100_000}",
            f"CREATE OR REPLACE MACRO often(x) AS hash(x || '{self.kind} {seed}') % 100000 < {rate * 600_000}",
            f"CREATE OR REPLACE MACRO since() AS TIMESTAMP '{day}'",
            f"CREATE OR REPLACE MACRO till() AS TIMESTAMP '{end}'",
            self.plant[seed % len(self.plant)],
        ]

    def names(self, finding: Finding) -> bool:
        """Whether a finding says that this fault is there, and where."""
        if finding.code not in self.codes or (self.high and finding.severity == "informs"):
            return False
        held = str(finding.figures.get("kinds", "")) if self.holds else ""
        named = {(finding.source, column) for column in [*finding.column.split(", "), "*"]}
        return self.holds in held and not named.isdisjoint(self.where)

    def explains(self, finding: Finding) -> bool:
        """Whether a finding is this fault, or follows from it."""
        return self.names(finding) or finding.code in self.also


def other_key(key: str) -> str:
    """SQL for a key of the same form that another flight would have: the same number from another airport."""
    return (
        f"left({key}, length({key}) - 3) || CASE right({key}, 3) WHEN 'EWR' THEN 'JFK' WHEN 'JFK' THEN 'LGA' "
        "ELSE 'EWR' END"
    )


def month_of(seed: int) -> int:
    return MONTHS[seed % len(MONTHS)]


def rate_of(seed: int) -> float:
    return RATES[seed % len(RATES)]
