"""The report: its schema, the file that is sent, the command that makes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from pilotage.audit import flow
from pilotage.audit.records import AuditReport
from pilotage.audit.rules import wording
from pilotage.audit.rules.comparing import compared
from pilotage.audit.rules.schema import json_schema
from pilotage.cli.main import run
from pilotage.platform.clock import FixedClock
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import Workspace
from tests.audit.reports import AT, finding, large, points, small
from tests.data.conftest import shop_path
from tests.data.shop import TEXT

__all__ = ["shop_path"]

KEPT = Path(__file__).parents[2] / "docs" / "reference" / "audit-report.schema.json"
Command = Callable[..., tuple[int, str]]


def validator() -> Draft202012Validator:
    schema = json.loads(msgspec.json.encode(json_schema()))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def test_the_schema_in_the_docs_is_the_one_that_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "audit"]) == 0
    printed = capsys.readouterr().out
    assert KEPT.read_text() == printed, "run: pilotage schema audit > docs/reference/audit-report.schema.json"


def test_the_other_schemas_are_printed_by_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Pilotage use case"
    assert run(["schema", "use-case"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Pilotage use case"
    assert run(["schema", "contract"]) == 0
    assert "contract" in json.loads(capsys.readouterr().out)["title"]


@pytest.mark.parametrize("report", [large(), large(1), small(), small(finding(), overall=50.0)])
def test_every_report_is_valid_by_its_schema_and_reads_back(report: AuditReport) -> None:
    content = msgspec.json.encode(report)
    validator().validate(json.loads(content))
    assert msgspec.json.decode(content, type=AuditReport) == report


def test_an_audit_that_was_kept_by_an_earlier_release_still_reads() -> None:
    body = msgspec.to_builtins(small(finding()))
    for name in ("schema_version", "title", "definition", "plan", "maturity", "availability"):
        del body[name]
    before = msgspec.convert(body, AuditReport)
    assert before.plan.is_empty
    assert compared(before, small(finding(), overall=70.0)).maturity_before is None


def test_the_file_needs_nothing_from_outside_and_no_script() -> None:
    html = flow.html(large(), None, points())
    assert "<script" not in html
    assert not re.search(r'(src|href)="(?!#)', html)
    assert "url(" not in html and "@import" not in html
    assert len(re.findall(r'<svg [^>]*class="drawn"', html)) == 2
    assert "@page" in html and "counter(page)" in html


def test_what_people_wrote_stays_text_and_every_finding_has_one_place() -> None:
    report = large()
    html = flow.html(report, None, ())
    assert "<b>Åsberg</b>" not in html and "&lt;b&gt;Åsberg&lt;/b&gt;" in html
    assert "<name>" not in html
    places = re.findall(r'<article [^>]*id="([^"]+)"', html)
    assert len(places) == len(set(places)) == len(report.findings) == 60
    linked = set(re.findall(r'href="#(finding-[^"]+)"', html))
    assert linked and linked <= set(places)


def test_colours_are_words_too_and_what_was_asked_is_told_from_what_was_measured() -> None:
    html = flow.html(large(), None, ())
    for words in ("Green: in order", "Yellow: look at it", "Red: repair it", "Asked, not measured:", "Open question:"):
        assert words in html
    assert "<code>answers.systems</code>" in html


def test_the_plan_stands_before_the_answers_and_these_before_the_findings() -> None:
    html = flow.html(large(), compared(small(finding("gone"), made_at=AT - timedelta(days=1)), large()), points())
    order = ["The data cannot carry a pilot", "Since the audit before", "Build plan", "Seven questions", ">Findings<"]
    order += ["Data maturity:", "There at the moment of decision", ">Sources<", "how to read it"]
    assert [html.index(each) for each in order] == sorted(html.index(each) for each in order)
    assert "1 gone, 60 new" in html


def test_long_names_break_behind_their_joints_and_nothing_is_taken_for_markup() -> None:
    assert wording.breakable("weather.temp_fahrenheit <b> 0.78") == "weather.<wbr>temp_<wbr>fahrenheit &lt;b&gt; 0.78"
    page = flow.html(large(), None, ())
    assert "müşteri_<wbr>siparişleri" in page
    assert "<name>" not in page


def test_the_page_counts_the_repairs_of_the_plan_and_asks_people_before_it_proposes() -> None:
    made = large(3)
    page = flow.html(made, None, ())
    assert f"<b>{len(made.plan.blockers)}</b><span>repairs before a pilot" in page
    assert f"<b>{len(made.plan.backlog)}</b><span>repairs would help" in page
    assert f"{len(made.plan.blockers)} repairs must come first" in wording.sentence(made)
    order = [page.index(title) for title in ("Inputs to take out", "Questions that only", "Inputs to try")]
    assert order == sorted(order)


def test_a_report_without_findings_says_that_all_is_well() -> None:
    html = flow.html(small(overall=99.0), None, ())
    assert "Nothing was found that forbids a use or costs quality." in html
    assert "Nothing is left to do" in html


@pytest.fixture
def command(
    work: Workspace,
    shop_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """The command line in a project's folder, beside the shop, once synced: exit code and what was printed."""
    monkeypatch.setenv("PILOTAGE_HOME", str(work.home))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(TEXT)

    def ran(*words: str) -> tuple[int, str]:
        code = run(list(words))
        said = capsys.readouterr()
        return code, said.out if "--json" in words else said.out + said.err

    assert ran("sync", "shop.yaml")[0] == 0
    return ran


def test_the_command_writes_the_report_compares_and_tells_the_history(command: Command, tmp_path: Path) -> None:
    code, said = command("audit", "returns", "--report", "audit.html", "--compare")
    assert code == 0
    assert "keys-do-not-match:visits.store" in said
    assert "There is no audit before this one" in said
    assert "Next: sync more history. Training needs at least 50 positive outcomes, and 19 came." in said
    assert "Returned orders" in (tmp_path / "audit.html").read_text()
    code, said = command("audit", "--compare")
    assert "nothing changed" in said
    code, said = command("audit", "--compare", "2001-01-01")
    assert code == 2 and "no earlier audit 2001-01-01" in said
    code, said = command("audit", "--history", "--json")
    assert [set(point) >= {"id", "overall", "dimensions"} for point in json.loads(said)] == [True] * 3
    code, said = command("audit", "--latest", "--json")
    validator().validate(json.loads(said))


def test_a_dry_run_prints_the_difference_and_the_real_one_names_the_next_command(
    command: Command, tmp_path: Path
) -> None:
    assert command("audit")[0] == 0
    code, said = command("audit", "--apply", "columns", "--only", "placed_at_weekday", "--dry-run")
    assert code == 0
    assert "\n+  placed_at_weekday: {derived: EXTRACT(DOW FROM placed_at), kind: category}\n" in said
    assert (tmp_path / "shop.yaml").read_text() == TEXT
    code, said = command("audit", "--apply", "columns", "--only", "placed_at_weekday")
    assert "Wrote shop.yaml." in said and "Next: pilotage sync shop.yaml" in said
    assert "placed_at_weekday" in (tmp_path / "shop.yaml").read_text()
    code, said = command("audit", "--apply", "answers")
    assert code == 0 and "Wrote shop.yaml." in said, "what was applied before does not hinder the next piece"
    code, said = command("audit", "--apply", "removals")
    assert code == 0 and "Nothing to apply: no input of the file is known to leak." in said
    (tmp_path / "shop.yaml").write_text(TEXT.replace("returned > 0", "returned > 1"))
    code, said = command("audit", "--apply", "answers")
    assert code == 2 and "by more than --apply and answers" in said


def test_the_comparison_is_told_on_later_days_by_identifier_and_by_day(
    work: Workspace, shop_path: Path, clock: FixedClock
) -> None:
    from pilotage.data import flow as data
    from tests.data.shop import shop

    data.sync(work, shop())
    first = flow.run(work, shop())
    clock.advance(timedelta(days=2))
    second = flow.run(work, shop())
    points_kept = flow.history(work, "returns")
    assert [point.made_at for point in points_kept] == [first.made_at, second.made_at]
    for which in ("", points_kept[0].id, "2013-12-05", "2013-12-06"):
        comparison = flow.compared_with(work, second, which)
        assert comparison is not None and comparison.before == first.made_at
    assert flow.compared_with(work, second) is not None


def test_a_report_that_cannot_be_written_says_where(command: Command, tmp_path: Path) -> None:
    code, said = command("audit", "--report", "nowhere/audit.html")
    assert code == 2 and "nowhere/audit.html cannot be written" in said


def test_names_in_brackets_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().table("Findings", ("finding",), [("odd:orders.price [€] [/net] :100:",)])
    assert "odd:orders.price [€] [/net] :100:" in capsys.readouterr().out
