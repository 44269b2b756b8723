"""Everything that one person is recorded as: opinions and escalations keep names, as apps and accounts give them."""

from __future__ import annotations

import sqlalchemy as sa

from pilotage.govern import flow as governing
from pilotage.govern.records import Principal
from pilotage.review.rules import cases as rules


def names_of(connection: sa.Connection, person: Principal) -> rules.Names:
    """A person's account and name, and those of the accounts that were shut out in place of theirs.

    An account is never called otherwise nor removed, and no two are called alike: its name is who it is. Only an admin
    makes two accounts one person (``person link --in-place-of``), which the audit log says.
    """
    links = governing.deeds(connection, ("link-person",))
    known = [person.name]
    for link in reversed(links):
        before = str(link.detail.get("in_place_of", ""))
        if before and link.subject in known:
            known.append(before)
    return rules.names_like(person.id, *known)
