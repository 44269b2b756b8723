"""Serves the pages until SIGTERM or SIGINT."""

import uvicorn

from .office import Office
from .ticker import Ticker
from .web import create_application

SHUTDOWN_SECONDS = 5


def serve(office: Office, host: str, port: int, speed: float | None) -> None:
    """Blocks until the server is told to stop; the running clock, if any, stops with it."""
    ticker = Ticker(office, speed) if speed else None
    application = create_application(office, ticker)
    uvicorn.run(application, host=host, port=port, log_level="warning", timeout_graceful_shutdown=SHUTDOWN_SECONDS)
