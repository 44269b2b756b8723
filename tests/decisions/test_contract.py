"""Requests are decoded by their use case's contract; one that does not fit is explained field by field."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from pilotage.data.records import SourceTypes
from pilotage.decisions.contract import TEXT_CHARACTERS_MAX, Contract
from pilotage.platform.errors import InvalidRequest
from pilotage.usecase.records import Plan, RequestColumn

PLAN = Plan(
    entity="flight_id",
    moment="scheduled_departure",
    request={
        "carrier": RequestColumn(kind="category"),
        "tail_number": RequestColumn(kind="category", required=False),
        "distance_miles": RequestColumn(kind="number", unit="miles"),
        "scheduled_departure": RequestColumn(kind="datetime"),
    },
    columns=(),
    fingerprint="",
)
GOOD = {
    "flight_id": "20131205-UA1-EWR",
    "carrier": "UA",
    "distance_miles": 1400,
    "scheduled_departure": "2013-12-05T17:00:00-05:00",
}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(PLAN)


def refused(contract: Contract, body: bytes) -> str:
    with pytest.raises(InvalidRequest) as caught:
        contract.decode(body)
    return " | ".join(str(problem) for problem in caught.value.problems)


def changed(**fields: object) -> bytes:
    return msgspec.json.encode({**GOOD, **fields})


def test_it_decodes_into_entity_and_columns_with_instants_in_utc(contract: Contract) -> None:
    entity, request = contract.decode(msgspec.json.encode(GOOD))
    assert entity == "20131205-UA1-EWR"
    assert request["scheduled_departure"] == datetime(2013, 12, 5, 22, tzinfo=UTC)
    assert request["tail_number"] is None
    assert request["distance_miles"] == 1400.0


def test_an_unknown_field_is_named_with_the_known_ones(contract: Contract) -> None:
    said = refused(contract, changed(carier="UA"))
    assert "carier: is not a field of this use case." in said
    assert "carrier" in said


def test_all_mistakes_are_named_at_once(contract: Contract) -> None:
    said = refused(contract, b'{"flight_id": "x", "carrier": 7, "distance_miles": "far"}')
    assert "carrier: must be a text; a number came." in said
    assert "distance_miles: must be a number; a text came." in said
    assert "scheduled_departure: is missing; wanted an instant" in said


def test_nan_is_refused_with_what_to_send_instead(contract: Contract) -> None:
    said = refused(contract, b'{"flight_id": "x", "distance_miles": NaN}')
    assert "NaN and Infinity are not JSON: leave the field out or send null." in said


def test_a_number_beyond_all_numbers_is_refused(contract: Contract) -> None:
    assert "distance_miles" in refused(contract, changed().replace(b"1400", b"1e999"))


def test_a_body_that_is_no_object_is_refused(contract: Contract) -> None:
    assert "must be a JSON object; a list came." in refused(contract, b"[1, 2]")


def test_bytes_that_are_no_text_are_refused(contract: Contract) -> None:
    assert "must be JSON" in refused(contract, b"\xff\xfe\x00")


@pytest.mark.parametrize("entity", ["", "x" * 201, "t\0", "t\n"])
def test_an_entity_needs_a_name_that_can_be_printed(contract: Contract, entity: str) -> None:
    assert "must be a text of 1 to 200 printable characters" in refused(contract, changed(flight_id=entity))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[" * 50_000, "body: must be JSON"),
        (b'{"flight_id": "\xff"}', "body: must be JSON"),
        (changed(scheduled_departure="2013-12-05T17:00:00"), "must name its time zone. Add Z for UTC"),
        (changed(scheduled_departure="0001-01-01T00:00:00+14:00"), "must lie between the years 1 and 9999"),
        (changed().replace(b"1400", b"9" * 400), "distance_miles: must be a number; a number beyond all bounds came."),
    ],
    ids=["depth", "bytes", "zone", "year", "digits"],
)
def test_hostile_bodies_are_told_what_is_wrong_with_them(contract: Contract, body: bytes, said: str) -> None:
    assert said in refused(contract, body)


def test_the_schema_names_units_and_what_is_required(contract: Contract) -> None:
    schema = contract.schema()
    assert schema["properties"]["distance_miles"]["description"] == "in miles"
    assert set(schema["required"]) == {"flight_id", "carrier", "distance_miles", "scheduled_departure"}
    assert schema["additionalProperties"] is False


def test_a_text_has_a_length_that_the_schema_tells() -> None:
    plan = Plan("mail", "", {"body": RequestColumn(kind="text")}, (), "")
    contract = Contract(plan)
    longest = "x" * TEXT_CHARACTERS_MAX
    assert contract.decode(msgspec.json.encode({"mail": "1", "body": longest}))[1] == {"body": longest}
    said = refused(contract, msgspec.json.encode({"mail": "1", "body": longest + "x"}))
    assert said == "body: must be a text of at most 100,000 characters; one of 100,001 came."
    assert contract.schema()["properties"]["body"] == {"type": "string", "maxLength": 100_000}


AS_IN_SOURCE = SourceTypes(whole=frozenset({"flight_id", "carrier"}), days=frozenset({"scheduled_departure"}))


def test_integers_and_days_are_taken_as_their_source_has_them() -> None:
    body = changed(flight_id=99999, carrier=7, scheduled_departure="2017-08-31")
    entity, request = Contract(PLAN, AS_IN_SOURCE).decode(body)
    assert (entity, request["carrier"]) == ("99999", "7")
    assert request["scheduled_departure"] == datetime(2017, 8, 31, tzinfo=UTC)


def test_where_the_source_has_texts_and_times_integers_and_days_are_refused(contract: Contract) -> None:
    said = refused(contract, changed(flight_id=99999, scheduled_departure="2017-08-31"))
    assert "flight_id: must be a text; a number came." in said
    assert "scheduled_departure: must be an instant" in said


def test_what_is_no_integer_or_day_is_refused_all_the_same() -> None:
    said = refused(Contract(PLAN, AS_IN_SOURCE), changed(flight_id=1.5, carrier=True, scheduled_departure="31.8.2017"))
    assert said.count("must be") == 3
    assert "scheduled_departure: must be" in refused(
        Contract(PLAN, AS_IN_SOURCE), changed(scheduled_departure="2017-02-31")
    )


def test_the_schema_says_what_else_is_taken() -> None:
    properties = Contract(PLAN, AS_IN_SOURCE).schema()["properties"]
    assert properties["flight_id"] == {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    assert {"type": "string", "format": "date"} in properties["scheduled_departure"]["anyOf"]
    assert "anyOf" not in Contract(PLAN).schema()["properties"]["flight_id"]


def test_the_known_fields_are_named_once_however_many_are_unknown(contract: Contract) -> None:
    said = refused(contract, changed(carier="UA", orign="EWR", distnce=3))
    assert said.count("is not a field of this use case.") == 3
    assert said.count("Known:") == 1


@pytest.mark.parametrize(
    "body",
    [
        changed(tail_number=None).replace(b'"carrier"', b'"tail_number":null,"carrier"'),
        changed(tail_number=None).replace(b'"carrier"', b'"carrier":null,"carrier"'),
        changed(tail_number="N1").replace(b'"carrier"', b'"tail_number":null,"carrier"'),
        changed().replace(b'"carrier"', b'"distance_miles":1,"carrier"'),
        changed(flight_id='"tail_number":').replace(b'"carrier"', b'"distance_miles":1,"carrier"'),
    ],
)
def test_a_field_that_comes_twice_is_refused_whatever_else_is_null_or_left_out(contract: Contract, body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="twice"):
        contract.decode(body)


@pytest.mark.parametrize("name", ["distance_miles", "flight_number"])
def test_a_field_that_comes_twice_is_refused_beside_an_integer_that_is_a_text(name: str) -> None:
    plan = msgspec.structs.replace(PLAN, request={**PLAN.request, "flight_number": RequestColumn(kind="category")})
    contract = Contract(plan, SourceTypes(whole=frozenset({"flight_number"})))
    body = changed(flight_number=1545)
    assert contract.decode(body)[1]["flight_number"] == "1545"
    with pytest.raises(InvalidRequest, match="twice"):
        contract.decode(body[:-1] + f',"{name}":7}}'.encode())


def test_a_null_is_as_good_as_a_field_that_is_left_out(contract: Contract) -> None:
    spaced = changed(tail_number=None).replace(b'"tail_number":', b'"tail_number" : ')
    assert contract.decode(changed()) == contract.decode(changed(tail_number=None)) == contract.decode(spaced)
