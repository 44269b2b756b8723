"""What every test may ask for."""

from __future__ import annotations

import functools
import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from httpx._transports import default as transports

from pilotage.govern.flow import passwords
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from tests.postgres import Cluster, FreshDatabases, NoPostgres, scratch_cluster, stoppable_cluster

pytest_plugins = ("tests.queries",)
SQLITE, POSTGRESQL = "sqlite", "postgresql"
ONLY_STORE = os.environ.get("TEST_STORE", "")
"""Where it is set, all tests that ask for an installation run, each with this control database, and no others do."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test or module that is marked ``both_stores`` runs on each; others on SQLite."""
    marker = metafunc.definition.get_closest_marker
    is_marked = marker("both_stores") is not None and marker("only_sqlite") is None
    if is_marked and not ONLY_STORE and "store" in metafunc.fixturenames:
        on_postgresql = pytest.param(POSTGRESQL, marks=pytest.mark.postgres)
        metafunc.parametrize("store", [SQLITE, on_postgresql], indirect=True)


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector need not walk through it again and again between tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def pytest_unconfigure() -> None:
    gc.unfreeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if ONLY_STORE:
        left_out = [each for each in items if not _asks_for(each, ONLY_STORE)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [each for each in items if _asks_for(each, ONLY_STORE)]


def _asks_for(item: pytest.Item, store: str) -> bool:
    asks = "store" in getattr(item, "fixturenames", ())
    return asks and (store == SQLITE or item.get_closest_marker("only_sqlite") is None)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Nobody who logs in for a test waits for a hash that is slow on purpose; ``test_passwords.py`` asks for it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session", autouse=True)
def trusted_once() -> Iterator[None]:
    """The certificates that clients trust are read once: for each client it takes longer than most questions do."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transports, "create_ssl_context", functools.cache(httpx.create_ssl_context))
        yield


@pytest.fixture
def clock() -> FixedClock:
    """Stands still in the evening of 5 December 2013, UTC."""
    return FixedClock(datetime(2013, 12, 5, 20, tzinfo=UTC))


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The control database of an installation that nothing was done in yet: made once, to be copied."""
    home = tmp_path_factory.mktemp("fresh")
    open_workspace(Settings(home=home)).close()
    return home / "pilotage.db"


@pytest.fixture(scope="session")
def fresh_databases() -> Iterator[FreshDatabases]:
    """The same in PostgreSQL: one cluster for all tests of a process, a database of its own for each."""
    with ExitStack() as stack:
        try:
            made = FreshDatabases(stack.enter_context(scratch_cluster()))
        except NoPostgres as reason:
            pytest.skip(str(reason))
        stack.callback(made.close)
        yield made


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """The kind of control database that this test has."""
    return str(getattr(request, "param", ONLY_STORE or SQLITE))


@pytest.fixture
def database_url(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """What ``Settings.database_url`` is to be for a fresh installation in ``tmp_path / "home"``.

    Commands that a test runs in this process find the database in the environment.
    """
    (tmp_path / "home").mkdir()
    if store == SQLITE:
        shutil.copy(request.getfixturevalue("fresh_database"), tmp_path / "home")
        yield ""
        return
    databases: FreshDatabases = request.getfixturevalue("fresh_databases")
    with databases.one() as url:
        monkeypatch.setenv("PILOTAGE_DATABASE_URL", url)
        yield url


@pytest.fixture
def work(tmp_path: Path, clock: FixedClock, database_url: str) -> Iterator[Workspace]:
    """A fresh installation in a directory of its own."""
    workspace = open_workspace(Settings(home=tmp_path / "home", database_url=database_url), clock)
    yield workspace
    workspace.close()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster of one's own that may be stopped and started."""
    try:
        with stoppable_cluster() as started:
            yield started
    except NoPostgres as reason:
        pytest.skip(str(reason))
