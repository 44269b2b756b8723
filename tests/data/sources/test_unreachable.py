"""What may pass by itself is told apart from what will not, so that only that is tried again."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pysqlite3
import pytest
import sqlalchemy as sa

from pilotage.data import flow, sources
from pilotage.data.flow.retrying import Patience
from pilotage.data.sources import answering
from pilotage.data.sources.asked import Asked
from pilotage.platform.errors import SourceUnavailable, SourceUnreachable
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Rest, Source
from tests.data.conftest import shop_path
from tests.data.shop import TEXT, shop
from tests.data.sources.asking import asked_for
from tests.data.sources.asking_databases import ask
from tests.data.sources.rest_server import serving

__all__ = ["shop_path"]

REFUSED = {
    "postgresql": "postgresql://reader:hunter2canary@127.0.0.1:1/shop",
    "mysql": "mysql://reader:hunter2canary@127.0.0.1:1/shop",
    "an unknown host": "mysql://reader:hunter2canary@nowhere.invalid/shop",
    "an unknown host of postgresql": "postgresql://reader:hunter2canary@nowhere.invalid/shop",
}


def raised(asked: Asked) -> SourceUnavailable:
    with pytest.raises(SourceUnavailable) as caught:
        list(sources.read(asked, sources.introspect(asked), sources.Span()))
    assert "Source orders" in caught.value.message
    assert "hunter2canary" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("kind", REFUSED)
def test_a_server_that_refuses_or_is_not_there_may_come_back(kind: str) -> None:
    failure = raised(ask(REFUSED[kind], "orders"))
    assert isinstance(failure, SourceUnreachable)
    assert "data@example.com" in failure.repair


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_sync_tries_such_a_server_three_times(
    work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    waits: list[float] = []
    monkeypatch.setenv("AWAY", REFUSED[kind])
    text = TEXT.replace("  visits:\n    database: env:SHOP", "  visits:\n    database: env:AWAY", 1)
    with pytest.raises(SourceUnreachable, match="visits"):
        flow.sync(work, shop(text), Patience(sleep=waits.append, spread=lambda: 0.5))
    assert waits == [1.5, 5.25]


def test_a_wrong_password_will_not_pass(postgresql_server: sa.URL, mariadb_server: int) -> None:
    local = f"mysql://root:hunter2canary@127.0.0.1:{mariadb_server}/x"
    wrong = "reader_that_is_not:hunter2canary"
    server = postgresql_server
    away = f"postgresql://{wrong}@{server.host}:{server.port}/postgres"
    for address in (local, away):
        assert not isinstance(raised(ask(address, "orders")), SourceUnreachable)


def test_a_missing_table_file_or_right_will_not_pass(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    pysqlite3.connect(str(path)).execute("CREATE TABLE orders (id TEXT)")
    none = f"sqlite:///{tmp_path / 'none.db'}"
    for asked in (ask(f"sqlite:///{path}", "ordres"), ask(none, "orders"), asked_for(tmp_path / "*.csv")):
        assert not isinstance(raised(asked), SourceUnreachable)


def test_a_statement_that_took_too_long_may_be_quicker_when_the_server_is_less_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shop.db"
    monkeypatch.setattr("pilotage.data.sources.databases.sqlite_session.seconds", lambda duration: 0.05)
    with pysqlite3.connect(str(path)) as connection:
        count = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000000)"
        connection.execute(f"CREATE VIEW slow AS {count} SELECT count(*) AS id FROM n")
    failure = raised(ask(f"sqlite:///{path}", "slow"))
    assert isinstance(failure, SourceUnreachable)
    assert "`timeout`" in failure.repair


def test_a_database_that_somebody_keeps_locked_may_be_free_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilotage.data.sources.databases.connecting.CONNECT_SECONDS", 0.05)
    path = tmp_path / "shop.db"
    writer = pysqlite3.connect(str(path), isolation_level=None)
    writer.execute("CREATE TABLE orders (id TEXT)")
    writer.execute("BEGIN EXCLUSIVE")
    assert isinstance(raised(ask(f"sqlite:///{path}", "orders")), SourceUnreachable)
    writer.close()


@pytest.mark.parametrize("place", [{"files": "s3://shop/a.csv"}, {"delta": "s3://shop/table"}])
def test_an_object_storage_that_is_down_may_come_back(place: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"KEY_ID": "x", "SECRET": "hunter2canary"}.items():
        monkeypatch.setenv(f"AWS_{'ACCESS_KEY_ID' if name == 'KEY_ID' else 'SECRET_ACCESS_KEY'}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("pilotage.data.sources.delta._options", quick_options)
    asked = Asked("orders", Source(key=["id"], static=True, **place), "data@example.com")  # type: ignore[arg-type]
    assert isinstance(raised(asked), SourceUnreachable)


def quick_options() -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ALLOW_HTTP": "true", "max_retries": "0"}


def test_a_rest_server_that_fails_is_waited_for_once_and_then_only_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    now = [0.0]

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(answering.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(answering, "pause", pause)
    with serving(lambda asking: asking.answer({}, 503)) as (url, _):
        source = Source(key=["id"], static=True, rest=Rest(url=f"{url}/rows", paging="none"), timeout="1 minute")
        asked = Asked("orders", source, "data@example.com")
        assert isinstance(raised(asked), SourceUnreachable)
        assert pauses == [1, 2, 4, 8, 16]
        assert isinstance(raised(asked), SourceUnreachable)
        assert pauses == [1, 2, 4, 8, 16]
    with serving(lambda asking: asking.answer({}, 403)) as (url, _):
        source = Source(key=["id"], static=True, rest=Rest(url=f"{url}/rows", paging="none"))
        assert not isinstance(raised(Asked("orders", source, "data@example.com")), SourceUnreachable)


def test_files_that_take_too_long_are_stopped_while_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilotage.data.sources.time_limit.allowed", lambda duration: 0.05)
    path = tmp_path / "large.csv"
    path.write_text("id,a,b\n" + "".join(f"{n},{n * 7},text {n}\n" for n in range(400_000)))
    failure = raised(asked_for(path, timeout="1 minute"))
    assert isinstance(failure, SourceUnreachable)
    assert "timeout of 1 minute" in failure.message
    assert "`timeout`" in failure.repair


def test_a_storage_that_gives_its_files_slowly_is_stopped_and_leaves_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    monkeypatch.setattr("pilotage.data.sources.time_limit.allowed", lambda duration: 0.05)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    storage = fsspec.filesystem("memory")
    storage.pipe({f"/slow/{n}.csv": b"id\n1\n" for n in range(200)})
    real, given = MemoryFileSystem.cat_file, []

    def get_file(self: MemoryFileSystem, source: str, target: str, callback: object = None, **_: object) -> None:
        import threading

        threading.Event().wait(0.01)
        given.append(source)
        Path(target).write_bytes(real(self, source))

    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)
    assert "timeout of" in raised(asked_for("memory://slow/*.csv")).message
    assert len(given) < 100
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_read_to_its_end_where_the_time_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text("id\n1\n")
    asked = asked_for(path, timeout="1 minute")
    assert sum(batch.num_rows for batch in sources.read(asked, sources.introspect(asked), sources.Span())) == 1
