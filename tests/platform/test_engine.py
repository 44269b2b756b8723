"""An engine that is used again shows nothing of the use before; one that kept something is not used again."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection as Connection
from fsspec.implementations.memory import MemoryFileSystem
from tests.queries import SOURCE

from pilotage.platform import engine
from pilotage.platform.engine import analytical
from pilotage.platform.processes import BEHIND, stand_back

_STATE = """SELECT name, value FROM duckdb_settings()
UNION ALL SELECT 'table', table_name FROM duckdb_tables() UNION ALL SELECT 'view', view_name FROM duckdb_views()
UNION ALL SELECT 'database', database_name FROM duckdb_databases() UNION ALL SELECT 'secret', name FROM duckdb_secrets()
UNION ALL SELECT 'macro', function_name FROM duckdb_functions() WHERE NOT internal
UNION ALL SELECT 'type', type_name FROM duckdb_types() WHERE NOT internal
UNION ALL SELECT 'variable', name FROM duckdb_variables()"""


@pytest.fixture(autouse=True)
def none_waits() -> Iterator[None]:
    """Each test begins and ends without an engine that others used."""
    engine._let_go()
    yield
    engine._let_go()


def waiting() -> list[Connection]:
    return [each for engines in engine._idle.values() for each in engines]


def state(connection: Connection) -> list[tuple[str, str]]:
    return sorted(connection.execute(_STATE).fetchall(), key=str)


def used(connection: Connection) -> None:
    """What the rooms do with an engine, and all that a session can be set to."""
    connection.execute("CREATE TABLE kept AS SELECT range AS n FROM range(1000); CREATE VIEW shown AS FROM kept")
    connection.execute("CREATE TEMP TABLE sample AS FROM kept; CREATE MACRO twice(x) AS 2 * x; CREATE SEQUENCE counted")
    connection.execute(
        "CREATE TYPE answer AS ENUM ('yes', 'no'); SET VARIABLE password = 'hunter2'; CREATE SCHEMA mine"
    )
    connection.execute("SET TimeZone = 'America/New_York'; SET preserve_insertion_order = true; USE mine")
    connection.execute("CREATE TABLE here AS SELECT 1 AS n; PREPARE again AS SELECT 1")
    connection.register("incoming", connection.sql("SELECT 1 AS n").to_arrow_table())


def test_the_next_use_of_an_engine_finds_it_as_the_first_did(tmp_path: Path) -> None:
    with analytical() as connection:
        new = state(connection)
        used(connection)
        assert state(connection) != new
    (left,) = waiting()
    with analytical(spill=tmp_path, memory_mb=99) as connection:
        assert not waiting()
        used(connection)
    with analytical() as connection:
        assert state(connection) == new
        for name in ("kept", "shown", "sample", "incoming", "mine.here", "own.mine.here", "memory.main.kept"):
            with pytest.raises(duckdb.CatalogException):
                connection.execute(f"FROM {name}")
        with pytest.raises(duckdb.Error):
            connection.execute("EXECUTE again")
    assert waiting() == [left]


def test_each_use_has_its_own_memory_and_its_own_directory(tmp_path: Path) -> None:
    def limits(connection: Connection) -> tuple[str, str]:
        asked = "SELECT current_setting('memory_limit'), current_setting('temp_directory')"
        found: tuple[str, str] = connection.execute(asked).fetchall()[0]
        return found

    with analytical() as connection:
        unbounded = limits(connection)
    with analytical(spill=tmp_path, memory_mb=64) as one, analytical(spill=tmp_path, memory_mb=128) as other:
        (mine, here), (theirs, there) = limits(one), limits(other)
        assert (mine, theirs) == ("61.0 MiB", "122.0 MiB")
        assert {Path(here).parent, Path(there).parent} == {tmp_path}
        assert here != there
    with analytical() as connection:
        assert limits(connection) == unbounded
    assert not [*tmp_path.iterdir()]


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    file, found = tmp_path / "rows.parquet", []
    for number in (1, 2):
        with analytical() as connection:
            connection.execute(f"COPY (SELECT {number} AS n) TO '{file}' (FORMAT parquet)")
            os.utime(file, (0, 0))  # as where a clock is too coarse to tell the one from the other
            found += connection.execute(f"FROM '{file}'").fetchall()
    assert found == [(1,), (2,)]
    assert len(waiting()) == 1


def spill(connection: Connection) -> None:
    connection.execute("CREATE TABLE much AS SELECT range AS n, md5(range::VARCHAR) AS text FROM range(2000000)")


def attach(connection: Connection) -> None:
    connection.execute("ATTACH ':memory:' AS another")


def bring_files(connection: Connection) -> None:
    connection.register_filesystem(MemoryFileSystem())


def fail(connection: Connection) -> None:
    with pytest.raises(duckdb.Error):
        connection.execute("FROM nowhere")
    raise ZeroDivisionError


def go_on_reading(connection: Connection) -> None:
    connection.execute("CREATE TABLE much AS SELECT range AS n FROM range(5000000)")
    _held.append(connection.sql("FROM much").to_arrow_reader(1000))
    _held[-1].read_next_batch()


_held: list[pa.RecordBatchReader] = []


@pytest.mark.parametrize("leave", [spill, attach, bring_files, fail, go_on_reading])
def test_an_engine_in_which_something_is_left_is_not_used_again(
    leave: Callable[[Connection], None], tmp_path: Path
) -> None:
    try:
        with analytical(spill=tmp_path, memory_mb=64) as connection:
            leave(connection)
    except ZeroDivisionError:
        pass
    finally:
        assert not waiting()
        _held.clear()
    assert not [*tmp_path.iterdir()]
    with analytical() as connection:
        assert connection.execute("SELECT count(*) FROM duckdb_databases() WHERE NOT internal").fetchall() == [(2,)]
        assert not connection.list_filesystems()


def test_uses_at_one_time_never_share_an_engine_and_only_a_few_engines_wait() -> None:
    together = threading.Barrier(8)

    def use(number: int) -> list[int]:
        found = []
        for _ in range(5):
            with analytical() as connection:
                connection.execute(f"CREATE TABLE mine AS SELECT {number} AS n")
                together.wait()
                found += [n for (n,) in connection.execute("SELECT n FROM mine").fetchall()]
        return found

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(use, range(8))) == [[number] * 5 for number in range(8)]
    assert 0 < len(waiting()) <= 3


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
def test_an_engine_of_a_thread_that_stands_back_is_not_used_by_one_that_does_not() -> None:
    def behind() -> None:
        stand_back(BEHIND)
        with analytical():
            pass

    with ThreadPoolExecutor(1) as one:
        one.submit(behind).result()
    (far,) = waiting()
    with analytical():
        assert waiting() == [far]
    assert len(waiting()) == 2


def test_no_engine_waits_across_a_fork() -> None:
    with analytical():
        pass
    assert waiting()
    if (child := os.fork()) == 0:
        os._exit(len(waiting()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with analytical() as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_the_rooms_change_no_setting_of_a_whole_engine_that_is_not_set_back() -> None:
    changed = {
        name.lower()
        for path in SOURCE.rglob("*.py")
        for name in re.findall(r"""["';] ?(?:SET|set|PRAGMA) (?:GLOBAL )?(\w+) ?=""", path.read_text())
    }
    assert {"preserve_insertion_order", "timezone"} <= changed
    with analytical() as connection:
        asked = connection.execute("SELECT lower(name) FROM duckdb_settings() WHERE scope = 'GLOBAL'")
        wide = {name for (name,) in asked.fetchall()}
    set_back = {"preserve_insertion_order", "temp_directory", "memory_limit", "enable_external_file_cache"}
    of_a_session = {"timezone", "enable_progress_bar"}
    assert not changed & wide - set_back - of_a_session
