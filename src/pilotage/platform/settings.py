"""What an installation is told from outside: the environment, prefix ``PILOTAGE_``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from pilotage.platform.errors import SettingsError

PREFIX = "PILOTAGE_"
_OF_APPS = frozenset({"address", "key"})
"""What our how-tos let an app find Pilotage by: a shell may hold it beside the settings."""


class Settings(msgspec.Struct, frozen=True):
    """Everything configurable, with its default. Each field is read from ``PILOTAGE_<FIELD>``."""

    home: Path = Path(".pilotage")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8700
    public_url: str = ""
    spool: str = ""
    spool_bytes_max: int = 256 * 1024 * 1024
    request_bytes_max: int = 256 * 1024
    batch_bytes_max: int = 4 * 1024 * 1024
    upload_bytes_max: int = 256 * 1024 * 1024
    key_requests_per_minute: int = 0
    kept_replies_max: int = 5_000_000
    workers: int = 1
    drain_seconds: float = 2.0
    quarantine_days: Annotated[int, msgspec.Meta(ge=1)] = 90
    session_hours: int = 12
    password_log_in: bool = True
    trusted_proxies: str = ""
    second_factor_roles: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_client_secret_file: str = ""
    oidc_scopes: str = "openid profile email"
    oidc_name_claim: str = "preferred_username"
    oidc_groups_claim: str = "groups"
    oidc_roles: str = ""
    sync_seconds: float = 30.0
    log_level: str = "INFO"
    log_format: Literal["text", "json"] = "text"
    access_log_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    egress_hosts: str = ""
    spark_master: str = ""

    @property
    def private_hosts(self) -> frozenset[str]:
        """Hosts of ours, as name or name:port, that may be reached although their addresses are private."""
        return frozenset(host.strip().lower() for host in self.egress_hosts.split(",") if host.strip())

    @property
    def database(self) -> str:
        """URL of the control database; SQLite in the home directory unless told otherwise."""
        return self.database_url or f"sqlite:///{self.home / 'pilotage.db'}"

    @property
    def spool_folder(self) -> Path:
        """Where decisions are made durable before they are answered: a disk of this host."""
        return Path(self.spool) if self.spool else self.home / "spool"

    @property
    def of_host(self) -> Path:
        """The folder of what this host alone knows, such as its switch files: the home, or with the spool apart."""
        return Path(self.spool) if self.spool else self.home

    @property
    def address(self) -> str:
        """The address under which people and apps reach this installation."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment.

    Raises:
        SettingsError: a variable with our prefix is unknown, or its value does not fit.
    """
    environment = os.environ if environment is None else environment
    given = {name.removeprefix(PREFIX).lower(): text for name, text in environment.items() if name.startswith(PREFIX)}
    unknown = sorted(set(given) - set(Settings.__struct_fields__) - _OF_APPS)
    if unknown:
        raise SettingsError(
            f"{PREFIX}{unknown[0].upper()} is not a setting.",
            "Known: " + ", ".join(PREFIX + field.upper() for field in Settings.__struct_fields__) + ".",
        )
    try:
        return msgspec.convert(given, Settings, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        raise SettingsError(f"A {PREFIX} variable does not fit: {error}.", "Correct or unset it.") from None


def from_environment(reference: str, needed_by: str, environment: Mapping[str, str] | None = None) -> str:
    """The text behind ``env:NAME``, with an optional tail (``env:NAME/folder/*.parquet``); other text as it is.

    Raises:
        SettingsError: the variable is not set. The message names it and who needs it.
    """
    if not reference.startswith("env:"):
        return reference
    environment = os.environ if environment is None else environment
    name, slash, tail = reference.removeprefix("env:").partition("/")
    if not environment.get(name):
        raise SettingsError(
            f"{needed_by} needs the environment variable {name}, which is not set.",
            f"Set it before you start Pilotage: export {name}=…",
        )
    return environment[name] + slash + tail
