"""Of the flights of January 2013, all rows that went in came out or were left out: counted in the office's database."""

from __future__ import annotations

import os
import sqlite3
from datetime import timedelta

from pilotage.data import flow
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition
from tests.audit.conftest import late_arrival, office

__all__ = ["late_arrival", "office"]

COUNTED = """
SELECT count(*), count(*) FILTER (WHERE published_at <= datetime(scheduled_departure, '-60 minutes')),
       count(*) FILTER (WHERE published_at <= datetime(scheduled_departure, '-60 minutes')
                              AND datetime(scheduled_departure, '-60 minutes') <= datetime(?)),
       count(DISTINCT flight_id)
FROM flights
"""


def test_rows_in_are_rows_out_and_exclusions_on_real_flights(office: Workspace, late_arrival: Definition) -> None:
    built = flow.build(office, late_arrival)
    mature = f"{built.known_to - timedelta(days=2):%Y-%m-%d %H:%M:%S}"
    with sqlite3.connect(os.environ["DISPATCH_DATABASE"].removeprefix("sqlite:///")) as connection:
        rows, known, decisions, flights = connection.execute(COUNTED, (mature,)).fetchone()
    assert rows == flights > 26_000, "the office writes each flight once"
    assert built.rows_in == rows == built.rows + sum(built.excluded.values())
    assert (built.excluded["known_later"], built.excluded["immature"]) == (rows - known, known - decisions)
    assert built.rows == decisions == flow.training_rows(office, built).num_rows
    assert built.excluded["immature"] > 1_000
    assert flow.prove(office, late_arrival, built).same
