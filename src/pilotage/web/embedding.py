"""Serves the card's module to any page, with a name for its exact bytes (Subresource Integrity, W3C).

An address with a version never changes what it serves: the bytes of each release are kept in the lake, so that a page
that holds the module to its hash still loads it after an upgrade, whichever replica it asks.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, get

from pilotage.govern.guards import public
from pilotage.platform.errors import CorruptArtefact, NotFound, StorageFull
from pilotage.platform.lake import Lake
from pilotage.platform.workspace import Workspace
from pilotage.review.languages import LANGUAGES

PATH = "/embed/pilotage-card.js"
_NO_TEXTS = "const MESSAGES = {};"
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, no-cache"
_VERSION = re.compile(r"[0-9a-f]{64}")
_SUFFIX = ".js"
log = structlog.get_logger()


class Tag(msgspec.Struct, frozen=True):
    """What names the module's bytes of today. ``tag`` goes into a host's page as it is."""

    version: str
    integrity: str
    tag: str


@cache
def module() -> bytes:
    """The module's bytes, with the texts of every language."""
    source = files("pilotage").joinpath("embed", "pilotage-card.js").read_text(encoding="utf-8")
    texts = msgspec.json.encode({code: each.card for code, each in LANGUAGES.items()}).decode()
    return source.replace(_NO_TEXTS, f"const MESSAGES = {texts};", 1).encode()


@cache
def version() -> str:
    """Names these bytes in an address, so that browsers may keep them for good."""
    return hashlib.sha256(module()).hexdigest()


@cache
def integrity() -> str:
    """The value of a script's ``integrity`` attribute."""
    return "sha384-" + base64.b64encode(hashlib.sha384(module()).digest()).decode()


def script_tag(server: str) -> str:
    """The tag that loads the card into a host's page, held to the bytes served today."""
    source = escape(f"{server.rstrip('/')}{PATH}?v={version()}", quote=True)
    return f'<script type="module" src="{source}" integrity="{integrity()}" crossorigin="anonymous"></script>'


def keep(lake: Lake) -> None:
    """Keep the module's bytes of today under their version, for the releases that come after this one."""
    if not lake.path(version(), _SUFFIX).exists():
        lake.put(module(), _SUFFIX)


def of_version(lake: Lake, wanted: str) -> bytes | None:
    """The module's bytes of a version, this release's or one before; None where they are not known here."""
    if wanted == version():
        return module()
    if not _VERSION.fullmatch(wanted):
        return None
    try:
        return lake.read(wanted, _SUFFIX)
    except (NotFound, CorruptArtefact, OSError):
        return None


@get(PATH, guards=[public("a module without data, loaded by pages of other apps")], sync_to_thread=True)
def card_module(request: Request[Any, Any, Any], work: Workspace, v: str = "") -> Response[bytes]:
    """The card's module of a version, to be kept for good; of today where none or an unknown one is asked."""
    if v == version():
        _keep_if_possible(work)
    wanted = of_version(work.lake, v)
    etag = f'"{version() if wanted is None else v}"'
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": _ASK_AGAIN if wanted is None else _FOREVER,
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type="text/javascript; charset=utf-8")
    return Response(wanted or module(), headers=headers, media_type="text/javascript; charset=utf-8")


def _keep_if_possible(work: Workspace) -> None:
    try:
        keep(work.lake)
    except (OSError, StorageFull) as error:  # a full disk is no reason to show no card
        log.warning("card_module_not_kept", error=type(error).__name__)


@get("/embed/pilotage-card.json", guards=[public("the tag of a module without data")], sync_to_thread=True)
def card_tag(work: Workspace) -> Response[Tag]:
    """The module of today: its version, its integrity, and the tag with both for a host's page."""
    _keep_if_possible(work)
    tag = Tag(version(), integrity(), script_tag(work.settings.address))
    return Response(tag, headers={"Access-Control-Allow-Origin": "*", "Cache-Control": _ASK_AGAIN})


ROUTES = [card_module, card_tag]
