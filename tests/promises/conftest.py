"""The long versions of the promises run where they are asked for: ``PROMISES=1``, as ``make promises`` does.

Then what they measured goes to ``promises.json``, whatever becomes of the run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.promises.table import Part, Promise, forget, has_failed, report

HERE = Path(__file__).parent


def is_asked_for() -> bool:
    """Whether the long versions run, and the table is being made."""
    return bool(os.environ.get("PROMISES"))


@pytest.fixture
def promise(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Promise:
    """Every test of a promise says through this what it measured; ``make promises`` makes a table of it.

    ``promise(11, figure="0 foreign reads over 1,840 routes and roles", n=1_840, passed=found == [])``

    ``number`` is the promise's (see ``table.py``), ``figure`` what was measured in the promise's own units (short: it
    is a cell of a table), ``n`` how many trials stand behind it, ``passed`` whether the promise held in them. A test
    that measures several things, or a promise of several tests, tells them apart with ``what`` (two or three words:
    ``what="database stopped"``); a short and a long version of one thing share it, and the table shows the one with
    the larger n. All must pass. The test fails here where ``passed`` is false; a test that fails before it says
    anything is a failure of the promise that its file is named after (``test_p11_access.py``).
    """

    def say(number: int, *, figure: str, n: int, passed: bool, what: str = "") -> None:
        with capsys.disabled():
            print(f"\nPromise {number}{f', {what}' if what else ''}: {figure} (n = {n:,})")
        if is_asked_for():
            report(number, request.node.nodeid, Part(what=what, figure=figure, n=n, passed=bool(passed)))
        assert passed, f"Promise {number} does not hold: {figure}"

    return say


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if is_asked_for():
        return
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("long") is not None:
            item.add_marker(pytest.mark.skip(reason="takes minutes: PROMISES=1 runs it"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    number = _number_of(item)
    if is_asked_for() and number is not None:
        forget(number, item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    made = yield
    number = _number_of(item)
    if is_asked_for() and number is not None and not made.passed and not has_failed(number, item.nodeid):
        word = "failed" if made.failed else "skipped"
        report(number, item.nodeid, Part(what=item.name, figure=word, n=0, passed=False))
    return made


def _number_of(item: pytest.Item) -> int | None:
    """The promise that a test's file is named after."""
    found = re.match(r"test_p(\d+)_", item.path.name)
    return int(found.group(1)) if found else None
