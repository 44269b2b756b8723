"""The office on PostgreSQL: the same tables as on SQLite."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.postgres import NoPostgres, scratch_cluster

from dispatch.advance import advance
from dispatch.board import read_board
from dispatch.load import load
from dispatch.office import Office, open_office

from .conftest import JANUARY, START, settings_in
from .contents import tables_of, weather_of


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    try:
        with scratch_cluster() as url:
            yield url
    except NoPostgres as reason:
        pytest.skip(str(reason))


def board_of(office: Office) -> tuple[list[str], int, int]:
    with office.engine.connect() as connection:
        board = read_board(connection, START + timedelta(hours=18), "EWR", alerted=True, page=1)
    return [row.flight["flight_id"] for row in board.rows], board.flights, board.to_rebook


def test_the_tables_are_the_same(
    address: str, loaded_home: Path, tmp_path: Path, new_office: Callable[[str], Office]
) -> None:
    home = tmp_path / "postgres"
    shutil.copytree(loaded_home / "world", home / "world")
    settings = replace(settings_in(home), database_url=address)
    load(settings, JANUARY, None, again=False, say=lambda line: None)
    in_postgres, in_sqlite = open_office(settings), new_office("sqlite")
    assert tables_of(in_postgres) == tables_of(in_sqlite)
    for office in (in_postgres, in_sqlite):
        assert advance(office, START + timedelta(hours=18)) == START + timedelta(hours=18)
    assert tables_of(in_postgres) == tables_of(in_sqlite)
    assert weather_of(in_postgres) == weather_of(in_sqlite)
    assert board_of(in_postgres) == board_of(in_sqlite)
    in_postgres.engine.dispose()
