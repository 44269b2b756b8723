"""The report as servers of continuous integration read it."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

from pilotage.models.suite import Limits, Result, SuiteReport
from pilotage.models.suite.junit import junit_xml
from pilotage.models.suite.records import Example

SHOWN = Example({"carrier": "UA", "tail": "•••"}, {"carrier": "nothing"}, "0.2", "0.9")
REPORT = SuiteReport(
    use_case="late_arrival",
    candidate="boosted",
    artefact="a" * 64,
    comparison="cmp_1",
    rows=2000,
    results=(
        Result("missing", "carrier", "FAIL", "carrier: 60 % <of> answers \x1b[31mchange\x00.", 0.6, 0.5, SHOWN, 0.25),
        Result("drift", "miles", "WARN", "miles: much changes.", 0.4, 0.3, seconds=0.5),
        Result("noise", "", "PASS", "Little changes.", 0.01, 0.05),
        Result("direction", "", "SKIPPED", "No direction is declared."),
        Result("own", "test_ours", "FAIL", "assert 1 == 2"),
    ),
    limits=Limits(),
    made_at=datetime(2013, 12, 5, 20, tzinfo=UTC),
)


def test_each_check_is_one_case_and_each_failure_says_why_and_where() -> None:
    (suite,) = ElementTree.fromstring(junit_xml(REPORT))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped"), suite.get("errors")) == (
        "5",
        "2",
        "1",
        "0",
    )
    assert suite.get("time") == "0.750"
    cases = {case.get("name"): case for case in suite}
    assert list(cases) == ["missing:carrier", "drift:miles", "noise", "direction", "own:test_ours"]
    failure = cases["missing:carrier"].find("failure")
    assert failure is not None and failure.text is not None
    assert "carrier = UA, tail = •••" in failure.text
    assert "0.2 becomes 0.9 with carrier → nothing" in failure.text
    assert "\x1b" not in failure.text and "<of>" in failure.text
    assert [next(iter(cases[name])).tag for name in ("drift:miles", "direction")] == ["system-out", "skipped"]
    assert list(cases["noise"]) == []
