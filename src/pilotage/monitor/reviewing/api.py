"""HTTP of review quality, for a team that builds its own queue: the figures of one person, and of all for who leads."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get
from litestar.params import Parameter
from msgspec import Struct

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.govern.rules.permissions import allowed
from pilotage.monitor.reviewing import flow
from pilotage.monitor.reviewing.records import Difference, Quality, Rate
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining


class GivenReason(Struct, frozen=True):
    """Why a model's answer was changed, and how often."""

    reason: str
    count: int


class Figures(Struct, frozen=True, kw_only=True):
    """How well cases were judged in the last 90 days, by so many ``people``.

    ``alpha`` is Krippendorff's, null where it is undefined; ``seconds`` the middle time of a case; ``changed`` the
    verdicts against the answer given; ``bias`` how much more often people who saw the model's answer agree with it than
    people who did not, as ``seen`` and ``blind`` say; ``missed`` known cases that were judged wrong.
    """

    opinions: int
    people: int
    alpha: float | None
    judged_twice: int
    seconds: float | None
    changed: Rate
    reasons: list[GivenReason]
    seen: Rate
    blind: Rate
    bias: Difference | None
    missed: Rate


class ReviewQuality(Struct, frozen=True):
    """One's own figures; ``together`` those of all, for who answers for the use case, null for others and where so few
    people judged that it would tell of each.
    """

    mine: Figures
    together: Figures | None


@get("/v1/use-cases/{use_case:str}/review-quality", guards=[needs(Permission.REVIEW)], sync_to_thread=True)
def review_quality(
    use_case: str,
    request: Request[Any, Any, Any],
    work: Workspace,
    person: Annotated[str, Parameter(max_length=200)] = "",
) -> ReviewQuality:
    """How well people review: the figures of the person that the app names, and of all together."""
    caller = principal_of(request)
    name = person.strip() if caller.kind == "key" else caller.name
    defining.find(work, use_case)
    leads = allowed(caller, Permission.RELEASE, use_case)
    together = flow.quality(work, use_case) if leads else None
    hidden = together is None or flow.is_too_few(together, name)
    return ReviewQuality(
        _figures(flow.quality(work, use_case, name)), None if together is None or hidden else _figures(together)
    )


def _figures(quality: Quality) -> Figures:
    """Without who judged."""
    return Figures(
        opinions=quality.opinions,
        people=len(quality.people),
        alpha=quality.alpha,
        judged_twice=quality.twice,
        seconds=quality.seconds,
        changed=quality.changed,
        reasons=[GivenReason(reason, count) for reason, count in quality.reasons],
        seen=quality.seen,
        blind=quality.blind,
        bias=quality.bias,
        missed=quality.missed,
    )


ROUTES = [review_quality]
