"""Kinds of faults written into clean months of flights: the audit names each, and is silent before.

In the normal run one batch of kinds, in March; with ``-m long`` every kind once. With ``PROMISES=1``
(``make promises``) over twenty seeds in three months; the table in ``docs/reference/audit.md`` is written then.
``PROMISES=<n>`` takes n seeds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.proof.planting.batches import BATCHES, Planting, planting
from tests.proof.planting.faults import Fault, month_of
from tests.proof.planting.office import MONTHS, audited, serious, unset
from tests.proof.planting.table import PAGE, written

RULES = Path(__file__).parents[2] / "src" / "pilotage" / "audit" / "rules" / "findings"
NAMED_MIN = 0.95
ASKED = os.environ.get("PROMISES", "")
SEEDS = 20 if ASKED == "1" else int(ASKED or 0)


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    before = dict(os.environ)
    unset()
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.long
@pytest.mark.parametrize("month", [MONTHS[0]])
def test_nothing_is_cried_about_a_clean_month(month: int) -> None:
    assert _alarms(month) == []


@pytest.mark.parametrize(
    "batch",
    [BATCHES[0], *(pytest.param(batch, marks=pytest.mark.long) for batch in BATCHES[1:])],
    ids=lambda batch: ", ".join(fault.kind for fault in batch),
)
def test_each_fault_is_named_with_its_column(batch: tuple[Fault, ...]) -> None:
    named = planting(batch, seed=0).named
    assert [fault.kind for fault in batch if not named[fault.kind] and not fault.limit] == []


@pytest.mark.skipif(not SEEDS, reason="takes many minutes: make promises")
def test_the_promises_hold_over_twenty_seeds() -> None:
    # By month, so that a process builds each of them once; two at a time, as the machine has two cores.
    seeds = sorted(range(SEEDS), key=lambda seed: (month_of(seed), seed))
    pieces = [(number, seed) for seed in seeds for number in range(len(BATCHES))]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        alarms = dict(zip(MONTHS, processes.map(_alarms, MONTHS), strict=True))
        plantings = list(processes.map(_planted, pieces))
    written(plantings, alarms)
    assert not any(alarms.values()), alarms
    assert _missed(plantings) == {}


def test_the_reference_names_every_finding() -> None:
    rules = "\n".join(path.read_text() for path in RULES.rglob("*.py"))
    codes = set(re.findall(r'(?:finding\(|Finding\(|code=)\s*(?:definition,\s*(?:seen|column),\s*)?"([a-z-]+)"', rules))
    assert len(codes) > 45
    page = PAGE.read_text("utf-8")
    assert sorted(code for code in codes if f"| `{code}` |" not in page) == []


def _planted(piece: tuple[int, int]) -> Planting:
    number, seed = piece
    return planting(BATCHES[number], seed)


def _alarms(month: int) -> list[str]:
    return [f"{finding.code} on {finding.source}.{finding.column}" for finding in serious(audited(month))]


def _missed(plantings: list[Planting]) -> dict[str, str]:
    """Kinds that were named too seldom, with how often."""
    missed = {}
    for fault in (fault for batch in BATCHES for fault in batch):
        seen = [one.named[fault.kind] for one in plantings if fault.kind in one.named]
        if sum(seen) < NAMED_MIN * len(seen) and not fault.limit:
            missed[fault.kind] = f"{sum(seen)} of {len(seen)}"
    return missed
