"""Replicas that start at the same moment on a database in which nothing was done yet."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa

from pilotage.govern import flow as governing
from pilotage.platform.schema import HEAD
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from tests.postgres import NoPostgres, scratch_cluster

REPLICAS = 4


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield ""
        return
    try:
        with scratch_cluster() as url:
            yield url
    except NoPostgres as reason:
        pytest.skip(str(reason))


def test_one_makes_the_schema_and_the_first_log_in_and_all_of_them_start(database_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", database_url=database_url)
    together = Barrier(REPLICAS)

    def start(_: int) -> bool:
        together.wait()
        work = open_workspace(settings)
        together.wait()
        first = governing.first_start(work)
        work.close()
        return first is not None

    with ThreadPoolExecutor(REPLICAS) as replicas:
        assert sorted(replicas.map(start, range(REPLICAS))) == [False] * (REPLICAS - 1) + [True]
    work = open_workspace(settings)
    with work.database.reading() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]
    work.close()
