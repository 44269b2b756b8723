"""The build plan, and its pieces written into the project's files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pilotage.audit import flow
from pilotage.audit.measured import Measured
from pilotage.audit.measured.personal import PersonalColumn, PersonalFigures
from pilotage.audit.measured.reference import ReferenceFigures
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


def test_repairs_are_ordered_by_the_share_at_stake_which_they_say_and_no_hint_stands_above_a_warning(
    figures: Measured,
) -> None:
    """0.05 points are a tenth of the half point that a perfect model would have over a coin."""
    figures = msgspec.structs.replace(figures, reference=ReferenceFigures(auc=1.0))
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
    assert [step.finding.split(":")[0] for step in plan.backlog] == ["large", "dear", "small", "priced"]
    worth = ["30.0% of rows", "10.0% of model skill", "1.0% of rows", "2.0% of rows"]
    assert [step.worth for step in plan.backlog] == worth
    assert [step.at_stake for step in plan.backlog] == pytest.approx([0.3, 0.1, 0.01, 0.02])
    assert plan.backlog[0].owner == "data@example.com"
    assert plan.uncontracted == ("visits", "returns")


def test_what_asks_for_nothing_or_is_worth_next_to_nothing_is_no_repair(figures: Measured) -> None:
    plan = of(
        figures,
        finding("known", "informs", cost=Cost("rows", 0.5, ""), repair="Nothing to do: it is as it should be."),
        finding("seen", "warns", share=0.5, repair="Nothing to do, if a day is young enough."),
        finding("dust", "informs", cost=Cost("rows", 0.0001, "")),
    )
    assert plan.backlog == ()


def test_findings_of_one_cause_are_one_repair(figures: Measured) -> None:
    plan = of(
        figures,
        finding("spelled", column="region", share=0.2),
        finding("spelled", column="town", share=0.1),
        finding("spelled", source="visits", column="region", share=0.3),
        finding("spelled", source="visits", column="street", share=0.01, owner="other@example.com"),
        finding("spelled", "informs", column="note", cost=Cost("rows", 0.4, "")),
    )
    assert [(step.finding, step.also) for step in plan.backlog] == [
        ("spelled:visits.region", ("spelled:orders.region",)),
        ("spelled:orders.town", ()),
        ("spelled:visits.street", ()),
        ("spelled:orders.note", ()),
    ]


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
    more = [
        (r[0], n % 7 + 3 * (n % 3 == 0), f"Name {n}", n % 5 + 2 * (n % 3 == 0), 1.0 if n < 5 else None, 1.0, *r[1:])
        for n, r in enumerate(rows)
    ]
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
    flow.apply(work, read_definition(project), changes)
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
    flow.apply(work, read_definition(project), flow.edits(work, read_definition(project), "answers"))
    assert '\nanswers:\n  systems: ""  # Which other systems know something' in project.read_text()
    assert read_definition(project).use_case.answers.systems == ""


def test_contracts_are_drafted_for_the_sources_without_one(work: Workspace, project: Path) -> None:
    definition = read_definition(project)
    changes = flow.edits(work, definition, "contract", ["visits"])
    assert [change.path for change in changes] == [project.parent / "contracts" / "visits.yaml"]
    assert not changes[0].path.exists()
    flow.apply(work, read_definition(project), changes)
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


def foreign(text: str) -> str:
    """The shop's file after somebody changed what is decided."""
    return text.replace("returned > 0", "returned > 1")


def test_a_file_that_somebody_changed_is_not_written(work: Workspace, project: Path) -> None:
    definition = read_definition(project)
    changes = flow.edits(work, definition, "answers")
    project.write_text(foreign(definition.text))
    with pytest.raises(Conflict, match="changed meanwhile"):
        flow.apply(work, definition, changes)
    with pytest.raises(Conflict, match="by more than --apply and answers, and differs from what was adopted") as caught:
        flow.edits(work, definition, "answers")
    assert "pilotage sync" in caught.value.repair
    assert project.read_text() == foreign(definition.text)


def test_a_changed_use_case_is_audited_before_anything_is_applied(work: Workspace, project: Path) -> None:
    project.write_text(foreign(project.read_text()))
    changed = read_definition(project)
    data.adopt_and_sync(work, changed, SYSTEM, str(project))
    with pytest.raises(EvidenceMissing, match="changed since its newest audit"):
        flow.edits(work, changed, "columns")


def test_piece_after_piece_is_applied_without_another_audit(work: Workspace, project: Path) -> None:
    definition = read_definition(project)
    for piece in ("columns", "answers", "contract"):
        flow.apply(work, definition, flow.edits(work, definition, piece))  # type: ignore[arg-type]
        assert flow.edits(work, definition, piece) == [], f"{piece} are applied once"  # type: ignore[arg-type]
    after = read_definition(project)
    assert "placed_at_weekday" in after.use_case.inputs
    data.adopt_and_sync(work, after, SYSTEM, str(project))
    assert flow.edits(work, after, "contract") == []
    comparison = flow.compared_with(work, flow.run(work, after))
    assert comparison is not None


def test_answers_and_remarks_of_people_leave_the_audit_standing(work: Workspace, project: Path) -> None:
    definition = read_definition(project)
    flow.apply(work, definition, flow.edits(work, definition, "answers", ["repair"]))
    text = project.read_text().replace('repair: ""', 'repair: "By a ticket."') + "# one more thought\n"
    project.write_text(text)
    change = flow.edits(work, definition, "columns")[0]
    assert change.before == text
    flow.apply(work, definition, [change])
    assert read_definition(project).use_case.answers.repair == "By a ticket."


def test_a_foreign_edit_after_an_own_one_is_told_from_it(work: Workspace, project: Path) -> None:
    definition = read_definition(project)
    flow.apply(work, definition, flow.edits(work, definition, "columns", ["placed_at_weekday"]))
    project.write_text(foreign(project.read_text()))
    with pytest.raises(Conflict, match="changed since its newest audit"):
        flow.edits(work, definition, "answers")


def test_the_command_says_what_is_applied_and_that_nothing_is_left(
    work: Workspace, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pilotage.audit.commands import audit

    monkeypatch.setenv("PILOTAGE_HOME", str(work.settings.home))
    audit(str(project), apply="columns")
    audit(str(project), apply="contract")
    audit("returns", apply="contract")
    audit("returns", apply="removals")
    said = capsys.readouterr().out
    assert said.count("Wrote ") == 4
    assert "Nothing to apply: every source has a contract file." in said
    assert "Nothing to apply: no input of the file is known to leak." in said


def test_a_use_case_without_a_file_says_so(work: Workspace, shop_path: Path) -> None:
    definition = parse_definition(TEXT, "shop.yaml")
    data.adopt_and_sync(work, definition, SYSTEM, "")
    flow.run(work, definition)
    with pytest.raises(NotFound, match="was not adopted from a file"):
        flow.edits(work, definition, "answers")


def test_what_the_outcome_is_made_of_is_never_proposed(work: Workspace, shop_path: Path) -> None:
    columns = "order_id TEXT, weight REAL, name TEXT, late REAL, rare REAL, same REAL, "
    columns += "placed_at DATETIME, known_at DATETIME, store TEXT, amount REAL"
    read = work_with(work, shop_path, columns)
    assert "late" in {name for each in of(read).proposals for name in each.request}
    own = shop(TEXT.replace("source: returns\n  positive: returned > 0", "source: orders\n  positive: late > 3"))
    assert not any("late" in each.lines for each in of(read, definition=own).proposals)


def test_nothing_is_counted_by_what_names_a_person(figures: Measured) -> None:
    proposals = of(figures).proposals
    assert [each.name for each in proposals if each.form == "windows"] == ["orders_counts"]
    assert "Not measured; " in proposals[0].why
    assert len(proposals) <= 8
    people = PersonalFigures((PersonalColumn("visits", "store", "names of people", "values"),))
    named = of(msgspec.structs.replace(figures, personal=people)).proposals
    assert not any("by: store" in each.lines for each in named if each.form == "windows")


def test_a_date_that_is_later_than_the_decision_is_taken_out_and_nothing_more_is_made_of_it(figures: Measured) -> None:
    later = finding("later-than-decision", "warns", "leakage", "orders", "placed_at", figures={"inputs": ["hour"]})
    plan = of(figures, later)
    assert [each.input for each in plan.removals] == ["hour"]
    assert not any("placed_at" in each.lines for each in plan.proposals)
    planned = msgspec.structs.replace(later, severity="informs")
    assert of(figures, planned).removals == ()
    assert "placed_at_weekday" in {each.name for each in of(figures, planned).proposals}


def with_bare_keys(by: str) -> str:
    """The shop, whose visits have an ``id`` of their own, as the orders have."""
    text = TEXT.replace("key: [order_id]", "key: [id]").replace("key: [visit_id]", "key: [id]")
    text = text.replace("entity: order_id", "entity: id").replace("store: {kind", "visit: category\n    store: {kind")
    last = "last_score: {latest: visits, by: store,"
    return text.replace(last, last.replace("store", by)) if by else text


@pytest.mark.parametrize(
    ("by", "lines"),
    [
        ("", None),
        ("{visit: id}", "visits_words_by_visit:\n  latest: visits\n  by: {visit: id}\n  take: grade\n  kind: category"),
    ],
)
def test_a_bare_key_is_looked_up_only_as_the_file_has_it_already(figures: Measured, by: str, lines: str | None) -> None:
    definition = shop(with_bare_keys(by))
    looked_up = [each.lines for each in of(figures, definition=definition).proposals if each.form == "latest"]
    assert [each.partition("\n  within")[0] for each in looked_up] == ([lines] if lines else [])
