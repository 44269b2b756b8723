"""The keys of one use case, on its page for developers: who answers for it sees them and disables them there."""

from __future__ import annotations

from typing import Any

from litestar import Request, post
from litestar.response import Redirect

from pilotage.decisions import store as ledger
from pilotage.govern import flow as governing
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import EVERY_USE_CASE, Permission
from pilotage.platform.workspace import Workspace

QUESTIONS = 1_000
"""The newest ones, of which is told when each key asked last."""


@post("/use-cases/{use_case:str}/keys/{key_id:str}/disable", guards=[needs(Permission.RELEASE)], sync_to_thread=True)
def disable_key(use_case: str, key_id: str, request: Request[Any, Any, Any], work: Workspace) -> Redirect:
    """A key of this use case alone opens nothing any more."""
    governing.disable_key_of(work, principal_of(request), key_id, use_case)
    return Redirect(f"/use-cases/{use_case}/integrate#keys", status_code=303)


def keys_shown(work: Workspace, use_case: str) -> dict[str, Any]:
    """The keys that open something of a use case, what they may, and when they asked last."""
    with work.database.reading() as connection:
        asked = ledger.asked_lately(connection, use_case, QUESTIONS)
    here = (use_case, EVERY_USE_CASE)
    return {
        "questions": QUESTIONS,
        "keys": [
            {
                "key": key,
                "roles": sorted({grant.role.value for grant in key.grants if grant.use_case in here}),
                "asked_at": asked.get(key.name),
                "is_only_here": governing.is_only_of(key, use_case),
            }
            for key in governing.keys_of(work, use_case)
        ],
    }
