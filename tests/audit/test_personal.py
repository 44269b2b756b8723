"""Personal data found by name and value, in real data and in columns that look like it and are not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import msgspec
import pytest

from pilotage.audit.measured import Measured
from pilotage.audit.measured.personal import PersonalColumn
from pilotage.audit.measuring.personal import first_names, measure_personal
from pilotage.audit.records import Finding
from pilotage.audit.rules.causes import by_cause
from pilotage.audit.rules.detecting import detected
from pilotage.audit.rules.findings import sensitive
from pilotage.audit.rules.sensitive import KINDS, proposals
from pilotage.audit.rules.telling_names import hint_of
from pilotage.data.records import ColumnType, FoundColumn, Segment, Snapshot
from tests.audit.conftest import ARCHIVE
from tests.audit.people import TEXT, people
from tests.real_data import real_data

TYPES: dict[str, ColumnType] = {
    "BIGINT": "number",
    "DOUBLE": "number",
    "BOOLEAN": "flag",
    "DATE": "datetime",
    "TIMESTAMP": "datetime",
}


def measured(select: str, key: tuple[str, ...] = ()) -> dict[str, PersonalColumn]:
    """What is found in the rows of a query, by column."""
    with duckdb.connect() as engine:
        engine.execute(f"CREATE TABLE people AS {select}")
        described = engine.execute("DESCRIBE people").fetchall()
        rows = engine.execute("SELECT count(*) FROM people").fetchall()[0][0]
        columns = tuple(FoundColumn(row[0], TYPES.get(row[1], "text"), row[1]) for row in described)
        segment = Segment("digest", rows, None, datetime(2020, 1, 1, tzinfo=UTC))
        found = {"people": Snapshot("people", "v", key, "known_at", columns, (segment,))}
        return {seen.column: seen for seen in measure_personal(engine, people(), found).columns}


def kinds(name: str, values: Sequence[str], column_type: ColumnType = "text") -> dict[str, str]:
    """Kind → by what it was seen, of one column."""
    return {seen.kind: seen.by for seen in detected(hint_of(name), column_type, values, first_names())}


def judged(columns: Sequence[PersonalColumn], text: str = TEXT) -> list[Finding]:
    """The findings on columns seen in the use case of ``tests/audit/people.py``."""
    return list(sensitive.found(people(text), _measured(columns)))


def _measured(columns: Sequence[PersonalColumn]) -> Measured:
    figures: Any = dict.fromkeys(Measured.__struct_fields__)
    return Measured(**{**figures, "personal": msgspec.convert({"columns": columns}, _Figures)})


class _Figures(msgspec.Struct):
    columns: tuple[PersonalColumn, ...]


# Real data


def test_compas_names_dates_of_birth_race_and_offences_are_found() -> None:
    found = measured(f"SELECT * FROM '{real_data('compas')}'", ("id",))
    first = {column: seen.kinds[0].kind for column, seen in found.items()}
    assert {column for column, kind in first.items() if kind == "name"} == {"name", "first", "last"}
    assert (first["race"], first["sex"], first["dob"], first["age"]) == ("ethnicity", "sex", "birth-date", "age")
    assert {"is_recid", "two_year_recid", "c_jail_in", "c_arrest_date"} <= {
        c for c, k in first.items() if k == "offence"
    }
    assert found["race"].by == found["sex"].by == found["dob"].by == found["name"].by == "both"
    assert found["name"].share == pytest.approx(0.52, abs=0.05)
    assert not {"c_charge_desc", "c_case_number", "priors_count", "type_of_assessment", "score_text"} & set(found)


def test_addresses_are_found_in_the_text_of_real_mails() -> None:
    found = measured(f"SELECT * FROM '{real_data('spam_assassin')}'", ("id",))
    assert set(found) == {"text"}
    shares = {seen.kind: seen.share for seen in found["text"].kinds}
    assert all(seen.within and seen.by == "values" for seen in found["text"].kinds)
    assert shares["email"] > 0.99
    assert shares["ip"] > 0.9
    assert shares["name"] == pytest.approx(0.54, abs=0.1)
    examples = [example for seen in found["text"].kinds for example in seen.examples]
    assert examples and all("…" in example for example in examples)


def test_a_shop_has_customers_numbers_and_nothing_else() -> None:
    found = measured(f"SELECT * FROM '{real_data('online_retail')}'", ("Invoice", "StockCode"))
    assert {column: seen.kinds[0].kind for column, seen in found.items()} == {"Customer ID": "person-id"}


def test_a_bank_has_ages_and_marital_status() -> None:
    found = measured(f"SELECT * FROM '{real_data('bank_full')}'", ("age", "balance"))
    assert {column: seen.kinds[0].kind for column, seen in found.items()} == {"age": "age", "marital": "marital-status"}


def test_flights_planes_airports_and_weather_hold_nothing_personal(tmp_path: Any) -> None:
    import tarfile
    import zipfile

    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    for packed in tmp_path.rglob("*.csv.zip"):
        zipfile.ZipFile(packed).extractall(packed.parent)
    for file in tmp_path.rglob("data/*.csv"):
        assert measured(f"SELECT * FROM read_csv('{file}', nullstr = 'NA')") == {}, file.name


# Names of columns


@pytest.mark.parametrize(
    "name",
    [
        *("page", "message", "average", "policy", "carrier", "union", "sexton", "embassy", "tail_number"),
        *("passenger_count", "customer_rating", "email_count", "has_phone", "phone_model", "mobile_app", "zip_file"),
        *("race_id", "race_time", "plane_age", "account_age", "page_views", "healthCheck", "mail_sent_at"),
        *("address_id", "street_type", "user_agent", "origin_country", "first_seen", "last_update", "married_count"),
    ],
)
def test_parts_of_words_and_figures_about_things_tell_nothing(name: str) -> None:
    hint = hint_of(name)
    assert hint is None or not hint.sure


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("customerEmail", "email"),
        ("E-Mail", "email"),
        ("Geburtsdatum", "birth-date"),
        ("date_naissance", "birth-date"),
        ("fecha_nacimiento", "birth-date"),
        ("prénom", "name"),
        ("Nachname", "name"),
        ("apellidos", "name"),
        ("TelefonNr", "phone"),
        ("Straße", "address"),
        ("code postal", "post-code"),
        ("Kundennummer", "person-id"),
        ("Customer ID", "person-id"),
        ("konfession", "religion"),
        ("Gewerkschaft", "union"),
        ("etat_sante", "health"),
        ("is_pregnant", "health"),
        ("orientación_sexual", "sex-life"),
        ("faceEmbedding", "biometric"),
        ("parteizugehörigkeit", "politics"),
        ("two_year_recid", "offence"),
        ("estado civil", "marital-status"),
        ("staatsangehörigkeit", "nationality"),
        ("driver_age", "age"),
        ("email_hash", "person-id"),
    ],
)
def test_telling_names_are_understood_in_four_languages(name: str, kind: str) -> None:
    hint = hint_of(name)
    assert hint is not None
    assert (hint.kind, hint.sure) == (kind, True)


def test_first_and_last_are_names_only_beside_each_other() -> None:
    assert hint_of("first", ["id", "first"]) is None
    hint = hint_of("first", ["first", "last"])
    assert hint is not None and hint.kind == "name"


# Values of columns


def test_values_tell_where_names_do_not() -> None:
    assert kinds("c1", ["a.b@example.org", "c@example.com"] * 3) == {"email": "values"}
    assert kinds("c1", ["+49 30 1234567", "+44 20 7946 0958"]) == {"phone": "values"}
    assert kinds("c1", ["DE89370400440532013000", "GB33BUKB20201555555555"]) == {"iban": "values"}
    assert kinds("c1", ["4111 1111 1111 1111", "5500-0000-0000-0004"]) == {"card": "values"}
    assert kinds("c1", ["66.187.233.211", "2001:db8::8a2e:370:7334"]) == {"ip": "values"}
    assert kinds("c1", ["00:1A:2B:3C:4D:5E"]) == {"mac": "values"}
    assert kinds("c1", ["536-90-4399"]) == {"national-id": "values"}
    assert kinds("c1", ["Male", "Female", "unknown"]) == {"sex": "values"}
    assert kinds("c1", ["Catholic", "Muslim", "None"]) == {"religion": "values"}
    assert kinds("c1", [f"{number} Maple Street" for number in range(1, 9)]) == {"address": "values"}


def test_names_of_people_are_told_by_many_first_names_not_by_few_values() -> None:
    people = [f"{first} Weber" for first in sorted(first_names())[:40]]
    assert kinds("c1", people) == {"name": "values"}
    assert kinds("month", ["april", "may", "june", "august"]) == {}
    assert kinds("city", ["Charlotte", "Austin", "Jackson", "Madison", "San Jose", "Dallas"] * 4) == {}
    assert kinds("colour", ["white", "black", "brown", "amber"]) == {}


def test_names_are_found_inside_sentences() -> None:
    texts = [
        "Dear John,",
        "Please call Mrs Weber back today",
        "Best regards,\nAnna",
        "the parcel was late again today",
    ] * 3
    assert kinds("note", [f"{n} {text} thank you" for n, text in enumerate(texts)]) == {"name": "values"}


@pytest.mark.parametrize("seed", range(5))
def test_identifiers_times_and_counters_are_no_numbers_of_people(seed: int) -> None:
    drawn = random.Random(seed)
    columns = {
        "order_id": [str(drawn.randrange(10**15, 10**16)) for _ in range(500)],
        "serial": [str(4 * 10**15 + number) for number in range(500)],
        "created": [str(drawn.randrange(1_300_000_000, 1_800_000_000)) for _ in range(500)],
        "millis": [str(drawn.randrange(1_300_000_000_000, 1_800_000_000_000)) for _ in range(500)],
        "number": [str(drawn.randrange(10**9, 10**10)) for _ in range(500)],
        "reference": [f"{drawn.randrange(1000):03}-{drawn.randrange(10**6):06}" for _ in range(500)],
        "stamp": [
            f"2013-0{drawn.randrange(1, 9)}-1{drawn.randrange(9)} 07:{drawn.randrange(10, 59)}" for _ in range(500)
        ],
        "version": [f"{drawn.randrange(20)}.{drawn.randrange(20)}.{drawn.randrange(90)}" for _ in range(500)],
    }
    assert {name: found for name, values in columns.items() if (found := kinds(name, values))} == {}
    assert {name: found for name, values in columns.items() if (found := kinds(name, values, "number"))} == {}


def test_values_contradict_a_name() -> None:
    assert kinds("email", ["yes", "no", "maybe", "never", "often"]) == {}
    assert kinds("phone", ["iPhone", "Pixel", "Galaxy", "Nokia", "Fairphone"]) == {}
    assert kinds("card_number", ["1", "2", "3", "4", "5"]) == {}
    assert kinds("email", ["5d41402abc4b2a76b9719d911017c592"] * 5) == {"person-id": "both"}
    assert kinds("email_count", ["1", "2"], "number") == {}
    assert kinds("email", ["1", "2"], "number") == {}
    assert kinds("phone", ["4930123456789", "442079460958"], "number") == {"phone": "both"}
    assert kinds("birth_date", ["1947-04-18 00:00:00"], "datetime") == {"birth-date": "both"}


@pytest.mark.parametrize("select", ["SELECT 1 AS x WHERE false", "SELECT NULL::VARCHAR AS email", "SELECT '' AS name"])
def test_tables_without_values_are_judged_by_their_names(select: str) -> None:
    assert set(measured(select)) <= {"email"}


def test_awkward_names_of_columns_and_thousands_of_them() -> None:
    odd = measured("""SELECT 'a@b.org' AS "x""; DROP TABLE y", 'c@d.org' AS "select", 'e@f.org' AS "😀 a.b" """)
    assert len(odd) == 3
    many = ", ".join(f"'text {n}' AS c{n}" for n in range(2_000))
    assert measured(f"SELECT {many}") == {}


def test_a_column_that_is_hardly_ever_filled_is_looked_at_as_well() -> None:
    select = (
        "SELECT range AS id, CASE WHEN range % 2000 = 0 THEN 'u' || range || '@example.org' END AS c FROM range(100000)"
    )
    found = measured(select, ("id",))
    assert found["c"].looked_at == 50
    assert found["c"].kinds[0].kind == "email"


# Judgement


def seen(column: str, kind: str, by: str = "name", within: bool = False) -> PersonalColumn:
    detections = [{"kind": kind, "by": by, "share": 1.0, "within": within}]
    body = {"source": "people", "column": column, "holds": KINDS[kind].holds, "by": by, "kinds": detections}
    return msgspec.convert(body, PersonalColumn)


def test_an_undeclared_personal_input_warns_and_a_declared_one_informs() -> None:
    assert [f.severity for f in judged([seen("age", "age")])] == ["warns"]
    declared = TEXT.replace("age: number", "age: {kind: number, personal: true}")
    assert [f.severity for f in judged([seen("age", "age")], declared)] == ["informs"]
    finding = judged([seen("age", "age")], TEXT.replace("groups: [race, sex, age]", "groups: [race, sex]"))[0]
    assert (finding.code, finding.column) == ("personal-data", "age")
    assert "`groups`" in finding.repair and "It is an input" in finding.message


def test_groups_that_are_named_already_are_not_asked_for() -> None:
    assert "`groups`" not in judged([seen("age", "age")])[0].repair


def test_a_telephone_number_is_not_the_same_as_a_gender() -> None:
    columns = [seen("sex", "sex", "both"), seen("landline", "phone"), seen("gender", "sex")]
    grouped = [[f.column for f in group] for group in by_cause(judged(columns))]
    assert grouped == [["sex", "gender"], ["landline"]]


def test_a_few_short_values_are_no_number_address_or_name_whatever_the_column_is_called() -> None:
    for name in ("PhoneService", "email", "home_address", "last_name", "plz"):
        assert kinds(name, ["Yes", "No"]) == {}
        assert kinds(name, []) != {}, "by its name alone, where there are no values"
    assert kinds("gender", ["m", "f"]) == {"sex": "name"}
    assert set(kinds("religion", ["rk", "ev"])) == {"religion"}


def test_a_post_code_names_an_area_from_which_a_model_may_learn() -> None:
    proposed = proposals(_measured([seen("PLZ", next(iter(kinds("PLZ", ["24103", "10115"]))))]))["people"]["PLZ"]
    assert "training" in proposed.purposes
    assert proposed.why == "an area, not a person; with a date of birth, most people"


def test_what_is_not_used_and_pseudonyms_only_inform() -> None:
    assert [f.severity for f in judged([seen("name", "name")])] == ["informs"]
    assert [f.severity for f in judged([seen("id", "person-id")])] == ["informs"]


def test_a_special_category_as_an_input_blocks_where_name_and_values_agree() -> None:
    assert [f.severity for f in judged([seen("race", "ethnicity", "both")])] == ["blocks"]
    assert [f.severity for f in judged([seen("race", "ethnicity")])] == ["warns"]
    assert [f.severity for f in judged([seen("religion", "religion", "both")])] == ["informs"]
    allowed = TEXT.replace("race: category", "race: {kind: category, personal: true}")
    assert [f.severity for f in judged([seen("race", "ethnicity", "both")], allowed)] == ["warns"]
    allowed += "\nanswers: {sensitive: The works council agreed on 1 March.}\n"
    assert [f.severity for f in judged([seen("race", "ethnicity", "both")], allowed)] == ["informs"]


def test_findings_carry_no_value_in_clear() -> None:
    found = measured("SELECT 'jane.doe' || range || '@example.org' AS contact FROM range(50)")
    text = msgspec.json.encode(judged(list(found.values()))).decode()
    assert "jane.doe" not in text and "…" in text


def test_a_contract_is_proposed_for_each_column() -> None:
    columns = [
        seen("race", "ethnicity"),
        seen("name", "name"),
        seen("id", "person-id"),
        seen("note", "email", within=True),
    ]
    proposed = proposals(_measured(columns))["people"]
    assert (proposed["race"].sensitivity, proposed["race"].purposes, proposed["race"].mask) == ("special", (), "hide")
    assert (proposed["name"].sensitivity, proposed["name"].mask) == ("personal", "partial")
    assert proposed["id"].mask == "pseudonym" and "training" in proposed["id"].purposes
    assert proposed["note"].mask == "hide" and "free text" in proposed["note"].why
