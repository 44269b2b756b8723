"""Second factors: set up with a first code, asked at the log-in, reset on the host or by who governs people."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pyotp
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct, json

from pilotage.govern.flow.audit_log import record, take_turn
from pilotage.govern.flow.people import found_person
from pilotage.govern.flow.secret_files import secret_of
from pilotage.govern.flow.sessions import (
    check_password,
    exchange_session,
    hash_of_token,
    is_demanded,
    open_within,
    principal_for,
    took_too_long,
    waiting,
)
from pilotage.govern.flow.tries import forget_tries, give_try_back, take_try, take_try_from
from pilotage.govern.records import Person, Principal, Wait
from pilotage.govern.rules import codes
from pilotage.govern.store import people
from pilotage.govern.store import second_factors as store
from pilotage.platform.errors import Conflict, InvalidRequest, NotAllowed, NotAuthenticated, SettingsError
from pilotage.platform.workspace import Workspace

_NONCE_BYTES = 12
_OFFER_SECONDS = 600
"""How long an offered secret waits for its first code."""


class WrongCode(NotAuthenticated):
    """A code that is not the one of now, was used before, or is no recovery code of this person."""

    code = "wrong-code"
    status = 422


class Offered(Struct, frozen=True):
    """A secret to be taken into an app on a phone: as text, and as the address that a QR code holds.

    ``kept`` is the secret as the form holds it until its code comes: sealed, for one session. Nothing is stored
    before, so no secret that one session saw waits for another.
    """

    secret: str
    address: str
    kept: str


class _Kept(Struct, frozen=True):
    secret: str
    until: float


class Standing(Struct, frozen=True):
    """How somebody stands with the second factor."""

    is_set_up: bool
    is_demanded: bool
    recovery_codes: int


def standing(work: Workspace, who: Principal) -> Standing:
    """Whether one is set up and demanded, and how many recovery codes are left."""
    with work.database.reading() as connection:
        factor, left = store.find(connection, who.id), store.recovery_codes_left(connection, who.id)
        person = found_person(connection, who.id)
    is_set_up = factor is not None and factor.confirmed_at is not None
    return Standing(is_set_up, is_demanded(work.settings, person), left)


def offer(work: Workspace, who: Principal, token: str, kept: str = "") -> Offered:
    """A new secret to set up in the session of this token; the one that its form ``kept``, where that still counts.

    Raises:
        Conflict: a second factor is set up already.
    """
    if standing(work, who).is_set_up:
        raise Conflict("A second factor is set up already.", "Remove it first.")
    secret = _kept(work, who.id, token, kept)
    if not secret:
        secret = pyotp.random_base32()
        until = work.clock.now().timestamp() + _OFFER_SECONDS
        sealed = _seal(work, _kept_for(who.id, token), json.encode(_Kept(secret, until)))
        kept = urlsafe_b64encode(sealed).decode()
    return Offered(secret, pyotp.TOTP(secret).provisioning_uri(name=who.name, issuer_name=_issuer(work)), kept)


def confirm(
    work: Workspace, who: Principal, token: str, kept: str, code: str, agent: str = "", waits_for: Wait = ""
) -> tuple[str, list[str]]:
    """Set up the secret that was offered to a session, with its first code: a new session's token, and recovery codes.

    The recovery codes are to be shown once. All sessions of the person were opened without the factor and end.

    Raises:
        WrongCode: it is not the code of now.
        TooManyTries: five wrong ones came before.
        NotAuthenticated: the session ended meanwhile, by a new password say.
    """
    _take_try(work, who.id)
    drawn = _drawn_codes()
    now = work.clock.now()
    secret = _kept(work, who.id, token, kept)
    step = codes.fitting_step(secret, codes.typed(code), now.timestamp()) if secret else None
    if step is None:
        raise _wrong()
    with work.database.writing() as connection:
        take_turn(connection)
        found = people.person_in_session(connection, hash_of_token(token), now, (waits_for,))
        if found is None or found[0].id != who.id:
            raise took_too_long()
        if not store.add(connection, who.id, _seal(work, who.id, secret.encode()), now, step):
            raise Conflict("A second factor is set up already.", "Remove it first.")
        store.set_recovery_codes(connection, who.id, map(codes.hash_of, drawn))
        people.close_sessions(connection, who.id)
        record(connection, work, who, "set-up-second-factor", who.name, {})
        opened = open_within(connection, work, found[0], agent, how="password and code")
    forget_tries(work, _tries(who.id))
    return opened, drawn


def pass_code(work: Workspace, token: str, code: str, agent: str = "", address: str = "") -> str:
    """Finish a log-in that waits for a code: the token of a new session; the one that waited ends.

    Raises:
        NotAuthenticated: nothing waits under this token.
        WrongCode: it is not the code of now, was used before, or is no recovery code.
        TooManyTries: five wrong ones came before, or a hundred tries from ``address``, where it is known.
    """
    found = waiting(work, token)
    if found is None or found[1] != "code":
        raise took_too_long()
    person = found[0]
    take_try_from(work, address)
    _take_try(work, person.id)
    how = _use(work, person, codes.typed(code))
    forget_tries(work, _tries(person.id))
    give_try_back(work, address)
    return exchange_session(work, token, person, agent, how)


def finish_enrolment(work: Workspace, token: str, kept: str, code: str, agent: str = "") -> tuple[str, list[str]]:
    """Finish a log-in that waits for a second factor to be set up: a new session's token, and recovery codes.

    Raises:
        NotAuthenticated: nothing waits under this token.
    """
    found = waiting(work, token)
    if found is None or found[1] != "enrolment":
        raise took_too_long()
    return confirm(work, principal_for(found[0]), token, kept, code, agent, "enrolment")


def new_recovery_codes(work: Workspace, who: Principal, password: str) -> list[str]:
    """Ten recovery codes in place of those that were, to be shown once.

    Raises:
        NotAllowed: this is not the person's password.
    """
    check_password(work, who, password)
    if not standing(work, who).is_set_up:
        raise Conflict("No second factor is set up.", "Set one up first.")
    drawn = _drawn_codes()
    with work.database.writing() as connection:
        store.set_recovery_codes(connection, who.id, map(codes.hash_of, drawn))
        record(connection, work, who, "make-recovery-codes", who.name, {})
    return drawn


def remove(work: Workspace, who: Principal, password: str) -> None:
    """Do without a second factor from now on.

    Raises:
        NotAllowed: this is not the person's password, or the installation demands a second factor.
    """
    if standing(work, who).is_demanded:
        raise NotAllowed("Your roles demand a second factor.", "Whoever governs people can reset it.")
    check_password(work, who, password)
    _remove(work, who, who.id, "remove-second-factor")


def reset(work: Workspace, by: Principal, person_id: str) -> None:
    """Forget a person's second factor, where the phone is lost: their sessions end; they set up a new one.

    Raises:
        InvalidRequest: they have none.
    """
    _remove(work, by, person_id, "reset-second-factor")


def _remove(work: Workspace, by: Principal, person_id: str, deed: str) -> None:
    with work.database.writing() as connection:
        person = found_person(connection, person_id)
        if not store.remove(connection, person_id):
            raise InvalidRequest(f"{person.name} has no second factor.", "There is nothing to reset.")
        people.close_sessions(connection, person_id)
        record(connection, work, by, deed, person.name, {})


def _use(work: Workspace, person: Person, code: str) -> str:
    """Use a code up; by what the person came in."""
    with work.database.writing() as connection:
        if codes.is_recovery(code):
            if not store.use_recovery_code(connection, person.id, codes.hash_of(code)):
                raise _wrong()
            left = store.recovery_codes_left(connection, person.id)
            record(connection, work, principal_for(person), "use-recovery-code", person.name, {"left": left})
            return "password and recovery code"
        if not _fits_now(connection, work, person.id, code):
            raise _wrong()
    return "password and code"


def _fits_now(connection: sa.Connection, work: Workspace, person_id: str, code: str) -> bool:
    factor = store.find(connection, person_id)
    if factor is None or factor.confirmed_at is None:
        return False
    secret = _opened(work, person_id, factor.sealed)
    step = codes.fitting_step(secret, codes.typed(code), work.clock.now().timestamp())
    return step is not None and store.use_step(connection, person_id, step)


def _wrong() -> WrongCode:
    return WrongCode("This code is wrong, or was used before.", "Wait for the next one, and look at the phone's clock.")


def _take_try(work: Workspace, person_id: str) -> None:
    take_try(work, _tries(person_id), "codes")


def _tries(person_id: str) -> str:
    return f"second factor of {person_id}"


def _drawn_codes() -> list[str]:
    return [codes.recovery_code(secrets.token_bytes(32)) for _ in range(codes.RECOVERY_CODES)]


def _issuer(work: Workspace) -> str:
    """What an authenticator calls this installation: its host, so that two of them are told apart."""
    return f"Pilotage {work.settings.address.partition('://')[2].partition('/')[0].replace(':', ' ')}"


def _kept_for(person_id: str, token: str) -> str:
    return f"{person_id} in {hash_of_token(token).hex()}"


def _kept(work: Workspace, person_id: str, token: str, kept: str) -> str:
    """The secret that was offered to this session and still waits; empty when there is none."""
    try:
        said = json.decode(_unsealed(work, _kept_for(person_id, token), urlsafe_b64decode(kept)), type=_Kept)
    except (InvalidTag, ValueError):  # ValueErrors: of base64, and of the cipher for what is too short
        return ""
    return said.secret if work.clock.now().timestamp() < said.until else ""


def _seal(work: Workspace, whose: str, content: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(secret_of(work, "second-factor")).encrypt(nonce, content, whose.encode())


def _unsealed(work: Workspace, whose: str, sealed: bytes) -> bytes:
    key = AESGCM(secret_of(work, "second-factor"))
    return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], whose.encode())


def _opened(work: Workspace, person_id: str, sealed: bytes) -> str:
    try:
        return _unsealed(work, person_id, sealed).decode()
    except InvalidTag:
        raise SettingsError(
            f"{work.home / 'keys' / 'second-factor.secret'} is not the one that sealed this second factor.",
            "Restore it from a backup, or run pilotage person reset-second-factor NAME.",
        ) from None
