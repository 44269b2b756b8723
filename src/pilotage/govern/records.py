"""The nouns of governing: principals, roles, permissions, audit-log entries."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

EVERY_USE_CASE = "*"
SUBJECT_LETTERS_MAX = 255
"""Of a subject of an OpenID provider (OpenID Connect Core 1.0, section 2: ``sub``)."""

Purpose = Literal["training", "inference", "logging", "debugging"]
"""What a column may be used for."""
Sensitivity = Literal["public", "internal", "confidential", "personal", "special"]
"""How much harm a column's values can do: *special* are the categories of GDPR, article 9."""
Mask = Literal["none", "partial", "pseudonym", "hide"]
"""How a value is shown to those who may not see it: as it is, its ends, a keyed pseudonym, not at all."""
Wait = Literal["", "code", "enrolment"]
"""What a session waits for before it opens anything."""


class Permission(enum.StrEnum):
    """What can be allowed. Every route and command names one."""

    READ = "read"  # see a use case: audit, comparison, operate page, versions
    DECIDE = "decide"  # ask for decisions and read those one asked for
    EMBED = "embed"  # mint card tokens for one entity
    FEEDBACK = "feedback"  # say useful, wrong, override, escalate, accept
    REVIEW = "review"  # work on the review queue
    BUILD = "build"  # sync sources, build training sets, train, compare
    RELEASE = "release"  # release a version, change the stage
    SWITCH = "switch"  # disable and enable
    GOVERN = "govern"  # people, roles, keys
    AUDIT = "audit"  # read and verify the audit log


class Role(enum.StrEnum):
    """A named set of permissions; granted for one use case or for all (``*``)."""

    VIEWER = "viewer"
    APP = "app"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    BUILDER = "builder"
    OWNER = "owner"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Grant(Struct, frozen=True):
    """A role for a use case, or for every use case."""

    role: Role
    use_case: str = EVERY_USE_CASE


class Principal(Struct, frozen=True):
    """Somebody or something that acts: a person, an app's key, a card in a browser, the system itself.

    ``requests_per_minute``: how often a key may ask; 0 is as often as the installation's usual key.
    """

    id: str
    name: str
    kind: Literal["person", "key", "card", "system"]
    grants: tuple[Grant, ...] = ()
    requests_per_minute: int = 0


SYSTEM = Principal(id="system", name="Pilotage", kind="system", grants=(Grant(Role.ADMIN),))
"""Acts on schedules and from the command line of the host, where the operating system decides who may."""


class CardToken(Struct, frozen=True):
    """What a card in somebody's browser may do: one use case, one entity, one origin, a few minutes."""

    use_case: str
    entity: str
    decision: str
    origin: str
    person: str
    actions: tuple[str, ...]
    expires_at: datetime


class AuditEntry(Struct, frozen=True):
    """One deed: who did what to what, when, with which particulars."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class Verification(Struct, frozen=True):
    """What verifying the audit log found. ``valid`` is false when any entry or checkpoint does not fit."""

    valid: bool
    entries: int
    checkpoints: int
    root: str
    message: str


class Checkpoint(Struct, frozen=True):
    """The root of the audit log's tree at a size, signed. ``range`` is what later roots are computed from."""

    size: int
    root: bytes
    signature: str
    made_at: datetime
    range: tuple[bytes, ...] = ()


class Person(Struct, frozen=True):
    """Somebody who may log in."""

    id: str
    name: str
    made_at: datetime
    disabled_at: datetime | None
    grants: tuple[Grant, ...] = ()


class Session(Struct, frozen=True):
    """Somebody logged in, somewhere. ``agent`` is what their browser calls itself; ``here`` is the one that asks.

    ``waits_for`` is what is still wanted before it opens anything: nothing, a code, or that a second factor is set up.
    """

    id: str
    person: str
    agent: str
    made_at: datetime
    expires_at: datetime
    waits_for: Wait = ""
    here: bool = False


class SecondFactor(Struct, frozen=True):
    """A person's time-based code (RFC 6238): ``sealed`` is its secret, encrypted; ``last_step`` the last one used."""

    person: str
    sealed: bytes
    confirmed_at: datetime | None
    last_step: int


class Key(Struct, frozen=True):
    """An app's key, without the key: its first letters are all that is kept in clear."""

    id: str
    name: str
    prefix: str
    made_at: datetime
    made_by: str
    disabled_at: datetime | None
    grants: tuple[Grant, ...] = ()
    requests_per_minute: int = 0
