"""The brief, the lints, the schema and the commands that print them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from pilotage.cli.main import run as run_command
from pilotage.models.rules import thresholds
from pilotage.usecase.records import UseCase
from pilotage.usecase.rules.brief import brief_of, markdown
from pilotage.usecase.rules.lints import CHECKS, lints
from pilotage.usecase.rules.schema import json_schema
from tests.usecase.example import TEXT, changed, defined, place

STANDING_OUT = (
    ("kpi: Rebooking cost per late arrival", "kpi: AUC above 0.8", "model-metric-without-business-metric"),
    ("  latency_ms: 100\n", "", "no-latency-budget"),
    ("  default: negative\n", "", "no-fallback"),
    ("  risk: limited", "  risk: high", "no-human-review"),
    ("data_owner: data-desk@airline.example\n", "", "no-data-owner"),
    ("positive: aircraft_delay > 30", "positive: FALSE", "no-rule-to-beat"),
    ("event_time: departure, known_at: published_at", "event_time: departure, known_at: departure", "one-clock"),
    ("policy:", "rollout: {assist_share: 0.9}\npolicy:", "expansion-before-evidence"),
    ("  says: arrives more", "  matures: 120 days\n  says: arrives more", "late-outcomes"),
    ("latest: weather", "latest: arrivals", "unused-source"),
    (
        "\nrule:",
        "  own: {latest: arrivals, by: flight_id, take: late}\nhuman: {source: arrivals, decided: late}\nrule:",
        "copied-people",
    ),
    ("policy:", "guessed: {outcome.positive: the only number}\npolicy:", "guessed"),
)


def test_a_careful_file_has_no_warning() -> None:
    assert lints(defined()) == []


@pytest.mark.parametrize(("old", "new", "identifier"), STANDING_OUT)
def test_a_known_way_to_fail_is_found_with_message_and_remedy(old: str, new: str, identifier: str) -> None:
    found = [lint for lint in lints(defined((old, new))) if lint.id == identifier]
    assert len(found) == 1
    assert found[0].message
    assert found[0].remedy
    assert found[0].line > 0


def test_personal_data_under_minimal_risk_is_found() -> None:
    definition = defined(("risk: limited", "risk: minimal"), ("{kind: number,", "{kind: number, personal: true,"))
    assert [lint.id for lint in lints(definition)] == ["personal-data-minimal-risk"]


def test_every_lint_is_tried() -> None:
    assert {identifier for _, _, identifier in STANDING_OUT} | {"personal-data-minimal-risk"} == set(CHECKS)


def test_a_lint_stands_at_its_line() -> None:
    text = changed(("kpi: Rebooking cost per late arrival", "kpi: AUC above 0.8"))
    (lint,) = lints(defined(("kpi: Rebooking cost per late arrival", "kpi: AUC above 0.8")))
    assert (lint.line, lint.column) == place(text, "AUC above 0.8")


def test_the_brief_says_what_people_must_agree_on() -> None:
    text = markdown(defined())
    for part in ("Dispatch planners", "25%", "Leave as planned", "+180.00 USD", "100 ms", "dispatch-lead@", "20%"):
        assert part in text
    assert len(brief_of(defined())) == 5


@pytest.mark.parametrize(
    ("caught", "false_alarm", "told"), [(50_000, -10, "0.020%"), (10, -50_000, "99.980%"), (180, -60, "25%")]
)
def test_the_brief_says_the_threshold_that_is_acted_by(caught: float, false_alarm: float, told: str) -> None:
    definition = defined(("caught: 180, false_alarm: -60", f"caught: {caught}, false_alarm: {false_alarm}"))
    acted_by = thresholds.threshold(definition.use_case.policy, definition.use_case.brief.value)
    assert acted_by == pytest.approx(float(told[:-1]) / 100, abs=1e-6)
    assert f"act from a probability of {told}, where acting begins to pay" in markdown(definition)


def fits(value: Any, schema: dict[str, Any], defs: dict[str, Any]) -> bool:
    """The part of JSON Schema that our schema uses."""
    if "$ref" in schema:
        return fits(value, defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        return any(fits(value, one, defs) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kinds: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "number": (int, float),
        "integer": int,
        "boolean": bool,
    }
    if not isinstance(value, kinds.get(schema.get("type", ""), object)):
        return schema.get("type") == "null" and value is None
    if isinstance(value, list):
        return all(fits(item, schema.get("items", {}), defs) for item in value)
    if not isinstance(value, dict):
        return True
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    return set(schema.get("required", ())) <= set(value) and all(
        fits(item, known[name], defs) if name in known else others is not False and fits(item, others or {}, defs)
        for name, item in value.items()
    )


def test_the_schema_accepts_the_example_and_refuses_an_unknown_key() -> None:
    schema = json_schema()
    document = yaml.safe_load(TEXT)
    assert fits(document, schema, schema["$defs"])
    assert not fits({**document, "ownr": "x"}, schema, schema["$defs"])
    assert isinstance(msgspec.convert(document, UseCase), UseCase)


def test_the_schema_explains_the_two_clocks() -> None:
    source = json_schema()["$defs"]["Source"]
    assert "two clocks" in source["description"]
    assert source["properties"]["known_at"]["description"] == "Column: when it could first be known."


def run(*arguments: str) -> int:
    return run_command(list(arguments))


def test_check_says_what_is_derived_and_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "late.yaml"
    file.write_text(TEXT)
    assert run("check", str(file)) == 0
    said = capsys.readouterr().out
    assert "15 columns from 5 that the app sends and 3 sources" in said
    assert f"Next: pilotage sync {file}" in said


def test_check_names_every_mistake_with_file_line_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = changed(("risk: limited", "risk: medium"), ("latest: arrivals", "latest: arivals"))
    file = tmp_path / "late.yaml"
    file.write_text(text)
    assert run("check", str(file)) == 2
    said = capsys.readouterr().out
    for part, where in (("medium", "brief.risk"), ("arivals", "inputs.aircraft_delay.latest")):
        line, column = place(text, part)
        assert f"{file}:{line}:{column} {where}: " in said


def test_check_answers_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "late.yaml"
    file.write_text(changed(("risk: limited", "risk: medium")))
    assert run("check", str(file), "--json") == 2
    document = msgspec.json.decode(capsys.readouterr().out)
    assert document["valid"] is False
    assert document["problems"][0]["where"] == "brief.risk"


def test_brief_and_schema_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    file = tmp_path / "late.yaml"
    file.write_text(TEXT)
    assert run("brief", str(file)) == 0
    assert capsys.readouterr().out.startswith("# Late arrivals")
    assert run("schema") == 0
    assert msgspec.json.decode(capsys.readouterr().out)["title"] == "Pilotage use case"
