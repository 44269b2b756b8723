"""What a call can raise: the caller's own mistakes, and a service that is gone where no rule can stand in."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class Problem(Struct, frozen=True):
    """One mistake, at one place, with its repair."""

    where: str = ""
    message: str = ""
    repair: str = ""


class ClientError(Exception):
    """Everything that a call can raise."""


class Refused(ClientError):
    """The service understood and refused: a mistake of the caller. ``code`` and ``detail`` are the service's words."""

    def __init__(self, status: int, code: str, detail: str, problems: Sequence[Problem] = ()) -> None:
        self.status, self.code, self.detail, self.problems = status, code, detail, tuple(problems)
        named = "".join(f"\n  {each.where}: {each.message} {each.repair}".rstrip() for each in self.problems)
        super().__init__(f"{detail} (HTTP {status}, {code}){named}")


class InvalidRequest(Refused):
    """The request does not fit its contract; ``problems`` names every field at fault."""


class NotAuthenticated(Refused):
    """No key, or one that the service does not know."""


class NotAllowed(Refused):
    """The key may not do this."""


class NotFound(Refused):
    """There is no such thing, or the key may not know of it."""


class Conflict(Refused):
    """Already done, changed meanwhile, or the same idempotency key with another request."""


class TooLarge(Refused):
    """The request is larger than the service takes."""


class ServiceGone(ClientError):
    """The service did not answer a call for which no rule of the app can stand in. ``reason`` is a code."""

    def __init__(self, reason: str, because: str) -> None:
        self.reason, self.because = reason, because
        super().__init__(f"{because} ({reason}) Try again later.")


_BY_STATUS: dict[int, type[Refused]] = {
    400: InvalidRequest,
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: InvalidRequest,
}


def refusal(status: int, code: str, detail: str, problems: Sequence[Problem] = ()) -> Refused:
    """The error that stands for this status."""
    return _BY_STATUS.get(status, Refused)(status, code, detail, problems)
