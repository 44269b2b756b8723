"""Training sets of yes or no, of categories and of numbers: built, accounted for, rebuilt, printed."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pilotage.data import flow
from pilotage.data.fingerprint import fingerprint
from pilotage.data.records import TrainingSet
from pilotage.data.rules import manifests
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition
from tests.data.conftest import DAY
from tests.data.shop import TEXT
from tests.data.stored import outcomes_of

NEWSGROUPS = Path(__file__).parents[3] / "shared" / "data" / "newsgroups.parquet"
PLACE = "    database: env:SHOP\n    table: returns\n"
FLAG = "  positive: returned > 0\n"


def of_kind(kind: str, folder: Path, more: str = "") -> Definition:
    """The shop with an outcome of a kind, read from a file of outcomes; ``more`` is added at the file's end."""
    says = {
        "flag": ("  positive: returned\n", "positive: last_score > 5", "{currency: EUR, caught: 10, false_alarm: -2}"),
        "number": ("  number: cost\n", "number: last_score", "{currency: EUR, too_low: -1, too_high: -1}"),
        "category": ("  category: why\n", "category: last_grade", "{currency: EUR, right: 1, wrong: -1}"),
    }
    outcome, rule, value = says[kind]
    text = TEXT.replace(PLACE, f"    files: {folder}/outcomes.parquet\n").replace(FLAG, outcome)
    before, _, _ = text.partition("rule:")
    before = before.replace("{currency: EUR, caught: 10, false_alarm: -2}", value)
    actions = "  actions: {positive: Check, negative: Pack}\n" if kind == "flag" else ""
    default = {"flag": "negative", "number": "0", "category": "a"}[kind]
    tail = f"rule: {{{rule}, says: as today}}\npolicy:\n{actions}  default: {default}\n{more}"
    return parse_definition(before + tail, f"{kind}.yaml")


@pytest.fixture
def folder(tmp_path: Path, shop_path: Path) -> Path:
    """Outcomes of all orders: every tenth is none (no finite number, no text but spaces)."""
    numbers = [[math.inf, math.nan, -math.inf][n // 10 % 3] if n % 10 == 0 else float(n) for n in range(60)]
    whys = [["", "  ", "\t"][n // 10 % 3] if n % 10 == 0 else "broken" if n % 3 else "late" for n in range(60)]
    outcomes = {
        "order_id": [f"o{n}" for n in range(60)],
        "cost": numbers,
        "why": whys,
        "returned": [None if n % 10 == 0 else n % 3 == 0 for n in range(60)],
        "guess": [1.0 * (n % 7) if n % 2 else None for n in range(60)],
        "known_at": [DAY + n * timedelta(minutes=70) + timedelta(hours=20) for n in range(60)],
    }
    pq.write_table(pa.table(outcomes), tmp_path / "outcomes.parquet")
    return tmp_path


def made(work: Workspace, definition: Definition) -> tuple[TrainingSet, pa.Table]:
    flow.sync(work, definition)
    built = flow.build(work, definition)
    return built, flow.training_rows(work, built)


@pytest.mark.parametrize(("kind", "type_"), [("flag", pa.bool_()), ("number", pa.float64()), ("category", pa.string())])
def test_label_and_rule_are_of_the_outcomes_kind(work: Workspace, folder: Path, kind: str, type_: pa.DataType) -> None:
    built, rows = made(work, of_kind(kind, folder))
    assert (rows.schema.field("label").type, rows.schema.field("rule").type) == (type_, type_)
    assert built.kind == kind
    assert rows["rule"].null_count < built.rows


@pytest.mark.parametrize("kind", ["flag", "number", "category"])
def test_what_is_no_finite_number_and_no_word_is_an_unknown_outcome(work: Workspace, folder: Path, kind: str) -> None:
    built, table = made(work, of_kind(kind, folder))
    unknown = {row["entity"] for row in table.to_pylist() if row["label"] is None}
    assert unknown == {f"o{n}" for n in range(0, built.rows, 10)}
    assert built.labelled == built.rows - len(unknown)


@pytest.mark.parametrize("kind", ["flag", "number", "category"])
def test_each_kind_is_rebuilt_the_same_and_its_sql_runs_by_itself(work: Workspace, folder: Path, kind: str) -> None:
    definition = of_kind(kind, folder)
    built, _ = made(work, definition)
    assert flow.prove(work, definition, built).same
    connection = duckdb.connect()
    connection.execute(flow.script(work, definition))
    table = connection.sql("SELECT * FROM training_set ORDER BY moment, entity").to_arrow_table()
    assert fingerprint(table) == built.fingerprint


def test_a_manifest_counts_positives_classes_or_tells_the_numbers(work: Workspace, folder: Path) -> None:
    flag, rows = made(work, of_kind("flag", folder))
    assert flag.positives == sum(label is True for label in rows["label"].to_pylist())
    assert (flag.classes, flag.quantiles) == ({}, ())
    category, rows = made(work, of_kind("category", folder))
    labels = rows["label"].to_pylist()
    assert category.classes == {name: labels.count(name) for name in ("broken", "late")}
    assert (category.positives, category.distinct) == (None, 2)
    assert f"2 categories, which are broken ({labels.count('broken')}), late" in manifests.built(category)
    number, rows = made(work, of_kind("number", folder))
    labels = [label for label in rows["label"].to_pylist() if label is not None]
    assert (number.quantiles[0], number.quantiles[-1]) == (min(labels), max(labels))
    assert (number.positives, number.classes) == (None, {})
    assert f"half of them up to {number.quantiles[3]:g}, " in manifests.built(number)


HUMAN = "human: {source: returns, decided: guess, says: what the clerk wrote down}\n"


def test_what_people_decided_lies_beside_the_label_whenever_it_became_known(work: Workspace, folder: Path) -> None:
    definition = of_kind("number", folder, HUMAN)
    built, table = made(work, definition)
    rows = table.to_pylist()
    assert [row["human"] for row in rows] == [
        float(int(row["entity"][1:]) % 7) if int(row["entity"][1:]) % 2 else None for row in rows
    ]
    assert built.decided == sum(row["human"] is not None for row in rows)
    assert (built.label.human_source, built.label.human) == ("returns", "guess")
    assert f"People decided {built.decided} of them." in manifests.built(built)
    assert "human" not in definition.plan.names


def test_a_file_without_human_decisions_has_no_such_column(work: Workspace, folder: Path) -> None:
    built, table = made(work, of_kind("number", folder))
    assert not {"human", "judged"} & set(table.column_names)
    assert (built.decided, built.judged) == (None, None)


def test_declared_rows_judge_and_groups_of_people_are_kept(work: Workspace, folder: Path) -> None:
    fair = of_kind("flag", folder, "fairness: {by: [store]}\n")
    text = fair.text.replace("  moment: placed_at\n", "  moment: placed_at\n  judged: amount >= 20\n")
    built, table = made(work, parse_definition(text, "judged.yaml"))
    rows = table.to_pylist()
    assert [row["judged"] for row in rows] == [row["amount"] >= 20 for row in rows]
    assert built.judged == sum(row["judged"] for row in rows)
    assert [row["group_store"] for row in rows] == [row["store"] for row in rows]


@pytest.mark.parametrize("kind", ["flag", "category", "number"])
def test_groups_without_a_limit_are_kept_too_and_never_an_input(work: Workspace, folder: Path, kind: str) -> None:
    definition = of_kind(kind, folder, "groups: [store]\n")
    _, table = made(work, definition)
    rows = table.to_pylist()
    assert [row["group_store"] for row in rows] == [row["store"] for row in rows]
    assert "group_store" not in definition.plan.names


@pytest.mark.parametrize(("judged", "which"), [("amount < 0", "None"), ("amount >= 0", "Each")])
def test_a_split_that_leaves_one_part_empty_is_refused(work: Workspace, folder: Path, judged: str, which: str) -> None:
    text = of_kind("flag", folder).text.replace("  moment: placed_at\n", f"  moment: placed_at\n  judged: {judged}\n")
    definition = parse_definition(text, "judged.yaml")
    flow.sync(work, definition)
    with pytest.raises(EvidenceMissing, match=rf"{which} of the \d+ decisions fulfils `decision.judged`"):
        flow.build(work, definition)


def test_what_happened_to_a_case_is_read_in_the_outcomes_kind(work: Workspace, folder: Path) -> None:
    for kind, value in (("flag", True), ("number", 3.0), ("category", "late")):
        definition = of_kind(kind, folder)
        flow.sync(work, definition)
        assert outcomes_of(work, definition, ["o3", "o10", "nobody"]) == {
            "o3": (value, DAY + timedelta(minutes=210, hours=20))
        }


NEWS = f"""
use_case: newsgroups
title: The group of a post
owner: moderators@example.com
data_owner: archive@example.com
brief:
  workflow: Posts are sorted by hand.
  users: Moderators
  decision: Put a post into its group.
  kpi: Minutes of sorting
  value: {{currency: EUR, right: 1, wrong: -2}}
sources:
  posts: {{files: {NEWSGROUPS}, key: [_row], static: true}}
decision: {{entity: _row, source: posts, judged: split = 'test', request: {{text: text}}}}
outcome: {{source: posts, category: category, says: the group it was posted to}}
inputs: {{text: request}}
rule:
  category: CASE WHEN text LIKE '%hockey%' THEN 'rec.sport.hockey' WHEN text LIKE '%clutch%' THEN 'rec.autos' END
  says: a word that gives it away
policy: {{default: misc.forsale, confidence: 0.5}}
"""


@pytest.mark.skipif(not NEWSGROUPS.exists(), reason="the newsgroups are not here")
def test_newsgroups_are_a_training_set_of_twenty_categories_over_a_text(work: Workspace) -> None:
    definition = parse_definition(NEWS, "news.yaml")
    built, table = made(work, definition)
    real = duckdb.sql(f"SELECT category, count(*), count_if(split = 'test') FROM '{NEWSGROUPS}' GROUP BY 1").fetchall()
    assert built.classes == {name: count for name, count, _ in real}
    assert built.judged == sum(judging for _, _, judging in real)
    assert (built.labelled, built.distinct) == (built.rows, 20)
    assert table.schema.field("text").type == pa.string()
    assert "decisions without a moment" in manifests.built(built)
    said = [(row["rule"], row["label"]) for row in table.to_pylist() if row["rule"]]
    assert (
        sum(rule == label for rule, label in said) > len(said) / 2
    )  # the rule speaks of what it is about, so it stands beside its own post
