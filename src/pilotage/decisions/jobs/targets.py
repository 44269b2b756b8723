"""Writing the result of a job into a table that the use case's file declares as a target, and into no other.

``replace`` fills a table beside the target and takes its rows over in one step: readers see the old run or the new one.
``upsert`` adds rows by decision. Either may be repeated after a crash: what is there afterwards is the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from pilotage.decisions.jobs import files
from pilotage.decisions.jobs.records import BatchJob
from pilotage.platform.errors import Conflict, NotFound, SourceUnavailable
from pilotage.platform.settings import from_environment
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition, Target

_ROWS_AT_ONCE = 500
_CONNECT_SECONDS = 5
_WAIT_SECONDS = 60
_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
_LEFT_OUT = ("status", "problem")
_TYPES: dict[str, Any] = {"int64": sa.BigInteger, "bool": sa.Boolean, "double": sa.Double}
_LENGTHS = {"id": 40, "produced_by": 8, "reason": 32, "stage": 16}


def target_of(definition: Definition, name: str) -> Target:
    """The target of this name.

    Raises:
        NotFound: the use case's file declares none.
    """
    targets = definition.use_case.batch.targets
    if name not in targets:
        known = f"Known: {', '.join(targets)}." if targets else "The file declares none under batch.targets."
        raise NotFound(f"{definition.name} has no target {name}.", known)
    return targets[name]


def write(work: Workspace, definition: Definition, job: BatchJob, is_wanted: Callable[[], bool]) -> int:
    """Write the rows that have a decision into the job's target; how many there are.

    ``is_wanted`` is asked before the table is replaced: filling the one beside it may have taken long.

    Raises:
        SourceUnavailable: the database cannot be reached or written, in words without secrets.
        Conflict: the table is a source, or has other columns than a result.
    """
    target = target_of(definition, job.target)
    with _engine(definition, job.target, target) as engine:
        _demand_fitting(engine, target)
        if target.write == "upsert":
            return _fill(engine, _table(target.table), work, job)
        beside = _table(f"{target.table}_{hashlib.sha256(job.id.encode()).hexdigest()[:10]}_new")
        written = _fill(engine, beside, work, job)
        if not is_wanted():
            beside.drop(engine)
            return 0
        _swap(engine, beside.name, target.table)
        return written


def _address(definition: Definition, name: str, target: Target) -> sa.URL:
    given = _url(target.database, f"Target {name}")
    driver = _DRIVERS.get(given.get_backend_name())
    if driver is None:
        raise SourceUnavailable(
            f"Target {name}: {given.get_backend_name()} cannot be written.",
            "Use SQLite, PostgreSQL, MySQL or MariaDB.",
        )
    for source, declared in definition.use_case.sources.items():
        if declared.table.split(".")[-1].strip('"').lower() == target.table.lower():
            read = _url(declared.database, f"Source {source}")
            if (read.host, read.port, read.database) == (given.host, given.port, given.database):
                raise Conflict(f"Target {name} is the source {source}: sources are only read.", "Name another table.")
    return given.set(drivername=driver)


def _url(place: str, what: str) -> sa.URL:
    given = from_environment(place, what)
    try:
        return sa.engine.make_url(given)
    except (sa.exc.ArgumentError, ValueError):  # which quote the address with its password
        raise SourceUnavailable(
            f"{what}: what {place} holds is no address of a database.", "Write it as scheme://user:password@host/name."
        ) from None


@contextmanager
def _engine(definition: Definition, name: str, target: Target) -> Iterator[sa.Engine]:
    """A connection pool of one job's; what drivers say becomes a failure that names no secret."""
    url = _address(definition, name, target)
    options: dict[str, Any] = {"poolclass": sa.pool.NullPool}
    if url.get_backend_name() == "sqlite":
        import pysqlite3

        options |= {"module": pysqlite3, "connect_args": {"timeout": 30}}
    else:
        options["connect_args"] = {"connect_timeout": _CONNECT_SECONDS}
    try:
        engine = sa.create_engine(url, **options, hide_parameters=True)
    except (sa.exc.ArgumentError, ImportError, ValueError) as error:
        raise SourceUnavailable(
            f"Target {name} could not be written: {url.drivername} cannot be used here ({type(error).__name__}).",
            "Install its driver, or correct the address, then resume.",
        ) from None
    try:
        yield engine
    except sa.exc.SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        said = re.sub(re.escape(str(url.password)), "…", said) if url.password else said
        raise SourceUnavailable(
            f"Target {name} could not be written: {said}", "Let this user create and write the table, then resume."
        ) from None
    finally:
        engine.dispose()


def _table(name: str) -> sa.Table:
    """A result as a table, by decision."""
    columns = [
        sa.Column(_named(field.name), _type_of(field), primary_key=field.name == "id", autoincrement=False)
        for field in sorted(files.COLUMNS, key=lambda one: one.name != "id")
        if field.name not in _LEFT_OUT
    ]
    return sa.Table(name, sa.MetaData(), *columns, sa.Column("job", sa.String(40), nullable=False))


def _named(field: str) -> str:
    """``row`` is a word of SQL's own in MySQL and reads badly elsewhere."""
    return {"id": "decision", "row": "row_in_job"}.get(field, field)


def _type_of(field: Any) -> Any:
    if field.name in _LENGTHS:
        return sa.String(_LENGTHS[field.name])
    return _TYPES.get(str(field.type), sa.Text)()


def _demand_fitting(engine: sa.Engine, target: Target) -> None:
    """A table that has other columns than a result is somebody else's, and stays as it is."""
    found = sa.inspect(engine)
    if not found.has_table(target.table):
        if target.table in found.get_view_names():
            raise Conflict(f"{target.table} is a view.", "Name a table, or one that is not there yet.")
        return
    there = {column["name"] for column in found.get_columns(target.table)}
    wanted = {column.name for column in _table(target.table).columns}
    differing = sorted(wanted - there if target.write == "upsert" else wanted ^ there)
    if differing:
        raise Conflict(
            f"The table {target.table} is not one of results: it differs in {', '.join(differing[:3])}.",
            "Name another table; one that is not there is made.",
        )


def _fill(engine: sa.Engine, table: sa.Table, work: Workspace, job: BatchJob) -> int:
    """Add all rows, some at a time, each once by its decision."""
    with engine.begin() as connection:
        table.create(connection, checkfirst=True)
    written = 0
    statement = _upsert(engine, table)
    for part in files.answered(work, job):
        rows = [_row(each, job) for each in part]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            with engine.begin() as connection:
                connection.execute(statement, rows[start : start + _ROWS_AT_ONCE])
        written += len(rows)
    return written


def _row(result: dict[str, Any], job: BatchJob) -> dict[str, Any]:
    return {_named(name): value for name, value in result.items() if name not in _LEFT_OUT} | {"job": job.id}


def _upsert(engine: sa.Engine, table: sa.Table) -> Any:
    changed: Sequence[str] = [column.name for column in table.columns if not column.primary_key]
    if engine.dialect.name == "mysql" or engine.dialect.name == "mariadb":
        from sqlalchemy.dialects.mysql import insert as mysql_insert

        statement = mysql_insert(table)
        return statement.on_duplicate_key_update({name: statement.inserted[name] for name in changed})
    if engine.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        added = postgresql_insert(table)
        return added.on_conflict_do_update(
            index_elements=[table.c.decision], set_={name: added.excluded[name] for name in changed}
        )
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    put = sqlite_insert(table)
    return put.on_conflict_do_update(
        index_elements=[table.c.decision], set_={name: put.excluded[name] for name in changed}
    )


def _swap(engine: sa.Engine, beside: str, name: str) -> None:
    """Put the rows of the filled table in the place of the target's, in one step for readers.

    A target that is there stays the same table: with its grants, its indexes and the views that read it. TRUNCATE would
    be quicker, but readers whose transaction began before would see an empty table.
    """
    with engine.connect() as connection:
        if not sa.inspect(engine).has_table(name):
            quote = engine.dialect.identifier_preparer.quote_identifier
            connection.exec_driver_sql(f"ALTER TABLE {quote(beside)} RENAME TO {quote(name)}")
            connection.commit()
            return
        new, old = _table(beside), _table(name)
        columns = [column.name for column in old.columns]
        with _one_writer(connection, name):
            connection.execute(old.delete())
            connection.execute(old.insert().from_select(columns, sa.select(*(new.c[each] for each in columns))))
            connection.commit()
        new.drop(connection)
        connection.commit()


@contextmanager
def _one_writer(connection: sa.Connection, name: str) -> Iterator[None]:
    """Of two runs that end at once, one replaces the other; readers go on meanwhile."""
    if connection.dialect.name in ("mysql", "mariadb"):
        lock = f"pilotage {hashlib.sha256(name.encode()).hexdigest()[:40]}"
        if connection.execute(sa.select(sa.func.get_lock(lock, _WAIT_SECONDS))).scalar_one() != 1:
            raise SourceUnavailable(f"Another run writes the table {name}, for long.", "Resume when it has ended.")
        yield  # the lock goes with the connection, which is closed after this
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        quote = connection.dialect.identifier_preparer.quote_identifier
        connection.exec_driver_sql(f"LOCK TABLE {quote(name)} IN SHARE ROW EXCLUSIVE MODE")
    yield
