"""The forms of a page, filled in as somebody would who has no wish but to send them."""

from __future__ import annotations

from html.parser import HTMLParser

from msgspec import Struct

TEXT, ADDRESS, NUMBER, DAY = "because", "https://8.8.8.8/told", "1", "2013-12-05"
_FILLED = {"number": NUMBER, "url": ADDRESS, "date": DAY, "email": "anna@airline.example"}
_UNTICKED = ("checkbox", "radio")


class Form(Struct, frozen=True):
    """What one button of a page sends, where to."""

    action: str
    fields: dict[str, str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._action: str | None = None
        self._fields: dict[str, str] = {}
        self._buttons: list[dict[str, str]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form" and has.get("method") == "post":
            self._action, self._fields, self._buttons = has.get("action", ""), {}, []
        elif self._action is None:
            return
        elif tag == "button" and has.get("type", "submit") == "submit":
            self._buttons.append({has["name"]: has.get("value", "")} if "name" in has else {})
        elif tag == "select":
            self._select = has.get("name", "")
        elif tag == "option" and self._select:
            if "selected" in has or self._select not in self._fields:
                self._fields[self._select] = has.get("value", "")
        elif tag in ("input", "textarea") and "name" in has:
            self._fill(has)

    def _fill(self, has: dict[str, str]) -> None:
        kind = has.get("type", "text")
        if kind in _UNTICKED and "checked" not in has and (kind == "checkbox" or has["name"] in self._fields):
            return
        self._fields[has["name"]] = has.get("value", "") or _FILLED.get(kind, TEXT)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "form" and self._action is not None:
            self.found += [Form(self._action, {**self._fields, **button}) for button in self._buttons or [{}]]
            self._action = None


def forms_of(html: str) -> list[Form]:
    """Every form that posts, once for each of its buttons."""
    reader = _Reader()
    reader.feed(html)
    return reader.found
