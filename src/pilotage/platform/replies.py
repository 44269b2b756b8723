"""Replies that are kept by idempotency key, so that a request sent again has its effect and its reply once.

Header and problems are those of draft-ietf-httpapi-idempotency-key-header-07. A key belongs to the caller that sent it;
it is claimed in the control database, so that it holds across workers, replicas and restarts. Who claims it has a
lease: when it dies, whoever sends the key again takes over, and derives the same identifiers from the claim's ``seed``.
A caller has room for so many replies at once; none is given up before its day is over to make room for another.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from pilotage.platform.database import Instant, insert_ignoring, metadata
from pilotage.platform.errors import BadRequest, KeyReused, PilotageError, RequestOutstanding, TooMany
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace

HEADER = b"idempotency-key"
KEPT = timedelta(hours=25)
"""A day is promised; who asks again at the very end of it still finds the reply."""
KEY_LETTERS_MAX = 255
_FORGET_ROWS = 1_000
_RETRY_SECONDS_MAX = 2
_TRIES = 3
"""Looks at keys that others gave back, or that were forgotten, between two statements."""
_COUNTED_FOR = timedelta(minutes=10)
_FULL_FOR = timedelta(minutes=1)

kept_replies = sa.Table(
    "kept_replies",
    metadata,
    sa.Column("caller", sa.String(40), primary_key=True),
    sa.Column("key", sa.String(KEY_LETTERS_MAX), primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
    sa.Column("holder", sa.String(40), nullable=False),
    sa.Column("seed", sa.LargeBinary(16), nullable=False),
    sa.Column("begun_at", Instant, nullable=False),
    sa.Column("leased_until", Instant, nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Index(None, "begun_at"),
)
_OPEN = (
    kept_replies.c.caller == sa.bindparam("of_caller"),
    kept_replies.c.key == sa.bindparam("of_key"),
    kept_replies.c.holder == sa.bindparam("of_holder"),
    kept_replies.c.body.is_(None),
)
_KEEP = kept_replies.update().where(*_OPEN).values(body=sa.bindparam("body"))
_RELEASE = kept_replies.delete().where(*_OPEN)


class Claim(Struct, frozen=True):
    """The right to answer a request that came with a key. ``taken_over``: somebody began before, and may be dead."""

    caller: str
    key: str
    holder: str
    seed: bytes
    begun_at: datetime
    taken_over: bool

    def id_of(self, prefix: str, number: int = 0) -> str:
        """The identifier of what this request makes as its so-manieth thing: the same for whoever takes over."""
        digest = hashlib.sha256(self.seed + number.to_bytes(8, "big")).digest()
        return new_id(prefix, self.begun_at, digest)


class Room:
    """How many replies each caller may have kept, and has as far as one process knows.

    It counts what is kept every ten minutes, and what it adds itself in between: where many processes add at once, a
    caller gets a little more room than it should.
    """

    def __init__(self, replies_max: int) -> None:
        self._max = replies_max
        self._counted: dict[str, tuple[int, datetime]] = {}
        self._lock = threading.Lock()

    def take(self, connection: sa.Connection, caller: str, now: datetime) -> None:
        """Count one more, which is kept already in this transaction.

        Raises:
            TooMany: there is no room for it.
        """
        with self._lock:
            count, at = self._counted.get(caller, (self._max, now - _COUNTED_FOR))
        kept = count + 1
        if now - at >= (_COUNTED_FOR if kept <= self._max else _FULL_FOR):
            kept, at = _count(connection, caller), now
        with self._lock:
            self._counted[caller] = (min(kept, self._max), at)
        if kept > self._max:
            error = TooMany(
                f"{self._max:,} replies are kept for this caller's idempotency keys, and no more.",
                "Send it without a key, or later: each reply is kept for a day.",
            )
            error.retry_after = int(_FULL_FOR.total_seconds())
            raise error


def key_in(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The idempotency key that a request names, with or without the quotation marks of a structured field.

    Raises:
        BadRequest: it is empty, too long, of other letters than printable ASCII, or there are several.
    """
    named = [value for name, value in headers if name == HEADER]
    if not named:
        return None
    key = named[0].decode("latin-1").strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    fits = 0 < len(key) <= KEY_LETTERS_MAX and all("!" <= letter <= "~" for letter in key)
    if len(named) > 1 or not fits:
        raise BadRequest(
            "The header Idempotency-Key must be one text of 1 to "
            f"{KEY_LETTERS_MAX} printable letters without spaces; {len(named)} came"
            f"{'' if fits else ', which is none'}.",
            "Send a UUID, a new one for each question.",
        )
    return key


def fingerprint_of(method: str, path: str, body: bytes) -> bytes:
    """What makes two requests the same: SHA-256 over method, path and body."""
    return hashlib.sha256(b"%b %b\n%b" % (method.encode(), path.encode(), body)).digest()


class Wanted(Struct, frozen=True):
    """A key that came with a request, and for how long whoever answers that has it."""

    caller: str
    key: str
    fingerprint: bytes
    lease: timedelta


def claim(
    work: Workspace, caller: str, key: str, fingerprint: bytes, lease: timedelta, room: Room | None = None
) -> Claim | bytes:
    """Take the key, or get the body of the reply that was given under it.

    Raises:
        KeyReused: it came with another request before.
        RequestOutstanding: its request is being answered at this moment.
        TooMany: it is new, and there is no room for its reply.
    """
    (found,) = claim_all(work, [Wanted(caller, key, fingerprint, lease)], room)
    if isinstance(found, PilotageError):
        raise found
    return found


def claim_all(
    work: Workspace, wanted: Sequence[Wanted], room: Room | None = None
) -> list[Claim | bytes | PilotageError]:
    """The same for many at once, in one transaction: of each what :func:`claim` returns or raises, in their order."""
    now = work.clock.now()
    settled: dict[int, Claim | bytes | PilotageError] = {}
    left = sorted(range(len(wanted)), key=lambda at: _own(wanted[at]))  # writers that take many do not block each other
    with work.database.writing() as connection:
        for _ in range(_TRIES):
            settled |= _settled(connection, {at: wanted[at] for at in left}, now, room)
            left = [at for at in left if at not in settled]
            if not left:
                break
    return [settled[at] if at in settled else _outstanding(timedelta(seconds=1)) for at in range(len(wanted))]


def _settled(
    connection: sa.Connection, wanted: Mapping[int, Wanted], now: datetime, room: Room | None
) -> dict[int, Claim | bytes | PilotageError]:
    """What can be said of these keys; left out is what was given back, or forgotten, in between."""
    new: dict[tuple[str, str], Claim] = {}
    values = []
    for one in wanted.values():
        if _own(one) not in new:
            claimed = Claim(one.caller, one.key, new_id("rep", now), secrets.token_bytes(16), now, taken_over=False)
            new[_own(one)] = claimed
            held = {name: getattr(claimed, name) for name in ("caller", "key", "holder", "seed", "begun_at")}
            values.append(held | {"fingerprint": one.fingerprint, "leased_until": now + one.lease})
    connection.execute(insert_ignoring(connection, kept_replies), values)
    own = sa.tuple_(kept_replies.c.caller, kept_replies.c.key)
    there = connection.execute(sa.select(kept_replies).where(own.in_(list(new)))).all()
    found = {(row.caller, row.key): row for row in there}
    settled: dict[int, Claim | bytes | PilotageError] = {}
    taken: set[str] = set()
    for at, one in wanted.items():
        row, claimed = found.get(_own(one)), new[_own(one)]
        if row is None:
            continue
        if row.holder == claimed.holder and claimed.holder not in taken:
            settled[at] = _roomy(connection, claimed, now, room)
            taken.add(claimed.holder)  # who sends the same key beside it finds it taken
        elif row.begun_at < now - KEPT:
            connection.execute(kept_replies.delete().where(*_held_by(one, row.holder)))
        else:
            settled[at] = _known(connection, one, row, claimed, now)
    return settled


def _roomy(connection: sa.Connection, claimed: Claim, now: datetime, room: Room | None) -> Claim | PilotageError:
    """A claim that was taken, unless its caller has no room for one more."""
    if room is not None:
        try:
            room.take(connection, claimed.caller, now)
        except TooMany as error:
            connection.execute(kept_replies.delete().where(*_held_by(claimed, claimed.holder)))
            return error
    return claimed


def _known(
    connection: sa.Connection, wanted: Wanted, row: sa.Row[Any], new: Claim, now: datetime
) -> Claim | bytes | PilotageError:
    """A key that came before: its reply, or why there is none, or a claim in place of who had it and died."""
    if bytes(row.fingerprint) != wanted.fingerprint:
        return KeyReused("This Idempotency-Key came before with another request.", "Make a new key for each request.")
    if row.body is not None:
        return zlib.decompress(row.body)
    if row.leased_until > now:
        return _outstanding(row.leased_until - now)
    held = {"holder": new.holder, "leased_until": now + wanted.lease}
    own = (*_held_by(wanted, row.holder), kept_replies.c.body.is_(None))
    if connection.execute(kept_replies.update().where(*own).values(held)).rowcount != 1:
        return _outstanding(wanted.lease)  # somebody else took it over meanwhile
    return Claim(new.caller, new.key, new.holder, bytes(row.seed), row.begun_at, taken_over=True)


def keep(work: Workspace, claimed: Claim, body: bytes) -> None:
    """Keep the reply; from now on it is the reply to this key.

    Raises:
        RequestOutstanding: the lease was over, and another has taken over meanwhile.
    """
    (refused,) = settle_all(work, [(claimed, body)])
    if refused is not None:
        raise refused


def release(work: Workspace, claimed: Claim) -> None:
    """Give the key back: nothing came of its request."""
    settle_all(work, [(claimed, None)])


def once(
    work: Workspace, caller: str, key: str, fingerprint: bytes, lease: timedelta, do: Callable[[Claim], bytes]
) -> tuple[bytes, bool]:
    """The reply to a key, and whether it was given before: for what needs the database anyway.

    What ends in a problem gave no reply: its key is free again.

    Raises:
        KeyReused, RequestOutstanding: as of :func:`claim` and :func:`keep`.
    """
    claimed = claim(work, caller, key, fingerprint, lease)
    if isinstance(claimed, bytes):
        return claimed, True
    try:
        body = do(claimed)
    except BaseException:
        release(work, claimed)
        raise
    keep(work, claimed, body)
    return body, False


def settle_all(work: Workspace, settled: Sequence[tuple[Claim, bytes | None]]) -> list[PilotageError | None]:
    """Keep the replies to many keys at once, in one transaction, and give those back that have none.

    Of each what :func:`keep` raises, in their order.
    """
    kept = [_parameters(claimed, zlib.compress(body, 1)) for claimed, body in settled if body is not None]
    released = [_parameters(claimed) for claimed, body in settled if body is None]
    names = {each["of_holder"] for each in kept}
    with work.database.writing() as connection:
        if released:
            connection.execute(_RELEASE, released)
        if kept and connection.execute(_KEEP, kept).rowcount != len(kept):
            whole = sa.select(kept_replies.c.holder).where(
                kept_replies.c.holder.in_(names), kept_replies.c.body.is_not(None)
            )
            names = set(connection.execute(whole).scalars())
    return [
        None if body is None or claimed.holder in names else _outstanding(timedelta(seconds=1))
        for claimed, body in settled
    ]


def _parameters(claimed: Claim, body: bytes | None = None) -> dict[str, Any]:
    """Of ``_KEEP`` and ``_RELEASE``."""
    of = {"of_caller": claimed.caller, "of_key": claimed.key, "of_holder": claimed.holder}
    return of if body is None else {**of, "body": body}


def forget_old(work: Workspace) -> int:
    """Remove replies whose time is over, some at a time so that writers do not wait long; how many."""
    own = sa.tuple_(kept_replies.c.caller, kept_replies.c.key)
    old = sa.select(kept_replies.c.caller, kept_replies.c.key).where(kept_replies.c.begun_at < work.clock.now() - KEPT)
    removed = 0
    while True:
        with work.database.writing() as connection:
            count = connection.execute(kept_replies.delete().where(own.in_(old.limit(_FORGET_ROWS)))).rowcount
        removed += count
        if count < _FORGET_ROWS:
            return removed


def _count(connection: sa.Connection, caller: str) -> int:
    query = sa.select(sa.func.count()).select_from(kept_replies).where(kept_replies.c.caller == caller)
    return int(connection.execute(query).scalar_one())


def _own(named: Wanted | Claim) -> tuple[str, str]:
    return named.caller, named.key


def _held_by(named: Wanted | Claim, holder: str) -> tuple[sa.ColumnElement[bool], ...]:
    return kept_replies.c.caller == named.caller, kept_replies.c.key == named.key, kept_replies.c.holder == holder


def _outstanding(left: timedelta) -> RequestOutstanding:
    error = RequestOutstanding(
        "A request with the same Idempotency-Key is being answered.", "Send it again a little later: unchanged."
    )
    error.retry_after = min(max(1, round(left.total_seconds())), _RETRY_SECONDS_MAX)
    return error
