"""Servers that all tests of databases share; each test file makes its own databases and users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.mariadb import NoMariaDB, scratch_mariadb
from tests.postgres import NoPostgres, scratch_cluster


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[sa.URL]:
    """The address of the superuser of a PostgreSQL cluster."""
    try:
        with scratch_cluster() as address:
            yield sa.make_url(address)
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[int]:
    """The port of a MariaDB server."""
    try:
        with scratch_mariadb() as port:
            yield port
    except NoMariaDB as reason:
        pytest.skip(str(reason))
