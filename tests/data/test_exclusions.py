"""Every row of the decision's source is a decision or left out for one reason, which is counted."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.cli.main import run
from pilotage.data import flow
from pilotage.data.records import Label, Spine
from pilotage.data.rules.manifests import built as said
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import latest_evidence
from tests.data.conftest import DAY
from tests.data.shop import TEXT, fill, shop
from tests.data.stored import changed
from tests.data.test_commands import Captured, file

__all__ = ["file"]

CHOSEN = TEXT.replace("  moment: placed_at\n", "  moment: placed_at\n  where: amount < 20\n")
HOURS = [DAY + timedelta(hours=n) for n in range(80)]


def found(work: Workspace, text: str) -> dict[str, int]:
    """The reasons with rows, after a build, and ``rows_in`` and ``rows``."""
    built = flow.build(work, shop(text))
    assert built.rows_in == built.rows + sum(built.excluded.values())
    assert built.rows == flow.training_rows(work, built).num_rows
    return {**{why: n for why, n in built.excluded.items() if n}, "rows_in": built.rows_in, "rows": built.rows}


def test_rows_in_are_rows_out_and_what_was_left_out(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop())
    last = DAY + 59 * timedelta(minutes=70) + timedelta(hours=20)
    immature = sum(DAY + n * timedelta(minutes=70) > last - timedelta(days=1) for n in range(60))
    assert found(work, TEXT) == {"immature": immature, "rows_in": 60, "rows": 60 - immature}


def test_each_reason_is_counted_once_and_the_first_one_counts(work: Workspace, shop_path: Path) -> None:
    late, early = HOURS[9], HOURS[1]
    fill(
        shop_path,
        "orders",
        [
            (None, "north", 1.0, HOURS[5], early),  # nobody
            (None, "north", 1.0, HOURS[5], late),  # nobody, and late as well
            ("timeless", "north", 1.0, None, early),
            ("late", "north", 99.0, HOURS[5], late),  # late, and `where` does not hold either
            ("moved", "north", 1.0, HOURS[5], early),  # replaced
            ("moved", "south", 2.0, HOURS[5], HOURS[2]),  # a decision
            ("moved", "west", 3.0, HOURS[5], late),  # late
            ("raised", "north", 1.0, HOURS[5], early),  # replaced by a row that is not chosen
            ("raised", "north", 50.0, HOURS[5], HOURS[2]),  # not chosen
            ("unsaid", "north", None, HOURS[5], early),  # of an unknown amount nobody knows whether it is below 20
        ],
    )
    flow.sync(work, shop(CHOSEN))
    assert found(work, CHOSEN) == {
        "without_entity": 2,
        "without_moment": 1,
        "known_later": 2,
        "replaced": 2,
        "where": 40 + 2,
        "rows_in": 70,
        "rows": 20 + 1,
    }


def test_deleted_rows_are_counted_apart_from_those_that_only_say_so(
    work: Workspace, shop_path: Path, clock: FixedClock
) -> None:
    text = TEXT.replace("    table: orders\n", "    table: orders\n    deletions: compared\n")
    far = clock.now() + timedelta(hours=3)
    fill(shop_path, "orders", [("called_off", "north", 1.0, far, DAY), ("kept", "north", 1.0, far, DAY)])
    flow.sync(work, shop(text))
    changed(shop_path, "DELETE FROM orders WHERE order_id IN ('called_off', 'o3')")
    clock.advance(timedelta(hours=1))
    flow.sync(work, shop(text))
    fill(shop_path, "returns", [("kept", 1, far + timedelta(days=2))])
    clock.advance(timedelta(days=3))
    flow.sync(work, shop(text))
    # o3 was decided long before its row was deleted; two rows say that a key is gone
    assert found(work, text) == {"deletion": 2, "deleted": 1, "rows_in": 64, "rows": 61}


def test_the_manifest_names_what_the_set_stands_on(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop(CHOSEN))
    built = flow.build(work, shop(CHOSEN))
    assert built.spine == Spine("order_id", "orders", "placed_at", "amount < 20")
    assert built.label == Label("returns", "returned > 0", "1 day")
    assert built.plan == shop(CHOSEN).plan.fingerprint
    assert built.engine.startswith("duckdb ")
    evidence = latest_evidence(work, "returns", "training_set")
    assert evidence is not None
    assert (evidence.body["rows_in"], evidence.body["rows_out"], evidence.body["excluded"]["where"]) == (60, 20, 40)
    assert evidence.body["label"]["matures"] == "1 day"
    assert {"seed", "code", "engine", "fingerprint", "digest", "plan", "spine", "snapshots"} <= set(evidence.body)
    assert flow.latest_training_set(work, "returns") == built


def test_decisions_without_an_outcome_are_counted(work: Workspace, shop_path: Path) -> None:
    changed(shop_path, "DELETE FROM returns WHERE order_id IN ('o1', 'o2')")
    flow.sync(work, shop())
    built = flow.build(work, shop())
    assert (built.without_outcome, built.labelled) == (2, built.rows - 2)


def test_build_says_in_words_and_for_machines_what_was_left_out(file: Path, shop_path: Path, capsys: Captured) -> None:
    fill(shop_path, "orders", [("late", "north", 1.0, HOURS[2], HOURS[3])])
    assert run(["sync", str(file)]) == 0
    assert run(["build", "returns"]) == 0
    printed = capsys.readouterr().out.replace("\n", " ")
    assert "They are 56 of 61 rows of orders; left out: 4 not matured, 1 known after their moment." in printed
    assert run(["build", "returns", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)["training_set"]
    reasons = Counter(document["excluded"])
    assert (document["rows_in"], reasons.total(), reasons["known_later"]) == (61, 5, 1)


def test_nothing_left_out_is_said_too(work: Workspace, shop_path: Path) -> None:
    changed(shop_path, "DELETE FROM orders WHERE placed_at > '2013-12-03'")
    flow.sync(work, shop())
    assert said(flow.build(work, shop())).endswith("rows of orders; nothing was left out.")


@pytest.mark.parametrize("kept", ["orders", "visits"])
def test_a_source_of_one_name_needs_no_deletions_to_be_counted(work: Workspace, shop_path: Path, kept: str) -> None:
    text = TEXT.replace(f"    table: {kept}\n", f"    table: {kept}\n    deletions: compared\n")
    flow.sync(work, shop(text))
    assert found(work, text)["rows_in"] == 60
