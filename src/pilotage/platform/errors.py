"""Errors that say what was wanted, what came, and what to do.

Every error a person can meet is a :class:`PilotageError`. Doors translate it once: the CLI into a message and an
exit code, HTTP into problem details (RFC 9457), the console into a page. Anything else is a defect of ours.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One mistake, at one place, with its repair."""

    where: str
    message: str
    repair: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.line}:{self.column} " if self.line else ""
        repair = f" {self.repair}" if self.repair else ""
        return f"{place}{self.where}: {self.message}{repair}"


class PilotageError(Exception):
    """Something went wrong that the caller can understand and repair."""

    code = "error"
    title = "Something went wrong"
    status = 500
    exit_code = 2

    def __init__(self, message: str, repair: str = "", problems: Sequence[Problem] = ()) -> None:
        self.message = message
        self.repair = repair
        self.problems = tuple(problems)
        super().__init__(f"{message} {repair}".strip())


class InvalidFile(PilotageError):
    """A file the user wrote has mistakes; ``problems`` names all of them with line and column."""

    code = "invalid-file"
    title = "The file has mistakes"
    status = 422


class InvalidRequest(PilotageError):
    """A request does not fit its contract; ``problems`` names every field at fault."""

    code = "invalid-request"
    title = "The request does not fit the contract"
    status = 422


class NotFound(PilotageError):
    """What was asked for does not exist, or the caller may not know that it does."""

    code = "not-found"
    title = "Not found"
    status = 404


class NotAuthenticated(PilotageError):
    """Nobody we know: no key, a wrong key, an expired session."""

    code = "not-authenticated"
    title = "Who is asking?"
    status = 401


class NotAllowed(PilotageError):
    """Known, but without the permission that this needs."""

    code = "not-allowed"
    title = "Not allowed"
    status = 403


class Conflict(PilotageError):
    """The thing changed meanwhile, or was already done."""

    code = "conflict"
    title = "Already done or changed meanwhile"
    status = 409


class BadRequest(PilotageError):
    """The request itself is malformed: a header or parameter that cannot be read."""

    code = "bad-request"
    title = "The request cannot be read"
    status = 400


class WrongMethod(PilotageError):
    """The address is right and the method is not; ``allow`` are the methods that it has."""

    code = "method-not-allowed"
    title = "Not with this method"
    status = 405

    def __init__(self, method: str, allow: Sequence[str]) -> None:
        self.allow = tuple(allow)
        super().__init__(f"{method} is not possible here.", f"Use {' or '.join(self.allow)}.")


class WrongMediaType(PilotageError):
    """The body is of a type, or in a content coding, that is not read here."""

    code = "unsupported-media-type"
    title = "The body is of a type that is not read here"
    status = 415


class TooLarge(PilotageError):
    """The input is larger than the limit that the message names."""

    code = "too-large"
    title = "Too large"
    status = 413


class Unavailable(PilotageError):
    """The service cannot take this request now; ``retry_after`` is when to try again, in seconds."""

    code = "unavailable"
    title = "Not now"
    status = 503
    retry_after = 1


class StillCounting(Unavailable):
    """What a page shows is being counted for the first time; the page is there in some seconds."""

    code = "still-counting"
    title = "The figures are being counted"
    retry_after = 3


class DatabaseUnavailable(Unavailable):
    """The control database does not answer. Whoever was to start is to be started again: exit code EX_TEMPFAIL."""

    code = "database-unavailable"
    title = "The control database does not answer"
    exit_code = 75


class TooMany(Unavailable):
    """The caller asked more often than its limit allows."""

    code = "too-many-requests"
    title = "Too many requests"
    status = 429


class RequestOutstanding(Unavailable):
    """A request with the same idempotency key is being answered (draft-ietf-httpapi-idempotency-key-header-07)."""

    code = "idempotency-key-in-use"
    title = "A request is outstanding for this Idempotency-Key"
    status = 409


class KeyReused(PilotageError):
    """An idempotency key came again with another request (draft-ietf-httpapi-idempotency-key-header-07)."""

    code = "idempotency-key-reused"
    title = "Idempotency-Key is already used"
    status = 422


class TooSlow(PilotageError):
    """The caller's request did not arrive whole in the time that it has."""

    code = "request-timeout"
    title = "The request came too slowly"
    status = 408


class SourceUnavailable(PilotageError):
    """A source cannot be reached or read: the message names the source and its owner, never a credential."""

    code = "source-unavailable"
    title = "A source cannot be read"
    status = 503


class SourceUnreachable(SourceUnavailable):
    """A source did not answer, or not in time; it may by itself after a while, so that a sync tries again."""


class ContractBroken(SourceUnavailable):
    """Rows of a source break a rule of its contract that blocks: which rows, which rule, who answers for it.

    A source that cannot be used as it is: one that cannot be read and this one do not keep the others from it.
    """

    code = "contract-broken"
    title = "A source broke its contract"
    status = 409
    exit_code = 1


class StorageFull(PilotageError):
    """The disk that holds the installation is full: the message names the place. Nothing partial was kept."""

    code = "storage-full"
    title = "The disk is full"
    status = 507

    @classmethod
    def at(cls, place: Path | None) -> StorageFull:
        """The disk of this place."""
        where = f"The disk that holds {place}" if place else "The disk"
        return cls(
            f"{where} is full: nothing was kept of what was being written.",
            "Make room there and try again: pieces that were finished before are kept and not read again.",
        )


class EvidenceMissing(PilotageError):
    """A step was asked for before the evidence it stands on exists; the repair names the command that makes it."""

    code = "evidence-missing"
    title = "An earlier step is missing"
    status = 409


class GateClosed(PilotageError):
    """A gate read the evidence and did not pass; ``problems`` names each criterion."""

    code = "gate-closed"
    title = "The gate did not pass"
    status = 409
    exit_code = 1


class CorruptArtefact(PilotageError):
    """Stored bytes do not have the hash or signature that their manifest names."""

    code = "corrupt-artefact"
    title = "Stored bytes were changed"
    status = 500
    exit_code = 1


class SettingsError(PilotageError):
    """A setting or environment variable is missing or unusable; the message names it, never its value."""

    code = "settings"
    title = "A setting is missing or wrong"


def in_short(error: BaseException) -> str:
    """What may be logged of an error: our own words, else its type and where it happened; never what it quotes."""
    if isinstance(error, PilotageError):
        return error.message
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('site-packages/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
