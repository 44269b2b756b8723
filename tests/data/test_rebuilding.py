"""A training set is rebuilt from what it names; where it is another, its first row that differs and why are named."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pilotage.cli.main import run
from pilotage.data import flow, store
from pilotage.data.fingerprint import fingerprint
from pilotage.data.flow.differing import first_difference
from pilotage.data.records import Change, TrainingSet
from pilotage.data.rules import manifests
from pilotage.platform.quoting import literal
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import latest_evidence
from tests.data.conftest import DAY
from tests.data.shop import fill, shop
from tests.data.test_commands import Captured, file

__all__ = ["file"]

NOON = (DAY + timedelta(hours=12)).replace(tzinfo=None)
ROWS = pa.table(
    {
        "entity": ["a", "b", "c"],
        "moment": pa.array([NOON + timedelta(hours=n) for n in range(3)], pa.timestamp("us")),
        "amount": [1.0, None, 0.0],
        "store": ["north", "south", None],
        "label": [True, None, False],
    }
)


@pytest.fixture
def built(work: Workspace, shop_path: Path) -> TrainingSet:
    flow.sync(work, shop())
    return flow.build(work, shop())


def segment(work: Workspace, source: str) -> Path:
    return work.lake.path(flow.snapshot(work, "returns", source).segments[0].digest, ".parquet")


def overwrite(path: Path, select: str) -> None:
    """Write a Parquet file again with other rows; ``{}`` in the query is what it holds now."""
    after = path.with_suffix(".other")
    with duckdb.connect() as connection:
        query = select.format(f"read_parquet({literal(str(path))})")
        connection.execute(f"COPY ({query}) TO {literal(str(after))} (FORMAT parquet)")
    after.replace(path)


def test_the_same_set_comes_out_again(work: Workspace, built: TrainingSet) -> None:
    proof = flow.prove(work, shop(), built)
    assert (proof.same, proof.rows, proof.difference, proof.changes) == (True, built.rows, None, ())
    evidence = latest_evidence(work, "returns", "training_set")
    assert evidence is not None
    assert evidence.body["recreated"] is True
    assert evidence.body["rows_in"] == 60


def test_a_changed_value_is_named_by_row_column_and_source(work: Workspace, built: TrainingSet) -> None:
    overwrite(
        segment(work, "orders"), "SELECT * REPLACE (CASE order_id WHEN 'o7' THEN 7.5 ELSE amount END AS amount) FROM {}"
    )
    proof = flow.prove(work, shop(), built)
    assert proof.difference is not None
    found = proof.difference
    assert (found.row, found.entity, found.column, found.kept, found.rebuilt) == (8, "o7", "amount", "7.0", "7.5")
    assert [(change.what, change.source) for change in proof.changes] == [("segments", "orders")]
    said = " ".join(manifests.rebuilt(built, proof))
    assert "row 8 (o7, 2013-12-01 08:10) differs in amount: 7.0 was kept, 7.5 came out." in said
    assert f"Source orders changed: its segment {proof.changes[0].before[:12]} has other bytes now" in said
    evidence = latest_evidence(work, "returns", "training_set")
    assert evidence is not None
    assert evidence.body["recreated"] is False
    assert evidence.body["difference"]["column"] == "amount"


def test_a_row_that_is_gone_and_one_too_many_are_named(work: Workspace, built: TrainingSet) -> None:
    kept = segment(work, "orders").read_bytes()
    overwrite(segment(work, "orders"), "SELECT * FROM {} WHERE order_id <> 'o5'")
    gone = flow.rebuild(work, built)
    assert "row 6 (o5, 2013-12-01 05:50) was kept and did not come out." in manifests.rebuilt(built, gone)[0]
    segment(work, "orders").write_bytes(kept)
    extra = "SELECT * FROM {0} UNION ALL SELECT * REPLACE ('o4b' AS order_id) FROM {0} WHERE order_id = 'o4'"
    overwrite(segment(work, "orders"), extra)
    more = flow.rebuild(work, built)
    assert more.rows == built.rows + 1
    assert "row 6 (o4b, 2013-12-01 04:40) came out and was not kept." in manifests.rebuilt(built, more)[0]


def test_bytes_that_changed_without_changing_a_row_are_no_proof(work: Workspace, built: TrainingSet) -> None:
    overwrite(segment(work, "visits"), "SELECT * FROM {}")
    proof = flow.rebuild(work, built)
    assert not proof.same
    assert proof.difference is None
    assert "its rows are the same, but not the files that it names" in manifests.rebuilt(built, proof)[0]
    assert [change.source for change in proof.changes] == ["visits"]


@pytest.mark.parametrize("way", ["gone", "unreadable"])
def test_a_segment_that_cannot_be_read_is_named(work: Workspace, built: TrainingSet, way: str) -> None:
    path = segment(work, "visits")
    path.unlink() if way == "gone" else path.write_bytes(b"PAR1 no more PAR1")
    proof = flow.prove(work, shop(), built)
    assert (proof.same, proof.rows) == (False, None)
    said = manifests.rebuilt(built, proof)
    assert said[0].startswith("It could not be rebuilt: ")
    assert said[1].startswith(
        f"Source visits changed: its segment {path.stem[:12]} {'is gone' if way == 'gone' else 'has'}"
    )


def test_a_snapshot_whose_manifest_is_gone_is_named_by_its_version(work: Workspace, built: TrainingSet) -> None:
    version = built.snapshots["returns"]
    work.lake.path(version, ".json").unlink()
    proof = flow.rebuild(work, built)
    assert [(change.what, change.source, change.before) for change in proof.changes] == [
        ("snapshot", "returns", version)
    ]
    assert f"Source returns changed: its snapshot {version[:12]}" in manifests.rebuilt(built, proof)[1]


def test_the_code_or_the_engine_is_named_where_no_source_changed(work: Workspace, built: TrainingSet) -> None:
    other = msgspec.structs.replace(built, sql=built.sql.replace("> 5", "> 6"), code="0.0.9+old", engine="duckdb 0.1")
    proof = flow.rebuild(work, other)
    assert proof.difference is not None
    assert proof.difference.column == "rule"
    assert [change.what for change in proof.changes] == ["code", "engine"]
    assert "No source changed; the code did: 0.0.9+old made it, this is " in manifests.rebuilt(other, proof)[1]
    assert flow.rebuild(work, msgspec.structs.replace(built, code="0.0.9+old")).same, "other code, the same rows"


def test_a_kept_file_that_was_changed_is_not_taken_for_a_source(work: Workspace, built: TrainingSet) -> None:
    overwrite(work.lake.path(built.digest, ".parquet"), "SELECT * FROM {} LIMIT 3")
    proof = flow.rebuild(work, built)
    assert not proof.same
    assert [change.what for change in proof.changes] == ["file"]


def test_verify_takes_the_set_that_stands_and_builds_where_sources_went_on(
    file: Path, shop_path: Path, capsys: Captured, tmp_path: Path
) -> None:
    run(["sync", str(file)])
    run(["build", "returns"])
    capsys.readouterr()

    def verified(code: int) -> dict[str, object]:
        assert run(["build", "returns", "--verify", "--json"]) == code
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    first, again = verified(0), verified(0)
    assert first["training_set"] == again["training_set"]
    fill(shop_path, "visits", [("v1", "north", 77.0, "a", DAY, DAY + timedelta(days=4))])
    run(["sync", "returns"])
    capsys.readouterr()
    moved = verified(0)
    assert moved["training_set"] != first["training_set"]
    work = open_workspace(Settings(home=tmp_path / "home"))
    overwrite(segment(work, "orders"), "SELECT * REPLACE (amount + 1 AS amount) FROM {}")
    work.close()
    changed = verified(1)
    assert changed["recreated"] is False
    assert changed["proof"]["changes"][0]["source"] == "orders"  # type: ignore[index]
    assert run(["build", "returns", "--verify"]) == 1
    assert "differs in amount: 0.0 was kept, 1.0 came out." in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize(
    ("column", "values", "row"),
    [
        ("amount", [1.0, None, -0.0], 3),
        ("amount", [1.0, 0.0, 0.0], 2),
        ("store", ["north", "south", ""], 3),
        ("label", [True, False, False], 2),
        ("store", [None, "south", None], 1),
    ],
)
def test_differences_are_found_wherever_fingerprints_differ(column: str, values: list[object], row: int) -> None:
    place = ROWS.column_names.index(column)
    other = ROWS.set_column(place, column, pa.array(values, ROWS.schema.field(column).type))
    assert fingerprint(other) != fingerprint(ROWS)
    found = first_difference(ROWS, other)
    assert found is not None
    assert (found.row, found.column, found.entity) == (row, column, "abc"[row - 1])


def test_equal_tables_do_not_differ_and_other_columns_do() -> None:
    assert first_difference(ROWS, ROWS) is None
    fewer = first_difference(ROWS, ROWS.drop_columns(["store"]))
    assert fewer is not None
    assert (fewer.row, fewer.column, fewer.rebuilt) == (1, "store", "no such column")
    last = first_difference(ROWS, ROWS.slice(0, 2))
    assert last is not None
    assert (last.row, last.entity, last.kept, last.rebuilt) == (3, "c", "a row", "none")
    assert first_difference(ROWS, ROWS.slice(0, 0)) is not None
    assert first_difference(ROWS.slice(0, 0), ROWS) is not None


@pytest.mark.both_stores
def test_the_newest_set_counts_as_standing_only_for_its_own_file(work: Workspace, built: TrainingSet) -> None:
    from tests.data.shop import TEXT

    assert flow.standing(work, shop()) == built
    assert flow.standing(work, shop(TEXT.replace("matures: 1 day", "matures: 2 days"))) is None
    with work.database.reading() as connection:
        assert store.latest_training_set(connection, "returns") == built
    assert Change("code", "a", "b").source == ""


def test_a_set_that_other_code_made_is_built_anew_and_held_against_it(work: Workspace, built: TrainingSet) -> None:
    rows = flow.training_rows(work, built)
    other = rows.set_column(rows.column_names.index("amount"), "amount", pc.add(rows["amount"], 1.0))
    with work.lake.writing() as path:
        pq.write_table(other, path)
        digest, _ = work.lake.keep(path, ".parquet")
    old = {"id": "set_old", "code": "0.0.9+old", "digest": digest, "fingerprint": fingerprint(other)}
    with work.database.writing() as connection:
        store.add_training_set(connection, msgspec.structs.replace(built, **old))
    verified = flow.verify(work, shop())
    assert verified.proof.same
    assert verified.training_set.fingerprint == built.fingerprint
    assert verified.earlier is not None
    said = " ".join(manifests.rebuilt(built, verified.earlier, "Beside set_old of the same snapshots"))
    assert "Beside set_old of the same snapshots: row 1 (o0, 2013-12-01 00:00) differs in amount: 1.0 was kept" in said
    assert "No source changed; the code did: 0.0.9+old made it" in said
    assert flow.verify(work, shop()).earlier is None
