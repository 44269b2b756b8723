"""HTTP of review: the card in somebody's app, its tokens, and feedback from the app itself."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post, route
from litestar.exceptions import HTTPException
from msgspec import Meta, Struct

from pilotage.decisions import flow as deciding
from pilotage.govern import flow as governing
from pilotage.govern.guards import needs, principal_of, public
from pilotage.govern.records import CardToken, Permission
from pilotage.govern.rules.permissions import allowed
from pilotage.platform.errors import NotAuthenticated, NotFound, PilotageError
from pilotage.platform.instants import iso
from pilotage.platform.workspace import Workspace
from pilotage.review import cross_origin, flow
from pilotage.review.records import Card, Feedback
from pilotage.review.rules.feedback import ACTIONS
from pilotage.review.rules.words import language_of

Name = Annotated[str, Meta(min_length=1, max_length=200)]
_CARD: dict[str, Any] = {
    "guards": [public("the card's own token is checked: one use case, one entity, one origin")],
    "exception_handlers": {PilotageError: cross_origin.refuse, HTTPException: cross_origin.refuse_form},
}


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
    """What a person said: shown, useful, wrong, override or escalate; the last two with a reason."""

    kind: str
    reason: str = ""


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
def card_feedback(request: Request[Any, Any, Any], data: FeedbackRequest, work: Workspace) -> Response[Feedback]:
    """What a person did on the card."""
    given = flow.card_feedback(work, _token(request, work), data.kind, data.reason, work.clock.now())
    return Response(given, status_code=201, headers=cross_origin.headers(request))


@route(["/v1/card", "/v1/card/feedback"], http_method="OPTIONS", sync_to_thread=False, **_CARD)
def card_preflight(request: Request[Any, Any, Any]) -> Response[None]:
    """A browser's question before it sends a card's request."""
    return cross_origin.preflight(request)


@post("/v1/decisions/{decision_id:str}/feedback", guards=[needs(Permission.FEEDBACK)], sync_to_thread=True)
def app_feedback(
    decision_id: str, data: AppFeedbackRequest, request: Request[Any, Any, Any], work: Workspace
) -> Feedback:
    """What a person said in an app that shows the answer in its own way."""
    decision = deciding.find(work, decision_id)
    caller = principal_of(request)
    if not allowed(caller, Permission.FEEDBACK, decision.use_case):
        raise NotFound(f"There is no decision {decision_id}.", "Use the id that came with the answer.")
    return flow.app_feedback(work, decision, data.kind, data.reason, data.person, caller)


def _token(request: Request[Any, Any, Any], work: Workspace) -> CardToken:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("The card sent no token.", "Set card.token, or the attribute token-url.")
    return governing.read_card_token(work, token.strip(), cross_origin.origin_of(request, work))


# The preflight comes first: for a path that has no OPTIONS yet, Litestar would add a handler of its own.
ROUTES = [mint_card_token, card_preflight, card, card_feedback, app_feedback]
