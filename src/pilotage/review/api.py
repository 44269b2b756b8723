"""HTTP of review: the card in somebody's app, its tokens, and feedback from the app itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post, route
from litestar.exceptions import HTTPException
from msgspec import Meta, Struct

from pilotage.decisions import flow as deciding
from pilotage.govern import flow as governing
from pilotage.govern.guards import bearer_of, card_token, needs, principal_of, public
from pilotage.govern.records import CardToken, Permission
from pilotage.govern.rules.permissions import allowed
from pilotage.platform import replies
from pilotage.platform.errors import NotFound, PilotageError
from pilotage.platform.instants import iso
from pilotage.platform.replies import Claim
from pilotage.platform.workspace import Workspace
from pilotage.review import cross_origin, flow
from pilotage.review.records import Card, Feedback, Given
from pilotage.review.rules.feedback import ACTIONS
from pilotage.review.rules.words import language_of

Name = Annotated[str, Meta(min_length=1, max_length=200)]
_READABLE_ELSEWHERE: dict[str, Any] = {
    "exception_handlers": {PilotageError: cross_origin.refuse, HTTPException: cross_origin.refuse_form},
}
_CARD: dict[str, Any] = {"guards": [card_token()], **_READABLE_ELSEWHERE}
_PREFLIGHT: dict[str, Any] = {
    "guards": [public("a browser asks before it sends a card's request, without any token")],
    **_READABLE_ELSEWHERE,
}


_CLAIMED_FOR = timedelta(seconds=15)
_PATHS = ["/v1/card", "/v1/card/feedback", "/v1/card/feedback/undo"]


class CardTokenRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which card an app wants to show, to whom, on which site, with which buttons."""

    entity: Name
    origin: Name
    person: Name
    actions: tuple[str, ...] = ACTIONS


class MintedToken(Struct, frozen=True):
    """A card token and until when it is good. Hand it over by property or by your own URL, never in a link."""

    token: str
    expires_at: str
    decision: str


class FeedbackRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person said: shown, useful, wrong, accept, override or escalate; the last two with a reason.

    ``decision`` is the one that the card showed. Only where the token names one itself may it be left out.
    """

    kind: str
    reason: str = ""
    decision: str = ""


class UndoRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which feedback a person takes back: the identifier that came back when they gave it."""

    feedback: Name


class AppFeedbackRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The same, told by the app, which names the person."""

    kind: str
    person: Name
    reason: str = ""


@post(
    "/v1/use-cases/{use_case:str}/card-tokens",
    guards=[needs(Permission.EMBED)],
    sync_to_thread=True,
)
def mint_card_token(use_case: str, data: CardTokenRequest, work: Workspace) -> MintedToken:
    """A token for one card, good for five minutes."""
    token, card = flow.mint_token(work, use_case, data.entity, data.origin, data.person, data.actions)
    return MintedToken(token, iso(card.expires_at), card.decision)


@get("/v1/card", sync_to_thread=True, **_CARD)
def card(request: Request[Any, Any, Any], work: Workspace) -> Response[Card]:
    """What the card shows now."""
    language = language_of(request.headers.get("accept-language", ""))
    return Response(flow.card(work, _token(request, work), language), headers=cross_origin.headers(request))


@post("/v1/card/feedback", sync_to_thread=True, **_CARD)
def card_feedback(request: Request[Any, Any, Any], data: FeedbackRequest, work: Workspace) -> Response[Given]:
    """What a person did on the card."""
    token = _token(request, work)
    given = flow.card_feedback(work, token, data.decision, data.kind, data.reason, work.clock.now())
    return Response(given, status_code=201, headers=cross_origin.headers(request))


@post("/v1/card/feedback/undo", sync_to_thread=True, **_CARD)
def undo_card_feedback(request: Request[Any, Any, Any], data: UndoRequest, work: Workspace) -> Response[Feedback]:
    """Take back what was done on the card, within the seconds that the file says."""
    given = flow.take_back_on_card(work, _token(request, work), data.feedback)
    return Response(given, status_code=200, headers=cross_origin.headers(request))


@route(_PATHS, http_method="OPTIONS", sync_to_thread=False, **_PREFLIGHT)
def card_preflight(request: Request[Any, Any, Any]) -> Response[None]:
    """A browser's question before it sends a card's request."""
    return cross_origin.preflight(request)


@post("/v1/decisions/{decision_id:str}/feedback", guards=[needs(Permission.FEEDBACK)], sync_to_thread=True)
def app_feedback(
    decision_id: str, data: AppFeedbackRequest, request: Request[Any, Any, Any], work: Workspace
) -> Response[Feedback]:
    """What a person said in an app that shows the answer in its own way; with an Idempotency-Key, once."""
    decision = deciding.find(work, decision_id)
    caller = principal_of(request)
    if not allowed(caller, Permission.FEEDBACK, decision.use_case):
        raise NotFound(f"There is no decision {decision_id}.", "Use the id that came with the answer.")
    told = (data.kind, data.reason, data.person, caller)
    key = replies.key_in(list(request.scope["headers"]))
    if key is None:
        return Response(flow.app_feedback(work, decision, *told), status_code=201)
    fingerprint = replies.fingerprint_of("POST", request.scope["path"], msgspec.json.encode(data))

    def give(claimed: Claim) -> bytes:
        return msgspec.json.encode(flow.app_feedback(work, decision, *told, claimed.id_of("fbk")))

    given, is_known = replies.once(work, caller.id, key, fingerprint, _CLAIMED_FOR, give)
    headers = {"Idempotency-Replayed": "true"} if is_known else {}
    return Response(msgspec.json.decode(given, type=Feedback), status_code=201, headers=headers)


def _token(request: Request[Any, Any, Any], work: Workspace) -> CardToken:
    return governing.read_card_token(work, bearer_of(request), cross_origin.origin_of(request, work))


# The preflight comes first: for a path that has no OPTIONS yet, Litestar would add a handler of its own.
ROUTES = [mint_card_token, card_preflight, card, card_feedback, undo_card_feedback, app_feedback]
