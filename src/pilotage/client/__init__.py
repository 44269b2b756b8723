"""Asks the service from an app, and the app's own rule where the service is gone. Needs httpx and msgspec only."""

from pilotage.client.asynchronous import AsyncClient
from pilotage.client.errors import (
    ClientError,
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Problem,
    Refused,
    ServiceGone,
    TooLarge,
)
from pilotage.client.records import (
    BatchRow,
    CardToken,
    Decision,
    Fallback,
    Feedback,
    FellBack,
    Gone,
    LocalAnswer,
    OutcomeRow,
)
from pilotage.client.resilience import Resilience
from pilotage.client.signing import sign_card_token
from pilotage.client.sync import Client

__all__ = [
    "AsyncClient",
    "BatchRow",
    "CardToken",
    "Client",
    "ClientError",
    "Conflict",
    "Decision",
    "Fallback",
    "Feedback",
    "FellBack",
    "Gone",
    "InvalidRequest",
    "LocalAnswer",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "OutcomeRow",
    "Problem",
    "Refused",
    "Resilience",
    "ServiceGone",
    "TooLarge",
    "sign_card_token",
]
