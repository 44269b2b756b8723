"""The running clock: it moves while the application runs and stops with it."""

import time
from dataclasses import replace
from datetime import timedelta

from starlette.testclient import TestClient

from dispatch.clock import require_clock
from dispatch.office import Office
from dispatch.ticker import Ticker
from dispatch.web import create_application

from .conftest import START


def test_the_clock_runs_with_the_application_and_stops_with_it(office: Office) -> None:
    with TestClient(create_application(office, Ticker(replace(office), speed=600))):
        deadline = time.monotonic() + 10
        while require_clock(office.engine).now == START and time.monotonic() < deadline:
            time.sleep(0.05)
    stopped_at = require_clock(office.engine).now
    assert START < stopped_at < START + timedelta(hours=3)
    time.sleep(1.2)
    assert require_clock(office.engine).now == stopped_at
