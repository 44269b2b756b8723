"""What a person writes wrongly in an address or a table's name, and what MySQL writes in its grants."""

from __future__ import annotations

import pytest

from pilotage.data import sources
from pilotage.data.sources.databases import places
from pilotage.data.sources.databases.places import Place
from pilotage.data.sources.databases.rights import writing_right
from pilotage.platform.errors import InvalidFile
from tests.data.shop import TEXT, shop
from tests.data.sources.asking_databases import ask, failure


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.parametrize("password", ["hunter2@canary", "hunter2/canary", "hunter2?canary", "hunter2/can@ry"])
def test_a_password_that_is_not_encoded_is_refused_with_what_to_write(kind: str, password: str) -> None:
    said = failure(ask(f"{kind}://reader:{password}@127.0.0.1:1/shop", "orders"))
    assert "must be percent-encoded: %40 %3A %2F" in said
    assert "hunter2" not in said
    assert "can" not in said.split("cannot be told", 1)[0]
    assert "canary" not in said


@pytest.mark.parametrize("password", ["hunter2%40canary", "hunter2:canary", "hunter2%3Acanary"])
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_an_encoded_password_is_never_repeated(kind: str, password: str) -> None:
    said = failure(ask(f"{kind}://reader:{password}@127.0.0.1:1/shop", "orders"))
    assert "cannot be reached at 127.0.0.1/shop, port 1" in said
    assert "hunter2" not in said


def test_a_secret_among_an_addresss_parameters_is_never_repeated() -> None:
    said = failure(ask("postgresql://127.0.0.1:1/shop?password=hunter2canary&sslmode=hunter2", "orders"))
    assert "hunter2canary" not in said
    assert 'invalid sslmode value: "hunter2"' in said


@pytest.mark.parametrize("address", ["orders", "oracle://reader:hunter2canary@host/shop", "postgresql://host:port/x"])
def test_what_is_no_address_of_a_known_kind_is_refused(address: str) -> None:
    said = failure(ask(address, "orders"))
    assert "mysql://user:password@host/name" in said
    assert "hunter2canary" not in said


@pytest.mark.parametrize(
    ("name", "schema", "table"),
    [
        ("orders", "", "orders"),
        ("shop.orders", "shop", "orders"),
        ('"shop"."orders"', "shop", "orders"),
        ('"a.b"', "", "a.b"),
        ('"say ""x""".c', 'say "x"', "c"),
        ("two words", "", "two words"),
        ("naïve.🎈", "naïve", "🎈"),
    ],
)
def test_a_name_is_taken_apart_as_sql_does(name: str, schema: str, table: str) -> None:
    assert places.parsed(name) == (schema, table)
    place = Place(schema=schema, table=table, visible=not schema)
    assert places.parsed(place.named) == (schema, table)


@pytest.mark.parametrize("name", ["", "a.b.c", 'x"; DROP TABLE y', '"', '""'])
def test_what_is_no_name_may_still_be_a_tables_very_name(name: str) -> None:
    assert places.parsed(name) is None
    asked = ask("sqlite://", name)
    assert places.found(asked, [Place(schema="s", table=name)]).table == name
    with pytest.raises(sources.NoSuchTable):
        places.found(asked, [Place(schema="s", table=name, visible=False)])


@pytest.mark.parametrize("table", ["select", 'x"; DROP TABLE y', "a.b", "two words", "naïve 🎈", "2024", "", "-- x"])
def test_a_name_as_messages_give_it_can_stand_in_a_file(table: str) -> None:
    named = Place(schema="my shop", table=table or "x", visible=False).named
    definition = shop(TEXT.replace("table: visits", f"table: '{named}'"))
    assert definition.use_case.sources["visits"].table == named


@pytest.mark.parametrize("table", ["visits; drop", "a.b.c", '"visits', "my visits"])
def test_what_may_be_a_slip_of_the_pen_is_refused_in_a_file(table: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        shop(TEXT.replace("table: visits", f"table: '{table}'"))
    assert "is not a table's name" in str(caught.value.problems[0])


def test_a_schema_is_preferred_to_a_dot_in_a_name() -> None:
    known = [Place(schema="s", table="a.b"), Place(schema="a", table="b", visible=False)]
    assert places.found(ask("sqlite://", "a.b"), known) == known[1]


@pytest.mark.parametrize(
    ("grant", "right"),
    [
        ("GRANT USAGE ON *.* TO `r`@`%`", ""),
        ("GRANT SELECT, SHOW VIEW, LOCK TABLES ON `shop`.* TO `r`@`%`", ""),
        ("GRANT SELECT, INSERT ON `shop`.* TO `r`@`%`", "INSERT ON `shop`.*"),
        ("GRANT ALL PRIVILEGES ON *.* TO `r`@`%` WITH GRANT OPTION", "ALL PRIVILEGES ON *.*"),
        ("GRANT ALL PRIVILEGES ON `test`.* TO `r`@`%`", ""),
        ("GRANT UPDATE ON `sh%`.* TO `r`@`%`", "UPDATE ON `sh%`.*"),
        ("GRANT UPDATE ON `sh_p`.* TO `r`@`%`", "UPDATE ON `sh_p`.*"),
        (r"GRANT UPDATE ON `sh\_p`.* TO `r`@`%`", ""),
        ("GRANT SELECT, INSERT (`a`, `b`) ON `shop`.`or``ders` TO `r`@`%`", "INSERT (`a`, `b`) ON `shop`.`or``ders`"),
        ("GRANT SELECT (`update`) ON `shop`.`orders` TO `r`@`%`", ""),
        ('GRANT SELECT, DELETE ON "sh""op".* TO "r"@"%"', ""),
        ('GRANT SELECT, DELETE ON "shop"."x" TO "r"@"%"', 'DELETE ON "shop"."x"'),
        ("GRANT PROXY ON ''@'' TO `r`@`%`", ""),
        ("GRANT `editors`@`%` TO `r`@`%`", ""),
    ],
)
def test_a_grant_that_lets_write_is_told_from_one_that_does_not(grant: str, right: str) -> None:
    assert writing_right([grant], "shop") == right
