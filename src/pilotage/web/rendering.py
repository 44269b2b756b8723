"""Turns templates into pages: where they lie, and how instants, numbers and money are written."""

from __future__ import annotations

import functools
import hashlib
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed, allowed_somewhere
from pilotage.platform.instants import as_utc, iso
from pilotage.web.embedding import script_tag
from pilotage.web.glossary import term

PACKAGE = Path(__file__).parent.parent
STATIC = Path(__file__).parent / "static"
_NARROW_SPACE = "\u202f"
_NOTHING = "—"


@functools.cache
def environment() -> Environment:
    """Jinja over every room's ``templates`` folder; what is not defined is an error, what is printed is escaped."""
    folders = sorted(PACKAGE.glob("*/templates"))
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(instant=instant, number=number, percent=percent, money=money, ticked=ticked)
    made.globals.update(may=may, static=static, principal=principal, term=term, card_tag=script_tag)
    return made


def instant(value: datetime | None) -> Markup | str:
    """``5 Dec 2013, 20:00 UTC``, with the exact instant for machines."""
    if value is None:
        return _NOTHING
    utc = as_utc(value)
    shown = f"{utc.day} {utc:%b %Y, %H:%M} UTC"
    return Markup('<time datetime="{}">{}</time>').format(iso(utc), shown)


def number(value: float | None, digits: int = 0) -> str:
    """``1,234``; a dash for nothing."""
    return _NOTHING if value is None else f"{value:,.{digits}f}".replace("-", "−")


def percent(value: float | None, digits: int = 0) -> str:
    """``12 %`` of 0.12."""
    return _NOTHING if value is None else f"{number(value * 100, digits)}{_NARROW_SPACE}%"


def money(value: float | None, currency: str) -> str:
    """``1,234 USD``, without cents."""
    return _NOTHING if value is None else f"{number(value)}{_NARROW_SPACE}{currency}"


def ticked(text: str) -> Markup:
    """What stands in backticks as code, the rest as it is: messages are written for terminals, too."""
    parts = str(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 and at < len(parts) - 1 else escape(part)
        for at, part in enumerate(parts)
    )


@pass_context
def principal(context: Context) -> Principal | None:
    """Who looks at this page."""
    request = context.get("request")
    found = None if request is None else request.scope.get("user")
    return found if isinstance(found, Principal) else None


@pass_context
def may(context: Context, permission: str, use_case: str | None = None) -> bool:
    """Whether who looks at this page has a permission: for this use case, or for any."""
    who = principal(context)
    if who is None:
        return False
    wanted = Permission(permission)
    return allowed_somewhere(who, wanted) if use_case is None else allowed(who, wanted, use_case)


@functools.cache
def static(name: str) -> str:
    """Address of one of our own files, with its digest, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
