"""The build plan, and its pieces written into the project's files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pilotage.audit import flow
from pilotage.audit.measured import Measured
from pilotage.audit.measured.personal import PersonalColumn, PersonalFigures
from pilotage.audit.records import BuildPlan, Cost, Finding
from pilotage.audit.rules.answers import answers
from pilotage.audit.rules.plan import build_plan, inputs_of
from pilotage.data import flow as data
from pilotage.data.contracts.reading import parsed
from pilotage.govern.records import SYSTEM
from pilotage.platform.errors import Conflict, EvidenceMissing, InvalidFile, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition, read_definition
from pilotage.usecase.records import Definition
from tests.audit.reports import finding
from tests.audit.shop_figures import figures
from tests.data.conftest import shop_path
from tests.data.shop import TEXT, fill, shop

__all__ = ["figures", "shop_path"]


def of(measured: Measured, *found: Finding, definition: Definition | None = None) -> BuildPlan:
    definition = definition or shop()
    return build_plan(definition, measured, found, answers(definition, measured, found), ("orders",))


def test_repairs_are_ordered_by_what_they_are_worth(figures: Measured) -> None:
    plan = of(
        figures,
        finding("stops", "blocks"),
        finding("small", share=0.01),
        finding("large", share=0.3),
        finding("dear", cost=Cost("skill", 0.05, "0.05 AUC"), share=0.001),
        finding("known", "informs", share=0.9),
        finding("priced", "informs", cost=Cost("rows", 0.02, "2 % of decisions")),
    )
    assert [step.finding.split(":")[0] for step in plan.blockers] == ["stops"]
    assert [step.finding.split(":")[0] for step in plan.backlog] == ["dear", "priced", "large", "small"]
    assert [step.worth for step in plan.backlog] == ["0.05 AUC", "2 % of decisions", "30.0% of rows", "1.0% of rows"]
    assert plan.backlog[0].owner == "data@example.com"
    assert plan.uncontracted == ("visits", "returns")


def test_every_column_is_led_back_to_its_input() -> None:
    origins = inputs_of(shop())
    assert tuple(origins) == shop().plan.names
    assert [origins[name] for name in origins if "mean" in name] == ["visit_mean", "visit_mean"]


def test_a_leaking_input_is_proposed_for_removal_once_a_part_of_one_by_its_columns(figures: Measured) -> None:
    text = TEXT.replace(
        "last_grade: {latest: visits, by: store, take: grade, kind: category, within: 1 day}\n",
        "both: {latest: visits, by: store, take: [score, visit_id], within: 1 day}\n",
    )
    definition = shop(text)
    whole = finding("known-after-decision", "blocks", "leakage", "visits", "score", figures={"inputs": ["last_score"]})
    part = finding("too-good-to-be-true", "blocks", "leakage", "visits", "both_visit_id")
    removals = of(figures, whole, whole, part, definition=definition).removals
    assert [(each.input, each.columns) for each in removals] == [("last_score", ()), ("both", ("visit_id",))]
    warned = finding("known-after-decision", "warns", "leakage", "visits", "score", figures={"inputs": ["last_score"]})
    assert of(figures, warned).removals == ()


def test_nothing_is_proposed_that_identifies_or_is_used_already(figures: Measured) -> None:
    proposals = {each.name: each for each in of(figures).proposals}
    assert "placed_at_weekday" in proposals
    assert "placed_at_hour" not in proposals, "the file has it"
    assert not any("visit_id" in each.lines or "order_id" in each.lines for each in proposals.values())
    assert "score" not in "".join(each.lines for each in proposals.values() if each.form == "windows")


def test_what_may_be_personal_leaks_or_is_mostly_empty_is_not_proposed(work: Workspace, shop_path: Path) -> None:
    columns = "order_id TEXT, weight REAL, name TEXT, late REAL, rare REAL, same REAL, "
    columns += "placed_at DATETIME, known_at DATETIME, store TEXT, amount REAL"
    read = work_with(work, shop_path, columns)
    names = {name for each in of(read).proposals for name in each.request}
    assert names == {"weight", "late"}
    personal = PersonalFigures((PersonalColumn("orders", "weight", "a weight", "name"),))
    leaks = finding("too-good-to-be-true", "informs", "leakage", "orders", "late")
    changed = msgspec.structs.replace(read, personal=personal)
    assert {name for each in of(changed, leaks).proposals for name in each.request} == set()


def work_with(work: Workspace, shop_path: Path, columns: str) -> Measured:
    """The shop's figures where orders have more columns: a name of its own in each row, one rare, one constant."""
    import pysqlite3

    from pilotage.audit.flow.measuring_all import measure

    connection = pysqlite3.connect(str(shop_path))
    rows = connection.execute("SELECT order_id, placed_at, known_at, store, amount FROM orders").fetchall()
    connection.execute("DROP TABLE orders")
    connection.commit()
    connection.close()
    more = [(r[0], n % 7, f"Name {n}", n % 5, 1.0 if n < 5 else None, 1.0, *r[1:]) for n, r in enumerate(rows)]
    fill(shop_path, "orders", more, columns)
    data.sync(work, shop())
    return measure(work, shop(), data.current_snapshots(work, shop()))


@pytest.fixture
def project(work: Workspace, shop_path: Path, tmp_path: Path) -> Path:
    """A project's folder with the shop's file, adopted, synced and audited."""
    path = tmp_path / "project" / "shop.yaml"
    path.parent.mkdir()
    path.write_text(
        "# Our shop\n" + TEXT.replace("title: Returned orders", "title: 'Returned orders'  # as people say")
    )
    definition = read_definition(path)
    data.adopt_and_sync(work, definition, SYSTEM, str(path))
    flow.run(work, definition)
    return path


def test_proposed_columns_are_written_and_the_file_still_reads(work: Workspace, project: Path) -> None:
    before = project.read_text()
    changes = flow.edits(work, read_definition(project), "columns")
    assert project.read_text() == before, "nothing is written before apply"
    assert all(line.startswith(("+", "@@", "---", " ")) for line in changes[0].difference.splitlines())
    flow.apply(changes)
    after = read_definition(project)
    assert "placed_at_weekday" in after.use_case.inputs
    assert "title: 'Returned orders'  # as people say" in after.text
    data.adopt_and_sync(work, after, SYSTEM, str(project))
    assert flow.run(work, after).plan.proposals == ()


def test_one_proposal_is_chosen_by_its_name(work: Workspace, project: Path) -> None:
    change = flow.edits(work, read_definition(project), "columns", ["placed_at_weekday"])[0]
    added = [line for line in change.difference.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert added == ["+  placed_at_weekday: {derived: EXTRACT(DOW FROM placed_at), kind: category}"]
    with pytest.raises(NotFound, match="proposes no input 'nothing'"):
        flow.edits(work, read_definition(project), "columns", ["nothing"])


def test_open_questions_are_written_under_answers(work: Workspace, project: Path) -> None:
    flow.apply(flow.edits(work, read_definition(project), "answers"))
    assert '\nanswers:\n  systems: ""  # Which other systems know something' in project.read_text()
    assert read_definition(project).use_case.answers.systems == ""


def test_contracts_are_drafted_for_the_sources_without_one(work: Workspace, project: Path) -> None:
    definition = read_definition(project)
    changes = flow.edits(work, definition, "contract", ["visits"])
    assert [change.path for change in changes] == [project.parent / "contracts" / "visits.yaml"]
    assert not changes[0].path.exists()
    flow.apply(changes)
    assert [change.path.stem for change in flow.edits(work, definition, "contract")] == ["orders", "returns"]
    assert parsed(changes[0].path.read_text(), "visits.yaml").contract == "visits"
    data.adopt_and_sync(work, definition, SYSTEM, str(project))
    assert flow.run(work, definition).plan.uncontracted == ("orders", "returns")
    with pytest.raises(NotFound, match="misses no contract 'visits'"):
        flow.edits(work, definition, "contract", ["visits"])


def leaking(work: Workspace, definition: Definition, *inputs: str) -> None:
    """Keep an audit of a definition that calls these inputs leaking."""
    from pilotage.usecase.flow import keep_evidence

    report = flow.run(work, definition)
    found = tuple(finding("known-after-decision", "blocks", "leakage", "visits", name) for name in inputs)
    plan = build_plan(definition, measured_of(work, definition), found, (), ())
    report = msgspec.structs.replace(report, findings=found, plan=plan)
    keep_evidence(work, definition, "audit", msgspec.to_builtins(report))


def measured_of(work: Workspace, definition: Definition) -> Measured:
    from pilotage.audit.flow.measuring_all import measure

    return measure(work, definition, data.current_snapshots(work, definition))


def test_a_leaking_input_is_taken_out_unless_something_still_needs_it(work: Workspace, project: Path) -> None:
    definition = read_definition(project)
    leaking(work, definition, "last_grade")
    change = flow.edits(work, definition, "removals")[0]
    assert [line for line in change.difference.splitlines() if line.startswith("-") and not line.startswith("---")] == [
        "-  last_grade: {latest: visits, by: store, take: grade, kind: category, within: 1 day}"
    ]
    leaking(work, definition, "last_score")
    with pytest.raises(InvalidFile) as caught:
        flow.edits(work, definition, "removals")
    assert caught.value.problems[0].where == "rule.positive"
    assert project.read_text() == definition.text


def test_a_file_that_changed_since_it_was_adopted_is_not_written(work: Workspace, project: Path) -> None:
    definition = read_definition(project)
    changes = flow.edits(work, definition, "answers")
    project.write_text(definition.text + "# one more thought\n")
    with pytest.raises(Conflict, match="changed meanwhile"):
        flow.apply(changes)
    with pytest.raises(Conflict, match="differs from what was adopted"):
        flow.edits(work, definition, "answers")
    assert project.read_text().endswith("# one more thought\n")


def test_a_use_case_is_audited_before_anything_is_applied(work: Workspace, project: Path) -> None:
    text = project.read_text() + "# another text\n"
    project.write_text(text)
    changed = read_definition(project)
    data.adopt_and_sync(work, changed, SYSTEM, str(project))
    with pytest.raises(EvidenceMissing, match="as its file is now, was never audited"):
        flow.edits(work, changed, "columns")


def test_a_use_case_without_a_file_says_so(work: Workspace, shop_path: Path) -> None:
    definition = parse_definition(TEXT, "shop.yaml")
    data.adopt_and_sync(work, definition, SYSTEM, "")
    flow.run(work, definition)
    with pytest.raises(NotFound, match="was not adopted from a file"):
        flow.edits(work, definition, "answers")
