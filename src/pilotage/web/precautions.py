"""What must hold before a server may start: each refusal says what is unsafe and how it is repaired."""

from __future__ import annotations

import ipaddress
import stat
from pathlib import Path

from pilotage.platform.database import Database
from pilotage.platform.errors import SettingsError
from pilotage.platform.settings import Settings

_CORRUPTING = ((3, 7, 0), (3, 51, 2))
"""SQLite's WAL-reset defect: two connections that write or checkpoint can corrupt the file. Both ends included."""
_FULL = 2
_DESCRIPTORS = 1024
"""Of one worker: 128 requests in work, connections that idle, databases, segments of the spool, files of the lake."""
_SECRET_BYTES = 32
_RESTORE = "Restore it from your backup; remove it only if what it signed may become void."


def demand_private_secrets(home: Path) -> None:
    """Refuse secrets that others can read, that were emptied or overwritten with one byte.

    Raises:
        SettingsError: naming the file or folder.
    """
    folder = home / "keys"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.is_file():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise SettingsError(
                f"{path} holds a secret that others on this machine can read or change (mode {mode:04o}).",
                f"chmod 600 {path} — and think of it as known to those who could read it.",
            )
        if path.stat().st_size < _SECRET_BYTES:
            raise SettingsError(
                f"{path} holds a weak secret: {path.stat().st_size} bytes, at least {_SECRET_BYTES} are needed.",
                _RESTORE,
            )
        if len({*path.read_bytes()}) == 1:
            raise SettingsError(f"{path} holds a weak secret: one byte, again and again.", _RESTORE)


def demand_safe_address(host: str, settings: Settings, is_insecure_allowed: bool) -> None:
    """Refuse to let passwords and keys travel in clear.

    Raises:
        SettingsError: other machines reach the address, and no https is said to stand before it.
    """
    if is_loopback(host) or settings.public_url.startswith("https://") or is_insecure_allowed:
        return
    said = "is not set" if not settings.public_url else "is not https"
    raise SettingsError(
        f"{host} can be reached from other machines and PILOTAGE_PUBLIC_URL {said}: "
        "passwords and keys would travel in clear.",
        "Put a proxy with https before it and set PILOTAGE_PUBLIC_URL=https://…, or say --insecure-public.",
    )


def demand_sound_sqlite(database: Database) -> None:
    """Refuse an SQLite that can corrupt its file under several writers, or that does not sync what it commits.

    The library that SQLAlchemy really uses is asked. PostgreSQL passes.

    Raises:
        SettingsError: with the version, or what was read back.
    """
    if not database.is_sqlite:
        return
    with database.reading() as connection:
        said = str(connection.exec_driver_sql("SELECT sqlite_version()").scalar_one())
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    found = (*map(int, said.split(".")), 0, 0)[:3]
    if _CORRUPTING[0] <= found <= _CORRUPTING[1]:
        raise SettingsError(
            f"SQLite {said} can corrupt its file when several connections write (3.7.0 to 3.51.2 can).",
            "Install pysqlite3 0.6.1 or later, or set PILOTAGE_DATABASE_URL to a PostgreSQL.",
        )
    if (synchronous, journal) != (_FULL, "wal"):
        raise SettingsError(
            f"SQLite says synchronous={synchronous} and journal_mode={journal}; {_FULL} and wal are needed.",
            "The folder may be on a network file system: put PILOTAGE_HOME on a local disk, or use PostgreSQL.",
        )


def demand_descriptors() -> None:
    """Raise the limit of open files as far as it may be; refuse where that is too few.

    Raises:
        SettingsError: with the limit.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if hard != unlimited and hard < _DESCRIPTORS:
        raise SettingsError(
            f"A worker may open {hard} files and connections at once; at least {_DESCRIPTORS} are needed.",
            f"ulimit -n {16 * _DESCRIPTORS}, or LimitNOFILE={16 * _DESCRIPTORS} in the systemd unit.",
        )
    wanted = 16 * _DESCRIPTORS if hard == unlimited else min(hard, 16 * _DESCRIPTORS)
    if soft != unlimited and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
