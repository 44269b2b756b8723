"""OFREP over the whole application, asked with OpenFeature's own Python provider as well as by hand."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import (
    ErrorCode,
    FlagNotFoundError,
    OpenFeatureError,
    TargetingKeyMissingError,
    TypeMismatchError,
)
from openfeature.flag_evaluation import Reason
from tests.decisions.protocols import application_of, key_for
from tests.docs.blocks import printed, python_blocks
from tests.living import release
from tests.review.arranging import NAME, adopt

from pilotage.decisions import rules
from pilotage.govern.records import SYSTEM, Role
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage

ALL = "/ofrep/v1/evaluate/flags"


class Flags:
    """The application over one use case in assist for half of its entities, and who asks it."""

    def __init__(self, work: Workspace, address: str, key: str, foreign: str, reader: str) -> None:
        self.work, self.address, self.key, self.foreign, self.reader = work, address, key, foreign, reader
        self.client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=20)

    def provider(self, key: str) -> OFREPProvider:
        return OFREPProvider(self.address, headers_factory=lambda: {"Authorization": f"Bearer {key}"})


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flags]:
    at = FixedClock(datetime(2013, 12, 5, 20, tzinfo=UTC))
    work = open_workspace(Settings(home=tmp_path_factory.mktemp("flags") / "home"), at)
    release(work, adopt(work), 1)
    releasing.set_stage(work, NAME, Stage.ASSIST, 0.5, SYSTEM, "half of them")
    keys = key_for(work, NAME), key_for(work, "another"), key_for(work, NAME, Role.VIEWER)
    with application_of(work) as address:
        flags = Flags(work, address, *keys)
        yield flags
        flags.client.close()
    work.close()


@pytest.fixture
def provider(flags: Flags) -> OFREPProvider:
    return flags.provider(flags.key)


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it comes true in time; asked again and again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False


def test_openfeature_sees_stage_and_switch(provider: OFREPProvider) -> None:
    stage = provider.resolve_string_details(f"{NAME}.stage", "off")
    assert (stage.value, stage.variant, stage.reason) == ("assist", "assist", Reason.STATIC)
    assert stage.flag_metadata["use_case"] == NAME and str(stage.flag_metadata["version"]).startswith("ver_")
    enabled = provider.resolve_boolean_details(f"{NAME}.enabled", False)
    assert (enabled.value, enabled.variant) == (True, "on")


def test_an_entitys_arm_is_the_one_that_decisions_have(provider: OFREPProvider) -> None:
    entities = [f"UA{number}" for number in range(40)]
    found = [provider.resolve_string_details(f"{NAME}.arm", "rule", EvaluationContext(each)) for each in entities]
    assert [each.value for each in found] == [rules.arm_of(NAME, each, Stage.ASSIST, 0.5) for each in entities]
    assert {each.value for each in found} == {"model", "rule"}
    assert {each.reason for each in found} == {Reason.SPLIT}


def test_what_cannot_be_evaluated_is_told_as_openfeature_knows_it(flags: Flags, provider: OFREPProvider) -> None:
    with pytest.raises(TargetingKeyMissingError):
        provider.resolve_string_details(f"{NAME}.arm", "rule")
    for key in ("nowhere.stage", NAME, f"{NAME}.colour", ".stage"):
        with pytest.raises(FlagNotFoundError):
            provider.resolve_string_details(key, "off")
    with pytest.raises(TypeMismatchError):
        provider.resolve_boolean_details(f"{NAME}.stage", False)
    with pytest.raises(FlagNotFoundError):
        flags.provider(flags.foreign).resolve_string_details(f"{NAME}.stage", "off")
    with pytest.raises(OpenFeatureError) as refused:
        flags.provider("pk_nobody").resolve_string_details(f"{NAME}.stage", "off")
    assert (refused.value.error_code, refused.value.error_message) == (ErrorCode.GENERAL, "unauthorized")
    with pytest.raises(OpenFeatureError, match="forbidden"):
        flags.provider(flags.reader).resolve_string_details(f"{NAME}.stage", "off")


def test_all_flags_come_at_once_and_only_when_they_changed(flags: Flags) -> None:
    reply = flags.client.post(ALL, json={"context": {"targetingKey": "UA1"}})
    found = {each["key"]: each["value"] for each in reply.json()["flags"]}
    arm = rules.arm_of(NAME, "UA1", Stage.ASSIST, 0.5)
    assert found == {f"{NAME}.stage": "assist", f"{NAME}.enabled": True, f"{NAME}.arm": arm}
    tag = reply.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = flags.client.post(ALL, json={"context": {"targetingKey": "UA1"}}, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = flags.client.post(ALL, json={}, headers={"If-None-Match": tag})
    assert other.status_code == 200
    assert other.json()["flags"][2]["errorCode"] == "TARGETING_KEY_MISSING"


def test_a_key_sees_only_the_flags_of_its_use_cases(flags: Flags) -> None:
    reply = flags.client.post(ALL, json={}, headers={"Authorization": f"Bearer {flags.foreign}"})
    assert (reply.status_code, reply.json()) == (200, {"flags": []})
    refused = httpx.post(f"{flags.address}{ALL}", json={})
    assert (refused.status_code, refused.json()["errorCode"]) == (401, "GENERAL")
    other_header = httpx.post(f"{flags.address}{ALL}", json={}, headers={"X-API-Key": flags.key})
    assert len(other_header.json()["flags"]) == 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b'{"context": 1}', "PARSE_ERROR"),
        (b"\xff", "PARSE_ERROR"),
        (b'{"context": {"targetingKey": "a", "targetingKey": "b"}}', "PARSE_ERROR"),
        (b'{"context": {"targetingKey": 7}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": ""}}', "TARGETING_KEY_MISSING"),
        (b'{"context": {"targetingKey": "\\ud800"}}', "PARSE_ERROR"),
        (b'{"context":' * 5000 + b"1" + b"}" * 5000, "PARSE_ERROR"),
    ],
)
def test_a_request_that_cannot_be_read_is_told_why(flags: Flags, body: bytes, code: str) -> None:
    refused = flags.client.post(f"{ALL}/{NAME}.arm", content=body)
    assert (refused.status_code, refused.json()["errorCode"], refused.json()["key"]) == (400, code, f"{NAME}.arm")


def test_without_a_body_there_is_no_context(flags: Flags) -> None:
    assert flags.client.post(f"{ALL}/{NAME}.stage").json()["value"] == "assist"
    wrong = flags.client.get(f"{ALL}/{NAME}.stage")
    assert (wrong.status_code, wrong.json()["errorCode"]) == (405, "GENERAL")


@contextlib.contextmanager
def switched_off(work: Workspace) -> Iterator[None]:
    releasing.disable(work, NAME, SYSTEM, "it errs")
    try:
        yield
    finally:
        releasing.enable(work, NAME, SYSTEM, "it does not")


def test_a_switch_shows_within_a_second(flags: Flags, provider: OFREPProvider) -> None:
    entity = next(each for each in map(str, range(99)) if rules.arm_of(NAME, each, Stage.ASSIST, 0.5) == "model")
    with switched_off(flags.work):
        assert within(1.0, lambda: not provider.resolve_boolean_details(f"{NAME}.enabled", True).value)
        arm = provider.resolve_string_details(f"{NAME}.arm", "model", EvaluationContext(entity))
        assert (arm.value, arm.reason) == ("rule", Reason.DISABLED)
    assert within(1.0, lambda: provider.resolve_boolean_details(f"{NAME}.enabled", False).value)


def test_the_how_tos_program_runs_as_it_stands(flags: Flags) -> None:
    (program,) = python_blocks("how-to/see-the-switch-with-openfeature.md")
    arm = rules.arm_of(NAME, "UA1545-2013-12-05", Stage.ASSIST, 0.5)
    told = {"PILOTAGE_ADDRESS": flags.address, "PILOTAGE_KEY": flags.key}
    assert printed(sys.executable, program, **told) == f"assist True {arm}\n"
