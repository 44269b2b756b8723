"""Every form of every page for every role: what is offered is not refused, and what is not offered is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from litestar.testing import TestClient

from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.flow.sessions import principal_of_session
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from pilotage.web.console import build_console
from tests.every_page import addresses
from tests.living import NAME, release
from tests.web.forms import Form, forms_of

ROLES = (Role.VIEWER, Role.REVIEWER, Role.OPERATOR, Role.OWNER, Role.AUDITOR, Role.ADMIN)
OF_ALL = (Role.AUDITOR, Role.ADMIN)
ONES_OWN = re.compile(r"^/(log-out$|log-in|me/)")


class Visit:
    """Somebody with a role, who looks at every page and sends what it offers."""

    def __init__(self, work: Workspace, client: TestClient, pages: Mapping[str, str], role: Role, name: str) -> None:
        self._client, self._pages = client, pages
        grant = Grant(role, EVERY_USE_CASE if role in OF_ALL else NAME)
        self._session = governing.log_in(work, name, governing.add_person(work, SYSTEM, name, (grant,)))
        itself = principal_of_session(work, self._session)
        assert itself
        self._person = itself.id

    def offered(self) -> dict[tuple[str, str], Form]:
        """Each form that some page shows, by its address and what its button says."""
        found = {}
        self._client.cookies.set(SESSION, self._session)
        for page in self._pages.values():
            answer = self._client.get(page, follow_redirects=False)
            assert answer.status_code < 500, page
            for form in forms_of(answer.text):
                if not self.is_about_self(form):
                    found[form.action, form.fields.get("stage", "")] = form
        return found

    def is_about_self(self, form: Form) -> bool:
        """Whether a form changes what everybody has for themselves, or ends this visit."""
        return bool(ONES_OWN.match(form.action)) or self._person in form.action

    def is_refused(self, form: Form) -> bool:
        """Whether the server says that this is not for them."""
        self._client.cookies.set(SESSION, self._session)
        token = self._client.cookies.get("pilotage_csrf") or ""
        answer = self._client.post(form.action, data={**form.fields, "_csrf_token": token}, follow_redirects=False)
        assert answer.status_code < 500, (form, answer.text)
        assert "/log-in" not in answer.headers.get("location", ""), (self._own.name, form.action)
        return answer.status_code == 403 or "that you may see" in answer.text


def test_each_role_is_offered_what_it_may_do_and_the_server_refuses_the_rest(filled: Workspace) -> None:
    release(filled, defining.find_adopted(filled, NAME), 2)
    console = build_console(filled)
    pages, wrong, seen = addresses(filled, console), list[tuple[str, str, str]](), set[str]()
    with TestClient(console, raise_server_exceptions=False) as client:
        boss = Visit(filled, client, pages, Role.ADMIN, "boss")
        for role in ROLES:
            visit = Visit(filled, client, pages, role, f"a person as {role.value}")
            every, offered = boss.offered(), visit.offered()
            barred = [form for key, form in every.items() if key not in offered and not visit.is_about_self(form)]
            wrong += [(role, "is not refused", form.action) for form in barred if not visit.is_refused(form)]
            refused = [form for form in offered.values() if visit.is_refused(form)]
            wrong += [(role, "is offered", form.action) for form in refused]
            seen |= {form.action for form in offered.values()}
    assert wrong == []
    for needed in ("/stage", "/release", "/roll-back", "/disable", "/acknowledge", "/queue/next", "/people", "/keys"):
        assert [each for each in seen if needed in each], f"nobody was offered {needed}: {sorted(seen)}"
