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
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from pilotage.platform.database import Instant, insert_ignoring, metadata
from pilotage.platform.errors import BadRequest, KeyReused, RequestOutstanding, TooMany
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace

HEADER = b"idempotency-key"
KEPT = timedelta(hours=25)
"""A day is promised; who asks again at the very end of it still finds the reply."""
KEY_LETTERS_MAX = 255
_FORGET_ROWS = 1_000
_RETRY_SECONDS_MAX = 2
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


def claim(
    work: Workspace, caller: str, key: str, fingerprint: bytes, lease: timedelta, room: Room | None = None
) -> Claim | bytes:
    """Take the key, or get the body of the reply that was given under it.

    Raises:
        KeyReused: it came with another request before.
        RequestOutstanding: its request is being answered at this moment.
        TooMany: it is new, and there is no room for its reply.
    """
    now = work.clock.now()
    new = Claim(caller, key, new_id("rep", now), secrets.token_bytes(16), now, taken_over=False)
    with work.database.writing() as connection:
        found = _taken(connection, new, fingerprint, now + lease)
        if found is None:
            if room is not None:
                room.take(connection, caller, now)
            return new
        if bytes(found.fingerprint) != fingerprint:
            raise KeyReused(
                "This Idempotency-Key came before with another request.", "Make a new key for each new request."
            )
        if found.body is not None:
            return zlib.decompress(found.body)
        if found.leased_until > now:
            raise _outstanding(found.leased_until - now)
        held = {"holder": new.holder, "leased_until": now + lease}
        connection.execute(kept_replies.update().where(*_own(new)).values(held))
    return Claim(caller, key, new.holder, bytes(found.seed), found.begun_at, taken_over=True)


def _taken(connection: sa.Connection, new: Claim, fingerprint: bytes, leased_until: datetime) -> sa.Row[Any] | None:
    """Take the key where it is free; else the row of whoever has it, locked."""
    row = {name: getattr(new, name) for name in ("caller", "key", "holder", "seed", "begun_at")}
    row |= {"fingerprint": fingerprint, "leased_until": leased_until}
    connection.execute(kept_replies.delete().where(*_own(new), kept_replies.c.begun_at < new.begun_at - KEPT))
    while connection.execute(insert_ignoring(connection, kept_replies).values(row)).rowcount != 1:
        found = connection.execute(sa.select(kept_replies).where(*_own(new)).with_for_update()).first()
        if found is not None:  # else it was given back in between: on PostgreSQL others do not wait for us
            return found
    return None


def keep(work: Workspace, claimed: Claim, body: bytes) -> None:
    """Keep the reply; from now on it is the reply to this key.

    Raises:
        RequestOutstanding: the lease was over, and another has taken over meanwhile.
    """
    packed = zlib.compress(body, 1)
    with work.database.writing() as connection:
        kept = connection.execute(kept_replies.update().where(*_held(claimed)).values(body=packed))
    if kept.rowcount != 1:
        raise _outstanding(timedelta(seconds=1))


def release(work: Workspace, claimed: Claim) -> None:
    """Give the key back: nothing came of its request."""
    with work.database.writing() as connection:
        connection.execute(kept_replies.delete().where(*_held(claimed)))


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


def _own(claimed: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return kept_replies.c.caller == claimed.caller, kept_replies.c.key == claimed.key


def _held(claimed: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (*_own(claimed), kept_replies.c.holder == claimed.holder, kept_replies.c.body.is_(None))


def _outstanding(left: timedelta) -> RequestOutstanding:
    error = RequestOutstanding(
        "A request with the same Idempotency-Key is being answered.", "Send it again a little later: unchanged."
    )
    error.retry_after = min(max(1, round(left.total_seconds())), _RETRY_SECONDS_MAX)
    return error
