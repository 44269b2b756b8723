"""Addresses of databases, and what drivers say when something is wrong, in words that name no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from pilotage.data.sources.asked import Asked
from pilotage.platform.errors import SourceUnavailable

CONNECT_SECONDS = 5
"""How long a server may take to let us in, also one that accepts and then says nothing."""

_KINDS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",  # as hosting providers write it
    "mysql": "mysql",
    "mysql2": "mysql",
    "mariadb": "mysql",
    "duckdb": "duckdb",
}
_FILES = ("sqlite", "duckdb")
_USE = (
    "Use sqlite:///path, duckdb:///path, postgresql://user:password@host/name or "
    "mysql://user:password@host/name, by reference: env:NAME."
)
_ENCODE = "Characters such as @ : / ? # % in a user or password must be percent-encoded: %40 %3A %2F %3F %23 %25."
_SECRET = re.compile("pass|secret|token|key", re.IGNORECASE)
_WRAPPING = re.compile(r"^[A-Z_]*:? ?\[libpq\] .*?(?:ERROR|FATAL): +|^[A-Z_]+: \[libpq\] ", re.DOTALL)
_REPAIRS = (
    (
        r"password authentication failed|access denied for user|no password supplied|role \S+ does not exist",
        f"Correct user and password in the environment variable. {_ENCODE}",
    ),
    (
        r"permission denied|command denied",
        "Let the user read it: GRANT SELECT ON the table, and in PostgreSQL GRANT USAGE ON its schema, TO the user.",
    ),
    (
        r"statement timeout|max_statement_time|maximum statement execution time|^interrupted|read operation timed out",
        "Give `timeout` more time, index the column known_at, or read a smaller view.",
    ),
    (r"database is locked|database schema is locked", "Try again once the program that writes it is done."),
    (
        r"could not set lock|different configuration",
        "One program may write a DuckDB file, or several read it: close the one that writes, or read a copy.",
    ),
    (
        r"disabled (by|through) configuration|external access",
        "Make it a table: of a DuckDB file nothing is read but the file itself, no other files and no addresses.",
    ),
    (r"not a valid DuckDB database file", "Name a DuckDB file, or restore this one."),
    (r"not a database|disk image is malformed", "Name a SQLite file, or restore this one."),
    (r"conflict with recovery", "Try again, or raise max_standby_streaming_delay on the replica."),
)
_PASSING = re.compile(
    "connection refused|connection reset|connection timed out|timeout expired|timed out|connection is lost"
    "|can't connect to (local )?(mysql|server)|lost connection|gone away|broken pipe|network is unreachable"
    "|no route to host|server closed the connection|terminating connection|connection was killed"
    "|(starting up|shutting down|in recovery mode)|shutdown in progress|not yet accepting connections"
    "|could not translate host name|name resolution|name or service not known|nodename nor servname"
    "|too many (connections|clients)|remaining connection slots|max_user_connections"
    "|statement timeout|lock timeout|max_statement_time|maximum statement execution time|^interrupted|is locked"
    "|could not set lock|different configuration"
    "|conflict with recovery|query execution was interrupted",
    re.IGNORECASE,
)
"""What may be otherwise after a while: the server, the way to it, or how busy it is. Never a right or a name."""
_OTHERWISE = "Check that the database runs, that this host and user may read it, and that the view does not fail."


def kind_of(url: sa.URL) -> str:
    """sqlite, duckdb, postgresql or mysql; empty where it is none of them."""
    return _KINDS.get(url.get_backend_name(), "")


def address_of(asked: Asked, address: str) -> sa.URL:
    """A database's address, taken apart.

    Raises:
        SourceUnavailable: it is none, or one whose password has characters that must be encoded.
    """
    try:
        url = sa.engine.make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        if _is_ambiguous(address):
            raise _unencoded(asked) from None
        raise asked.failure(f"Source {asked.name}: `database` does not hold a database URL.", _USE) from None
    if not kind_of(url):
        raise asked.failure(f"Source {asked.name}: {url.get_backend_name()} cannot be read.", _USE)
    if kind_of(url) not in _FILES and _is_ambiguous(address):
        raise _unencoded(asked)
    return url


def place_of(url: sa.URL) -> str:
    """Where a database is, without who reads it."""
    if kind_of(url) in _FILES:
        return str(url.database)
    port = f", port {url.port}" if url.port else ""
    return f"{url.host or 'localhost'}/{url.database or ''}{port}"


def unreadable(asked: Asked, url: sa.URL, error: Exception, done: str = "read") -> SourceUnavailable:
    """What a driver said, without secrets, and what repairs it. ``done`` is what failed: read, or reached."""
    reason = _without_secrets(_said(error), url)
    repair = next((repair for said, repair in _REPAIRS if re.search(said, reason, re.IGNORECASE)), _OTHERWISE)
    said = asked.unreachable if _PASSING.search(reason) else asked.failure
    return said(f"Source {asked.name} cannot be {done} at {place_of(url)}: {reason}.", repair)


@contextmanager
def translated(
    asked: Asked, url: sa.URL, errors: tuple[type[Exception], ...] = (), done: str = "read"
) -> Iterator[None]:
    """Errors of drivers become failures of the source. ``done`` is what failed: read, or reached."""
    caught: tuple[type[Exception], ...] = (sa.exc.SQLAlchemyError, *errors)
    try:
        yield
    except caught as error:
        raise unreadable(asked, url, error, done) from None


def _unencoded(asked: Asked) -> SourceUnavailable:
    message = f"Source {asked.name}: it cannot be told where in the address the password ends and the host begins."
    return asked.failure(message, _ENCODE)


def _is_ambiguous(address: str) -> bool:
    """One @ ends who reads, and no / or ? comes before it; an @ in a path or query is encoded as well."""
    authority = re.split("[/?]", address.partition("://")[2], maxsplit=1)[0]
    return address.count("@") > 1 or (address.count("@") == 1 and "@" not in authority)


def _said(error: Exception) -> str:
    """A driver's own words, without the wrapping of SQLAlchemy, PyMySQL and ADBC."""
    cause = getattr(error, "orig", None) or error
    said = cause.args[1] if len(cause.args) == 2 and isinstance(cause.args[0], int) else cause
    return _WRAPPING.sub("", str(said))


def _without_secrets(text: str, url: sa.URL) -> str:
    secrets = [str(url.password)] if url.password else []
    for name, value in url.query.items():
        if _SECRET.search(name):
            secrets += [value] if isinstance(value, str) else list(value)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "…", text)
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return (lines[0] if lines else "the driver gave no reason").rstrip(".")
