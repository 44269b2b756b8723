"""PostgreSQL sources: any types, read only, within limits."""

from __future__ import annotations

import contextlib
import socket
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from pilotage.data import sources
from pilotage.data.records import Extent, Span
from pilotage.data.sources import databases
from pilotage.data.sources.databases import connecting
from pilotage.data.sources.databases.catalogue import catalogue
from pilotage.platform.errors import SourceUnavailable
from tests.data.sources.asking_databases import ask, extent, failure, read, rows, types

pytestmark = pytest.mark.postgres
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)
PASSWORD = "p@ss:w/rd?#%"

MAKE = """
CREATE ROLE reader LOGIN PASSWORD 'p@ss:w/rd?#%'; CREATE ROLE writer LOGIN; CREATE ROLE painter LOGIN;
CREATE SCHEMA shop; CREATE SCHEMA "odd.one"; CREATE DOMAIN amount AS numeric(10, 2); CREATE DOMAIN fee AS amount;
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text);
CREATE TABLE every (
  a smallint, b bigint, c numeric(10, 2), d numeric(12, 0), e numeric(38, 0), f numeric, g real, h double precision,
  i money, j boolean, k timestamp, l timestamptz, m date, n time, o interval, p json, q jsonb, r uuid, s mood, t int[],
  u bytea, v inet, w pair, x fee, y bit(3), z char(3), aa "char", ab name, ac int4range, ad xml, ae tsvector, af oid);
INSERT INTO every VALUES (
  1, 2, 3.25, 4, 12345678901234567890123, 0.5, 1.5, 2.5, 1234.5, true, '2024-01-01 12:00', '2024-01-01 14:00+02',
  '2024-01-01', '12:00', '1 day', '{"a": 1}', '{"a": 1}', '6f1ed002-ab59-4a2e-8b2c-0000c0ffee00', 'ok', '{1,2}',
  '\\x00ff', '10.0.0.1', '(1,b)', 9.75, '101', 'ab', 'c', 'n', '[1,3)', '<a/>', 'fat cat', 42);
INSERT INTO every DEFAULT VALUES;
CREATE TABLE edges (n int, at timestamptz, on_day date, amount numeric, large numeric(18, 0), share float8);
INSERT INTO edges VALUES (1, 'infinity', '-infinity', 'NaN', 'NaN', 'NaN'),
  (2, '24989-07-09', '0044-03-15 BC', 1, 2, 3);
CREATE TABLE clocks (n int, zoned timestamptz, plain timestamp, day date);
INSERT INTO clocks SELECT n, '2024-01-01 12:00+00'::timestamptz + n * interval '1 hour',
  '2024-01-01 12:00'::timestamp + n * interval '1 hour', '2024-01-01'::date + n FROM generate_series(0, 9) n;
INSERT INTO clocks VALUES (99, NULL, NULL, NULL), (100, 'infinity', 'infinity', 'infinity');
CREATE INDEX on_zoned ON clocks (zoned);
CREATE TABLE many AS SELECT n, n % 7 AS store FROM generate_series(1, 60000) n;
CREATE VIEW fails AS SELECT n, 1 / (n - 50000) AS x FROM many;
CREATE VIEW sleeps AS SELECT n, pg_sleep(0.05)::text AS x FROM many;
CREATE VIEW "wide open" AS SELECT * FROM many;
CREATE TABLE "select" ("x""; DROP TABLE y" int, "a b" int, "naïve 🎈" int, "%s" int);
INSERT INTO "select" VALUES (1, 2, 3, 4);
CREATE TABLE "x""; DROP TABLE y" (a int); INSERT INTO "x""; DROP TABLE y" VALUES (1);
CREATE TABLE "odd.one"."a.b" (a int); INSERT INTO "odd.one"."a.b" VALUES (5);
CREATE TABLE "a.b" (a int); INSERT INTO "a.b" VALUES (6);
CREATE TABLE empty (a int, b text, c timestamp); CREATE TABLE shop.orders (a int); CREATE TABLE secret (a int);
CREATE MATERIALIZED VIEW kept AS SELECT n FROM many WHERE n < 4;
CREATE TABLE parts (n int, at timestamp) PARTITION BY RANGE (n);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10); INSERT INTO parts VALUES (1, '2024-01-01');
GRANT USAGE ON SCHEMA shop, "odd.one" TO reader, writer;
GRANT SELECT ON ALL TABLES IN SCHEMA public, shop, "odd.one" TO reader, writer, painter;
REVOKE ALL ON secret FROM reader; GRANT DELETE ON shop.orders TO writer; GRANT UPDATE (n) ON many TO painter;
"""


@pytest.fixture(scope="module")
def cluster(postgresql_server: sa.URL) -> sa.URL:
    """A cluster with the tables above; its superuser's address."""
    engine = sa.create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection = connection.execution_options(no_parameters=True)
        connection.exec_driver_sql(MAKE)
        columns = ", ".join(f'"column {n}" real' for n in range(1600))
        connection.exec_driver_sql(f"CREATE TABLE wide ({columns}); GRANT SELECT ON wide TO reader")
        connection.exec_driver_sql(f"INSERT INTO wide VALUES ({', '.join(['1.5'] * 1600)})")
        connection.exec_driver_sql(
            "CREATE DATABASE old ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    engine.dispose()
    return postgresql_server


@pytest.fixture(scope="module")
def address(cluster: sa.URL) -> str:
    """The reader's address, as a person writes it."""
    return text_of(cluster, "reader")


@pytest.fixture(params=["by ADBC", "by psycopg"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of streaming."""
    if request.param == "by psycopg":
        monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    return str(request.param)


def text_of(cluster: sa.URL, user: str, scheme: str = "postgresql") -> str:
    return cluster.set(drivername=scheme, username=user, password=PASSWORD).render_as_string(hide_password=False)


def test_every_type_is_read(address: str, either: str) -> None:
    asked = ask(address, "every")
    found = types(asked)
    assert {name: kind for name, kind in found.items() if kind != "VARCHAR"} == {
        "a": "BIGINT", "b": "BIGINT", "c": "DOUBLE", "d": "BIGINT", "f": "DOUBLE", "g": "DOUBLE", "h": "DOUBLE",
        "i": "DOUBLE", "j": "BOOLEAN", "k": "TIMESTAMP", "l": "TIMESTAMP", "m": "TIMESTAMP", "x": "DOUBLE",
        "af": "BIGINT",
    }  # fmt: skip
    first, second = rows(asked)
    assert first == {
        "a": 1, "b": 2, "c": 3.25, "d": 4, "e": "12345678901234567890123", "f": 0.5, "g": 1.5, "h": 2.5, "i": 1234.5,
        "j": True, "k": NAIVE, "l": NAIVE, "m": NAIVE.replace(hour=0), "n": "12:00:00", "o": "1 day", "p": '{"a": 1}',
        "q": '{"a": 1}', "r": "6f1ed002-ab59-4a2e-8b2c-0000c0ffee00", "s": "ok", "t": "{1,2}", "u": "\\x00ff",
        "v": "10.0.0.1/32", "w": "(1,b)", "x": 9.75, "y": "101", "z": "ab", "aa": "c", "ab": "n", "ac": "[1,3)",
        "ad": "<a/>", "ae": "'cat' 'fat'", "af": 42,
    }  # fmt: skip
    assert set(second.values()) == {None}


def test_instants_that_no_calendar_has_are_null_and_no_number_is_text(address: str, either: str) -> None:
    first, second = rows(ask(address, "edges"))
    assert (first["at"], first["on_day"], first["large"]) == (None, None, None)
    assert str(first["amount"]) == str(first["share"]) == "nan"
    assert second == {"n": 2, "at": None, "on_day": None, "amount": 1.0, "large": 2, "share": 3.0}


@pytest.mark.parametrize("clock", ["zoned", "plain", "day"])
def test_a_span_and_its_extent_are_exact(address: str, either: str, clock: str) -> None:
    asked = ask(address, "clocks", known_at=clock)
    step, start = (timedelta(days=1), NOON.replace(hour=0)) if clock == "day" else (timedelta(hours=1), NOON)
    span = Span(start + 2 * step, start + 4 * step)
    assert [row["n"] for row in rows(asked, span)] == [2, 3, 4]
    assert extent(asked, span) == Extent(3, start + 2 * step, start + 4 * step)
    assert [row["n"] for row in rows(asked, Span(None, start))] == [0]
    assert len(rows(asked)) == 12
    assert extent(asked, Span(start, None)) == Extent(10, start, start + 9 * step)


def test_an_index_on_the_clock_can_be_used(address: str) -> None:
    asked = ask(address, "clocks", known_at="zoned")
    with databases.opened(asked, address) as database:
        place = next(place for place in database.places() if place.table == "clocks")
        found = database.judged(place, database.declared(place))
        statement = database.statement(place, found, Span(NOON, NOON), 10)
        database.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = str(database.connection.exec_driver_sql(f"EXPLAIN {statement}").all())
    assert "Index Cond" in plan


def test_the_session_is_read_only_limited_and_sees_one_state(address: str) -> None:
    asked = ask(address, "many", timeout="90 minutes")
    with databases.opened(asked, address) as database:
        settings = [
            database.connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("transaction_read_only", "default_transaction_read_only", "transaction_isolation",
                         "statement_timeout", "TimeZone")
        ]  # fmt: skip
    assert settings == ["on", "on", "repeatable read", "90min", "UTC"]


def test_a_view_that_writes_is_refused_by_the_transaction(cluster: sa.URL, either: str) -> None:
    engine = sa.create_engine(cluster)
    with engine.begin() as connection:
        body = "INSERT INTO many VALUES (0, 0) RETURNING n"
        connection.exec_driver_sql(f"CREATE OR REPLACE FUNCTION sneaky() RETURNS int LANGUAGE sql AS '{body}'")
        connection.exec_driver_sql("CREATE OR REPLACE VIEW sneaks AS SELECT sneaky() AS n")
    engine.dispose()
    said = failure(ask(text_of(cluster, "postgres"), "sneaks", accept_writer=True))
    assert "read-only transaction" in said


@pytest.mark.parametrize(
    ("user", "table", "why"),
    [
        ("postgres", "many", "is a superuser"),
        ("writer", "shop.orders", "may write shop.orders"),
        ("painter", "empty", "may write public.many"),
    ],
)
def test_a_user_that_could_write_is_refused_with_the_lines_that_make_another(
    cluster: sa.URL, user: str, table: str, why: str
) -> None:
    said = failure(ask(text_of(cluster, user), table))
    assert f"user {user} {why}" in said
    schema = table.rpartition(".")[0] or "public"
    assert f'GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO pilotage_reader;' in said
    assert "CREATE ROLE pilotage_reader LOGIN PASSWORD" in said
    assert types(ask(text_of(cluster, user), table, accept_writer=True))


def test_where_no_table_is_named_the_lines_name_every_schema_that_has_tables(cluster: sa.URL) -> None:
    with pytest.raises(SourceUnavailable, match="is a superuser") as raised:
        catalogue(text_of(cluster, "postgres"))
    for schema in ('"public"', '"shop"', '"odd.one"'):
        assert f"GRANT USAGE ON SCHEMA {schema} TO pilotage_reader;" in raised.value.repair
    assert "information_schema" not in raised.value.repair


def test_a_user_that_may_write_elsewhere_reads(cluster: sa.URL) -> None:
    assert types(ask(text_of(cluster, "writer"), "empty"))


def test_a_reader_made_as_the_message_says_can_read(cluster: sa.URL) -> None:
    said = failure(ask(text_of(cluster, "postgres"), "many"))
    lines = said[said.index("CREATE ROLE") : said.index(" Or say")].replace("'…'", f"'{PASSWORD}'")
    engine = sa.create_engine(cluster, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(lines)
    engine.dispose()
    assert extent(ask(text_of(cluster, "pilotage_reader"), "many")) == Extent(60_000, None, None)


def test_a_view_that_fails_half_way_gives_a_failure(address: str, either: str) -> None:
    assert "division by zero" in failure(ask(address, "fails"))


def test_a_query_that_takes_too_long_is_stopped(address: str, either: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilotage.data.sources.databases.postgresql_session.seconds", lambda duration: "0.2")
    said = failure(ask(address, "sleeps"))
    assert "statement timeout" in said
    assert "`timeout`" in said


def test_more_rows_than_allowed_give_a_failure(address: str, either: str) -> None:
    assert "more than 59,999 rows" in failure(ask(address, "many", rows_max=59_999))
    assert len(rows(ask(address, "many", rows_max=60_000))) == 60_000


def test_batches_are_bounded_and_of_one_schema(address: str, either: str) -> None:
    asked = ask(address, "many")
    columns = sources.introspect(asked)
    sizes, schemas = [], set()
    for batch in sources.read(asked, columns, Span()):
        sizes.append(batch.nbytes)
        schemas.add(str(batch.schema.remove_metadata()))
    assert len(schemas) == 1
    assert max(sizes) < 32_000_000


def test_odd_names_are_read(address: str, either: str) -> None:
    assert rows(ask(address, "select")) == [{'x"; DROP TABLE y': 1, "a b": 2, "naïve 🎈": 3, "%s": 4}]
    assert rows(ask(address, '"x""; DROP TABLE y"')) == rows(ask(address, 'x"; DROP TABLE y')) == [{"a": 1}]
    assert rows(ask(address, '"odd.one"."a.b"')) == [{"a": 5}]
    assert rows(ask(address, '"a.b"')) == rows(ask(address, "a.b")) == [{"a": 6}]
    assert len(rows(ask(address, "wide open"), names=["n"])) == 60_000


def test_wide_empty_partitioned_and_materialized_tables_are_read(address: str, either: str) -> None:
    assert len(types(ask(address, "wide"))) == 1600
    assert rows(ask(address, "wide"), names=["column 1599"]) == [{"column 1599": 1.5}]
    table = read(ask(address, "wide"))
    assert table is not None and table.num_columns == 1600
    assert types(ask(address, "empty")) == {"a": "BIGINT", "b": "VARCHAR", "c": "TIMESTAMP"}
    assert rows(ask(address, "empty")) == []
    assert extent(ask(address, "empty", known_at="c"), Span(NOON, NOON)) == Extent(0, None, None)
    assert [row["n"] for row in rows(ask(address, "kept"))] == [1, 2, 3]
    assert rows(ask(address, "parts")) == [{"n": 1, "at": NAIVE.replace(hour=0)}]


def test_a_table_the_user_may_not_read_says_what_to_grant(address: str) -> None:
    said = failure(ask(address, "secret"))
    assert "permission denied for table secret" in said
    assert "GRANT SELECT" in said


def test_a_missing_table_is_named_with_the_nearest_also_in_other_schemas(address: str) -> None:
    with pytest.raises(sources.NoSuchTable, match=r"Did you mean shop\.orders"):
        types(ask(address, "shop.order"))
    with pytest.raises(sources.NoSuchTable, match=r"\"x\"\"; DROP TABLE y\""):
        types(ask(address, 'x"; DROP TABLE z'))


def test_a_wrong_password_is_said_without_repeating_it(cluster: sa.URL, address: str) -> None:
    engine = sa.create_engine(cluster)
    with engine.begin() as connection:
        hba = connection.exec_driver_sql("SHOW hba_file").scalar_one()
        with open(hba) as file:  # noqa: PTH123 (the server's own path)
            before = file.read()
        with open(hba, "w") as file:  # noqa: PTH123
            file.write("host all reader 127.0.0.1/32 scram-sha-256\n" + before)
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    engine.dispose()
    assert len(rows(ask(address, "kept"))) == 3  # with the right one, percent-encoded
    said = failure(ask(address.replace("p%40ss", "hunter2canary%40"), "many"))
    assert "password authentication failed" in said
    assert "percent-encoded" in said
    assert "hunter2canary" not in said


def test_an_unknown_host_is_named() -> None:
    said = failure(ask("postgresql://reader:hunter2canary@no-such-host.invalid/shop", "many"))
    assert "no-such-host.invalid" in said
    assert "hunter2canary" not in said


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_addresses_of_several_spellings_are_read(cluster: sa.URL, scheme: str) -> None:
    assert len(rows(ask(text_of(cluster, "reader", scheme), "kept"))) == 3


def test_a_server_that_accepts_and_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 2)  # libpq's least
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        said = failure(ask(f"postgresql://reader:x@127.0.0.1:{silent.getsockname()[1]}/shop", "many"))
    assert "timeout expired" in said


def test_a_pooler_that_refuses_options_is_read_with_the_same_limits(
    cluster: sa.URL, monkeypatch: pytest.MonkeyPatch, either: str
) -> None:
    real = sa.create_engine

    def refusing(*given: object, **named: object) -> sa.Engine:
        if "options" in named.get("connect_args", {}):  # type: ignore[operator]
            raise sa.exc.OperationalError("", {}, Exception("FATAL: unsupported startup parameter: options"))
        return real(*given, **named)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr("pilotage.data.sources.databases.postgresql_session.sa.create_engine", refusing)
    asked = ask(text_of(cluster, "reader"), "kept")
    with databases.opened(asked, asked.source.database) as database:
        assert database.connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on"
        assert database.connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "10min"
    assert len(rows(asked)) == 3


def test_a_database_of_another_encoding_gives_utf_8(cluster: sa.URL, either: str) -> None:
    engine = sa.create_engine(cluster.set(database="old"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS towns AS SELECT 'Zürich'::text AS name")
        connection.exec_driver_sql("GRANT SELECT ON towns TO reader")
    engine.dispose()
    assert rows(ask(text_of(cluster.set(database="old"), "reader"), "towns"))[0] == {"name": "Zürich"}


def test_whole_numbers_too_large_for_a_number_are_text(address: str) -> None:
    (row,) = [row for row in rows(ask(address, "every")) if row["a"]]
    assert Decimal(row["e"]) == Decimal("12345678901234567890123")
