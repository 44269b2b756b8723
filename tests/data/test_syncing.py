"""Sync: snapshots of what became known, and what is said when a source cannot be read."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pysqlite3
import pytest

from pilotage.data import flow
from pilotage.data.records import Segment
from pilotage.data.rules.segments import split
from pilotage.platform.clock import FixedClock
from pilotage.platform.engine import analytical
from pilotage.platform.errors import EvidenceMissing, InvalidFile, SourceUnavailable
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import latest_evidence
from tests.data.conftest import DAY
from tests.data.shop import TEXT, fill, shop

FILES = TEXT.replace("    database: env:SHOP\n    table: visits\n", "    files: env:VISITS/*.parquet\n")


def visit(name: str, happened_at: datetime, known_at: datetime, score: float = 1.0) -> tuple[object, ...]:
    return (name, "north", score, "a", happened_at, known_at)


def execute(path: Path, statement: str) -> None:
    connection = pysqlite3.connect(str(path))
    connection.execute(statement)
    connection.commit()
    connection.close()


def failure(work: Workspace, text: str = TEXT) -> str:
    """What a person reads when this shop cannot be synced."""
    with pytest.raises(SourceUnavailable) as raised:
        flow.sync(work, shop(text))
    return str(raised.value)


def mistakes(work: Workspace, text: str) -> dict[str, str]:
    """What is wrong with this shop's file against its sources, by place."""
    with pytest.raises(InvalidFile) as raised:
        flow.sync(work, shop(text))
    assert all(problem.line > 1 for problem in raised.value.problems)
    return {problem.where: f"{problem.message} {problem.repair}" for problem in raised.value.problems}


def test_all_rows_come_once_and_the_same_data_makes_no_new_version(work: Workspace, shop_path: Path) -> None:
    first = {result.source: result for result in flow.sync(work, shop())}
    assert (first["orders"].rows_new, first["visits"].rows_new, first["returns"].rows_new) == (60, 150, 60)
    assert latest_evidence(work, "returns", "sync") is not None
    again = {result.source: result for result in flow.sync(work, shop())}
    assert all(again[name].rows_new == 0 and again[name].version == first[name].version for name in first)


def test_two_installations_give_the_same_rows_the_same_version(work: Workspace, shop_path: Path) -> None:
    first = [result.version for result in flow.sync(work, shop())]
    with work.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM snapshots")
    assert [result.version for result in flow.sync(work, shop())] == first


def test_later_rows_corrections_and_late_commits_are_added_and_future_ones_wait(
    work: Workspace, shop_path: Path, clock: FixedClock
) -> None:
    flow.sync(work, shop())
    newest = DAY + 149 * timedelta(minutes=30)
    fill(
        shop_path,
        "visits",
        [
            visit("v900", newest + timedelta(hours=1), newest + timedelta(hours=1)),
            visit("v3", DAY, newest + timedelta(hours=2), score=99.0),
            visit("v901", newest - timedelta(minutes=9), newest - timedelta(minutes=9)),
            visit("v902", clock.now(), clock.now() + timedelta(hours=1)),
        ],
    )
    results = {result.source: result for result in flow.sync(work, shop())}
    assert (results["visits"].rows_new, results["orders"].rows_new) == (3, 0)
    clock.advance(timedelta(hours=2))
    results = {result.source: result for result in flow.sync(work, shop())}
    assert results["visits"].rows_new == 1
    current = flow.snapshot(work, "returns", "visits")
    with analytical() as connection:
        relation = flow.segments_sql(work, current)
        rows = connection.execute(f"SELECT count(*), count(DISTINCT visit_id) FROM {relation}").fetchall()
        score = connection.execute(f"SELECT score FROM {relation} WHERE visit_id = 'v3'").fetchall()
    assert rows == [(153, 153)]
    assert score == [(99.0,)]


def test_many_small_syncs_leave_few_segments() -> None:
    segments: tuple[Segment, ...] = ()
    for number in range(1000):
        kept, merged = split(segments, 1)
        rows = 1 + sum(segment.rows for segment in merged)
        segments = (*kept, Segment(f"{number}", rows, None, DAY))
    assert sum(segment.rows for segment in segments) == 1000
    assert len(segments) <= 10


def test_parquet_files_are_read_and_files_that_grow_are_read_again(
    work: Workspace, shop_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "visits of o'hare"
    folder.mkdir()
    monkeypatch.setenv("VISITS", str(folder))

    def write(name: str, count: int) -> None:
        at = [(DAY + n * timedelta(hours=1)).replace(tzinfo=None) for n in range(count)]
        columns = {"visit_id": [f"{name}{n}" for n in range(count)], "store": ["north"] * count}
        columns |= {"score": [1.0] * count, "grade": ["a"] * count, "happened_at": at, "known_at": at}
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")

    write("a", 5)
    assert flow.sync(work, shop(FILES))[1].rows_new == 5
    write("a", 7)
    write("b", 9)
    result = flow.sync(work, shop(FILES))[1]
    assert (result.rows_new, result.late) == (2 + 9, 2 + 9)
    write("c", 12)
    text = FILES.replace("    owner: visits@", "    late: 10 minutes\n    owner: visits@")
    # Some of c lie further back than this source says that its rows may come late: they are missed.
    assert flow.sync(work, shop(text))[1].rows_new == 4


def test_csv_files_are_read_with_unknown_values(
    work: Workspace, shop_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "csv"
    folder.mkdir()
    (folder / "visits.csv").write_text(
        "visit_id,store,score,grade,happened_at,known_at\n"
        "1,north,,a,2013-12-01T10:00:00+02:00,2013-12-01T10:00:00+02:00\n"
        "2,south,2.5,,2013-12-01T11:00:00Z,2013-12-01T11:00:00Z\n"
    )
    monkeypatch.setenv("VISITS", str(folder))
    result = flow.sync(work, shop(FILES.replace("*.parquet", "*.csv")))[1]
    assert result.rows == 2
    with analytical() as connection:
        relation = flow.segments_sql(work, flow.snapshot(work, "returns", "visits"))
        rows = connection.execute(
            f"SELECT score, grade, CAST(known_at AS VARCHAR) FROM {relation} ORDER BY 3"
        ).fetchall()
    assert rows == [(None, "a", "2013-12-01 08:00:00"), (2.5, None, "2013-12-01 11:00:00")]


def test_a_missing_variable_is_named(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP", raising=False)
    assert "SHOP" in failure(work)
    assert "data@example.com" in failure(work)


def test_a_database_that_is_not_there_is_named(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", f"sqlite:///{tmp_path}/nowhere.db")
    assert "nowhere.db" in failure(work)
    (tmp_path / "nowhere.db").write_text("this is no database, and it is long enough to be looked at")
    assert "cannot be reached" in failure(work)


def test_a_server_that_does_not_answer_is_named_without_its_password(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", "postgresql://reader:hunter2canary@127.0.0.1:1/shop")
    said = failure(work)
    assert "127.0.0.1/shop" in said
    assert "hunter2canary" not in said


@pytest.mark.parametrize("address", ["hunter2canary", "mysql://reader:hunter2canary@host/shop", "postgresql://:@:x"])
def test_an_address_of_another_kind_is_refused_without_repeating_it(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("SHOP", address)
    assert "hunter2canary" not in failure(work)


def test_a_missing_table_and_the_nearest_are_named(work: Workspace, shop_path: Path) -> None:
    said = failure(work, TEXT.replace("table: visits", "table: visit"))
    assert "no table visit" in said
    assert "Did you mean visits?" in said
    assert "visits@example.com" in said


def test_all_columns_that_are_not_there_are_named_with_the_nearest_and_nothing_is_read(
    work: Workspace, shop_path: Path
) -> None:
    text = TEXT.replace("take: score, within", "take: scores, within").replace("returned > 0", "returnd > 0")
    found = mistakes(work, text)
    assert "Did you mean score?" in found["inputs.last_score.take"]
    assert "Did you mean returned?" in found["outcome.positive"]
    with pytest.raises(EvidenceMissing):
        flow.current_snapshots(work, shop())


def test_a_column_that_vanished_is_told_from_one_that_never_was(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop())
    execute(shop_path, "ALTER TABLE visits RENAME COLUMN score TO points")
    said = failure(work)
    assert "column score has vanished since the last sync" in said
    assert "visits@example.com" in said


def test_a_column_that_changed_its_type_is_refused(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop())
    execute(shop_path, "ALTER TABLE visits DROP COLUMN grade")
    execute(shop_path, "ALTER TABLE visits ADD COLUMN grade INTEGER")
    assert "column grade was text and is now number" in failure(work)


def test_text_is_not_taken_as_a_number(work: Workspace, shop_path: Path) -> None:
    found = mistakes(work, TEXT.replace("take: score, within", "take: grade, within"))
    assert "visits.grade is a text" in found["inputs.last_score.take"]
    assert "Write kind: category." in found["inputs.last_score.take"]
    found = mistakes(work, TEXT.replace("store: {kind: category, required: false}", "store: number"))
    assert "orders.store is a text" in found["decision.request.store"]


def test_an_outcome_that_compares_unlike_things_is_refused(work: Workspace, shop_path: Path) -> None:
    assert (
        "returned is a number" in mistakes(work, TEXT.replace("returned > 0", "returned = 'yes'"))["outcome.positive"]
    )


@pytest.mark.parametrize(("column", "kind"), [("store", "text"), ("score", "number")])
def test_a_clock_that_holds_no_instants_is_refused(
    work: Workspace, shop_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, kind: str
) -> None:
    says = f"visits.{column} is a {kind}; known_at needs a datetime."
    wrong = f"event_time: happened_at\n    known_at: {column}"
    found = mistakes(work, TEXT.replace("event_time: happened_at\n    known_at: known_at", wrong))
    assert says in found["sources.visits.known_at"]
    monkeypatch.setenv("VISITS", str(tmp_path))
    rows = pa.table({"visit_id": ["a"], "store": ["n"], "score": [1.5], "grade": ["a"], "happened_at": [DAY]})
    pq.write_table(rows, tmp_path / "v.parquet")
    found = mistakes(work, FILES.replace("event_time: happened_at\n    known_at: known_at", wrong))
    assert says in found["sources.visits.known_at"]


def test_a_clock_kept_as_text_is_read(work: Workspace, shop_path: Path) -> None:
    execute(shop_path, "ALTER TABLE visits DROP COLUMN happened_at")
    execute(shop_path, "ALTER TABLE visits ADD COLUMN happened_at TEXT")
    execute(shop_path, "UPDATE visits SET happened_at = known_at")
    assert flow.sync(work, shop())[1].rows == 150
    execute(shop_path, "UPDATE visits SET happened_at = 'soon', known_at = '2013-12-04 23:00:00' WHERE visit_id = 'v7'")
    assert "does not fit its column" in failure(work)


def test_a_source_that_is_down_does_not_keep_the_others_from_being_read(
    work: Workspace, shop_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISITS", str(tmp_path / "none"))
    said = failure(work, FILES)
    assert "no file matches" in said
    assert flow.snapshot(work, "returns", "orders").rows == 60
    assert flow.snapshot(work, "returns", "returns").rows == 60
    execute(shop_path, "DELETE FROM returns")
    with work.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM snapshots")
    said = failure(work, FILES)
    assert "no file matches" in said
    assert "Source returns has no rows" in said
    assert "visits@example.com" in said
    assert "data@example.com" in said


def test_a_source_whose_table_or_place_changed_is_read_anew(
    work: Workspace, shop_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.sync(work, shop())
    execute(shop_path, "CREATE TABLE visits_2 AS SELECT * FROM visits WHERE store = 'north'")
    moved = TEXT.replace("table: visits", "table: visits_2")
    assert flow.sync(work, shop(moved))[1].rows == 75
    assert flow.sync(work, shop(moved))[1].rows_new == 0
    monkeypatch.setenv("OTHER", f"sqlite:///{shop_path}")
    other = TEXT.replace("database: env:SHOP\n    table: visits", "database: env:OTHER\n    table: visits")
    assert flow.sync(work, shop(other))[1].rows == 150
    at = [DAY.replace(tzinfo=None)]
    rows = {"visit_id": ["a"], "store": ["n"], "score": [1.5], "grade": ["a"], "happened_at": at, "known_at": at}
    pq.write_table(pa.table(rows), tmp_path / "v.parquet")
    monkeypatch.setenv("VISITS", str(tmp_path))
    assert flow.sync(work, shop(FILES))[1].rows == 1


def test_what_is_kept_of_a_source_is_its_reference_and_not_its_address(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop())
    kept = flow.snapshot(work, "returns", "visits")
    shop_path.rename(shop_path.with_name("moved.db"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP", f"sqlite:///{shop_path.with_name('moved.db')}")
        assert flow.sync(work, shop())[1].version == kept.version


def test_a_column_that_a_source_gained_is_read_also_when_no_new_rows_came(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop())
    execute(shop_path, "ALTER TABLE visits ADD COLUMN stars REAL")
    execute(shop_path, "UPDATE visits SET stars = 5")
    taking = TEXT.replace("  last_grade:", "  last_stars: {latest: visits, by: store, take: stars}\n  last_grade:")
    assert flow.sync(work, shop(taking))[1].rows == 150
    with analytical() as connection:
        relation = flow.segments_sql(work, flow.snapshot(work, "returns", "visits"))
        assert connection.execute(f"SELECT count(stars) FROM {relation}").fetchall() == [(150,)]
    assert flow.build(work, shop(taking)).rows > 0


def test_a_value_that_does_not_fit_its_column_is_refused(work: Workspace, shop_path: Path) -> None:
    execute(shop_path, "UPDATE visits SET happened_at = 'yesterday' WHERE visit_id = 'v7'")
    assert "does not fit" in failure(work)


def test_an_empty_source_is_named(work: Workspace, shop_path: Path) -> None:
    execute(shop_path, "DELETE FROM visits")
    assert "Source visits has no rows" in failure(work)


def test_a_pattern_that_matches_nothing_is_named(
    work: Workspace, shop_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISITS", str(tmp_path / "none"))
    assert "no file matches" in failure(work, FILES)


def test_a_broken_file_is_named(
    work: Workspace, shop_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"this is not Parquet at all")
    monkeypatch.setenv("VISITS", str(tmp_path))
    assert "bad.parquet" in failure(work, FILES)


def test_a_snapshot_is_asked_for_before_the_first_sync(work: Workspace, shop_path: Path) -> None:
    with pytest.raises(EvidenceMissing, match="pilotage sync returns"):
        flow.current_snapshots(work, shop())
