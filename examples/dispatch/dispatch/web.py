"""The web application: its routes and what surrounds them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .control import advance_clock, health
from .guard import OwnOrigin, SafeHeaders
from .late_arrivals import card_token
from .office import Office
from .pages import not_found, prepare_rebooking, show_board, show_flight
from .ticker import Ticker

STATIC = Path(__file__).parent / "static"


def create_application(office: Office, ticker: Ticker | None = None) -> Starlette:
    """The application of one office; a ticker, if given, runs for as long as the application does."""

    @asynccontextmanager
    async def lifespan(_application: Starlette) -> AsyncIterator[None]:
        if ticker is not None:
            ticker.start()
        yield
        if ticker is not None:
            await run_sync(ticker.stop)
        office.engine.dispose()

    application = Starlette(
        routes=[
            Route("/", show_board, name="board"),
            Route("/flights/{flight_id}", show_flight, name="flight"),
            Route("/flights/{flight_id}/rebookings", prepare_rebooking, methods=["POST"], name="rebookings"),
            Route("/flights/{flight_id}/card-token", card_token, name="card_token"),
            Route("/clock/advance", advance_clock, methods=["POST"]),
            Route("/healthz", health),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(SafeHeaders), Middleware(OwnOrigin)],
        exception_handlers={404: not_found},
        lifespan=lifespan,
    )
    application.state.office = office
    return application
