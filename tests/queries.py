"""Which of the product's queries ran on PostgreSQL. With ``--every-query`` a run fails that left one out.

A query is a place in ``src/pilotage`` where a statement is handed to the control database. That it runs on SQLite is
nothing new; a statement that PostgreSQL refuses, or counts otherwise, is found where it is first sent there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

SOURCE = Path(__file__).resolve().parents[1] / "src" / "pilotage"
_SENDING = {"execute", "scalar", "scalars", "exec_driver_sql"}
_NOT_ASKED = ("migrations", "platform/database.py", "platform/schema.py", "web/precautions.py")
"""They bring a database to its schema, or are about SQLite: what is asked there is tested for itself."""
_OUTPUT = "asked_of_postgresql"

Place = tuple[str, int]
_asked: set[Place] = set()
_of_workers: set[Place] = set()


def queries() -> dict[str, list[tuple[int, int, str]]]:
    """Of each module with tables or queries of its own: first and last line of each query, and the function's name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name, text = path.relative_to(SOURCE).as_posix(), path.read_text()
        has_tables = path.name == "store.py" or "from pilotage.platform.database import" in text
        if has_tables and not name.startswith(_NOT_ASKED) and (inside := list(_queries_in(ast.parse(text)))):
            found[name] = inside
    return found


def _queries_in(module: ast.Module) -> Iterator[tuple[int, int, str]]:
    for function in (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SENDING:
                receiver = node.func.value
                if isinstance(receiver, ast.Name) and receiver.id == "connection":
                    yield node.lineno, node.end_lineno or node.lineno, function.name


_QUERIES = queries()  # before any module is loaded, so that the lines are those that run


def not_asked(asked: set[Place]) -> list[str]:
    """The queries that none of these places belongs to, as ``file:line function``."""
    lines: dict[str, set[int]] = {}
    for name, line in asked:
        lines.setdefault(name, set()).add(line)
    return [
        f"src/pilotage/{name}:{first} {function}"
        for name, inside in _QUERIES.items()
        for first, last, function in inside
        if lines.get(name, set()).isdisjoint(range(first, last + 1))
    ]


@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def _note(connection: sa.Connection, *_: Any) -> None:
    if connection.dialect.name != "postgresql":
        return
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if "/src/pilotage/" in file:
            _asked.add((file.rpartition("/src/pilotage/")[2], frame.f_lineno))
            return
        frame = frame.f_back  # type: ignore[assignment]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-query", action="store_true", help="fail where a query never ran on PostgreSQL")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of several processes of a run ended: what it asked counts."""
    _of_workers.update((name, line) for name, line in getattr(node, "workeroutput", {}).get(_OUTPUT, ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_OUTPUT] = sorted(_asked)
    elif session.config.getoption("every_query") and _left_out() and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.getoption("every_query"):
        return
    terminalreporter.section("queries on PostgreSQL")
    if not _all_asked():
        terminalreporter.line("NOT TESTED: there was no PostgreSQL")
        return
    for each in _left_out():
        terminalreporter.line(f"never ran: {each}")
    total = sum(map(len, _QUERIES.values()))
    terminalreporter.line(f"{total - len(_left_out())} of {total} queries ran on PostgreSQL")


def _all_asked() -> set[Place]:
    return _asked | _of_workers


def _left_out() -> list[str]:
    return not_asked(_all_asked()) if _all_asked() else []
