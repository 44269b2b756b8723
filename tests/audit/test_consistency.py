"""What does not mean the same throughout a source, or in two."""

from __future__ import annotations

import math

import pytest

from pilotage.audit.rules.findings.consistency.zones import best_turn
from pilotage.audit.rules.steps import factor, shift, step_of, variation
from tests.audit.planted import TEXT, judged, named, one, planted, shop_engine

FEW = "hash(order_id) % 90 = 0"
ROWS = 224
BOTH = ("orders", "ledger")
SINCE = "placed_at >= '2024-02-15'"


ODD_VALUES = (
    {
        "price": ("-1", "placeholder-values"),
        "quantity": ("999", "placeholder-values"),
        "store": ("'N/A'", "placeholder-values"),
        "product": ("''", "placeholder-values"),
        "shipped_at": ("'1900-01-01'", "placeholder-values"),
        "parcel_weight": ("0", "rare-sign"),
    },
    {
        "price": ("9999", "placeholder-values"),
        "quantity": ("-quantity", "rare-sign"),
        "store": ("upper(store)", "spelled-several-ways"),
        "product": ("'POST'", "off-pattern"),
        "shipped_at": ("'1970-01-01'", "impossible-dates"),
    },
    {
        "placed_at": ("'2031-01-01'", "impossible-dates"),
        "store": ("store || ' '", "spelled-several-ways"),
        "product": ("'123'", "off-pattern"),
        "price": ("-price", "rare-sign"),
    },
    {
        "shipped_at": ("ordered_at - INTERVAL 1 DAY", "impossible-dates"),
        "store": ("replace(replace(store, 'o', 'ö'), 'e', 'é')", "spelled-several-ways"),
        "customer_name": ("'unknown'", "placeholder-values"),
    },
    {"shipped_at": ("'1850-06-01'", "impossible-dates"), "store": ("'?'", "placeholder-values")},
)


@pytest.mark.parametrize("faults", ODD_VALUES)
def test_a_few_odd_values_are_named_with_their_rows(faults: dict[str, tuple[str, str]]) -> None:
    wrong = ", ".join(f"{column} = {value}" for column, (value, _) in faults.items())
    found = planted(f"UPDATE orders SET {wrong} WHERE {FEW}")
    for column, (_, code) in faults.items():
        finding = one(found, code, column)
        assert (finding.source, finding.severity, finding.concerns) == ("orders", "warns", ROWS)
        assert finding.samples and all(column in row for row in finding.samples)


UNITS = (
    {
        "parcel_weight": ("parcel_weight * 0.45359237", "pounds and kilograms"),
        "price": ("price * 100", "cents"),
        "quantity": ("quantity * 12", "dozens"),
    },
    {"parcel_weight": ("(parcel_weight - 32) / 1.8", "Fahrenheit"), "price": ("price * 7.5", "")},
)


@pytest.mark.parametrize("faults", UNITS)
def test_a_unit_that_changed_is_named_with_its_day(faults: dict[str, tuple[str, str]]) -> None:
    wrong = ", ".join(f"{column} = {value}" for column, (value, _) in faults.items())
    found = planted(f"UPDATE orders SET {wrong} WHERE {SINCE}")
    for column, (_, units) in faults.items():
        finding = one(found, "unit-changed", column)
        assert (finding.severity, finding.figures["date"]) == ("warns", "2024-02-15")
        assert units in finding.figures["units"]


SWAPPED = "CASE store WHEN 'north' THEN 'east side' WHEN 'east side' THEN 'north' ELSE store END"
RENAMED = "CASE store WHEN 'north' THEN 'nord' ELSE store END"


@pytest.mark.parametrize(
    "faults", [{"parcel_weight": "parcel_weight + 40", "store": SWAPPED, "gift": "NOT gift"}, {"store": RENAMED}]
)
def test_a_meaning_that_changed_is_named_with_its_day(faults: dict[str, str]) -> None:
    wrong = ", ".join(f"{column} = {value}" for column, value in faults.items())
    found = planted(f"UPDATE orders SET {wrong} WHERE {SINCE}")
    for column in faults:
        finding = one(found, "meaning-changed", column)
        assert (finding.severity, finding.figures["date"]) == ("warns", "2024-02-15")


def test_a_season_is_no_change_of_meaning() -> None:
    seasons = "UPDATE orders SET parcel_weight = parcel_weight + 15 * sin(epoch(placed_at) / 86400 / 84 * 6.28)"
    assert named(planted(seasons)) == set()


def test_clocks_hours_apart_are_named() -> None:
    part = planted("UPDATE orders SET placed_at = placed_at - INTERVAL 5 HOUR WHERE hash(order_id) % 40 = 0")
    assert ("time-zone", "orders", "placed_at") in named(part)
    assert one([f for f in part if f.source == "orders"], "time-zone").figures["hours"] == 5
    whole = one(planted("UPDATE ledger SET placed_at = placed_at + INTERVAL 2 HOUR", BOTH), "time-zone")
    assert (whole.source, whole.figures["hours"], whole.severity) == ("ledger", 2, "warns")


def test_a_day_whose_rhythm_turned_is_named() -> None:
    moved = "placed_at = placed_at + INTERVAL 5 HOUR, known_at = known_at + INTERVAL 5 HOUR"
    engine = shop_engine()
    engine.execute(f"UPDATE orders SET {moved} WHERE {SINCE}")
    finding = one(judged(engine, only=["orders"]), "time-zone")
    assert (finding.figures["date"], finding.figures["hours"], finding.severity) == ("2024-02-15", 5, "warns")


def test_an_hour_that_is_there_twice_in_autumn_is_named() -> None:
    hourly = """CREATE OR REPLACE TABLE orders AS
        SELECT 'A' || n AS order_id, 'north' AS store, 'x' AS product, n AS quantity, CAST(n AS DOUBLE) AS price,
            CAST(n AS DOUBLE) AS parcel_weight, moment AS placed_at, moment AS known_at, moment AS shipped_at,
            true AS gift, 'someone' || n AS customer_name
        FROM (SELECT n, TIMESTAMP '2024-10-10' + to_hours(CAST(n // 4 AS INTEGER))
            - CASE WHEN n >= 4 * 578 THEN INTERVAL 1 HOUR ELSE INTERVAL 0 HOUR END AS moment
            FROM range(4 * 1000) r(n))"""
    finding = one(planted(hourly, only=["orders"]), "time-zone")
    assert finding.figures["doubled"] == ["2024-11-03 01:00:00"]


def test_two_systems_that_disagree_are_shown_side_by_side() -> None:
    finding = one(planted(f"UPDATE ledger SET price = price * 1.2 WHERE {FEW}", BOTH), "systems-disagree")
    assert (finding.source, finding.column, finding.concerns) == ("ledger", "price", ROWS)
    assert set(finding.samples[0]) == {"order_id", "orders.price", "ledger.price"}
    spelled = planted(f"UPDATE ledger SET store = upper(store) WHERE {FEW}", BOTH)
    finding = one(spelled, "systems-disagree")
    assert finding.figures["format_only"] == ROWS
    assert "in case, blanks or punctuation only" in finding.message


def test_numbers_among_which_there_are_words_are_mixed() -> None:
    fault = f"ALTER TABLE orders ALTER price TYPE VARCHAR; UPDATE orders SET price = 'about ' || price WHERE {FEW}"
    engine = shop_engine()
    engine.execute(fault)
    finding = one(judged(engine, only=["orders"]), "mixed-types")
    assert (finding.column, finding.concerns) == ("price", ROWS)


GERMAN = "replace(printf('%.2f', price + 1000), '.', ',')"


def test_numbers_with_a_decimal_comma_are_named_with_the_option_that_reads_them() -> None:
    engine = shop_engine()
    engine.execute(
        f"ALTER TABLE orders ALTER price TYPE VARCHAR USING {GERMAN}; "
        f"UPDATE orders SET price = 'k.A.' WHERE {FEW}; UPDATE orders SET price = 'n/a' WHERE price = 'k.A.'"
    )
    finding = one(judged(engine, only=["orders"]), "numbers-as-text")
    assert (finding.column, finding.severity, finding.concerns) == ("price", "warns", 20_000 - ROWS)
    assert """`decimal: ','` and `missing: ['n/a']` under `sources.orders`""" in finding.repair


def test_numbers_among_which_only_stand_ins_are_no_numbers_are_named() -> None:
    engine = shop_engine()
    engine.execute(f"ALTER TABLE orders ALTER price TYPE VARCHAR; UPDATE orders SET price = 'NA' WHERE {FEW}")
    finding = one(judged(engine, only=["orders"]), "numbers-as-text")
    assert "`missing: ['NA']`" in finding.repair
    assert "decimal" not in finding.repair


def test_dates_written_as_text_are_named() -> None:
    engine = shop_engine()
    engine.execute("ALTER TABLE orders ALTER shipped_at TYPE VARCHAR USING strftime(shipped_at, '%d.%m.%Y')")
    finding = one(judged(engine, only=["orders"]), "dates-as-text")
    assert (finding.column, finding.share) == ("shipped_at", 1)


@pytest.mark.parametrize(
    "codes",
    [
        "lpad(CAST(hash(order_id) % 99999 AS VARCHAR), 5, '0')",  # post codes
        "'1.' || hash(order_id) % 9 || '.' || hash(store) % 20",  # versions
        "'10.0.' || hash(order_id) % 9 || '.1'",  # addresses
        "CAST(hash(order_id) % 4 AS VARCHAR)",  # classes
        "(1 + hash(order_id) % 9) || '.' || (100 + hash(product) % 900)",  # 1.234: a thousand or a little more than one
    ],
)
def test_codes_of_digits_are_no_numbers_written_as_text(codes: str) -> None:
    engine = shop_engine()
    engine.execute(f"UPDATE orders SET product = {codes}")
    found = {finding.code for finding in judged(engine, only=["orders"]) if finding.column == "product"}
    assert not found & {"numbers-as-text", "dates-as-text", "off-pattern"}


def test_codes_with_a_digit_more_or_less_are_on_the_pattern() -> None:
    assert named(planted("UPDATE orders SET product = 'N' || (1000 + hash(order_id) % 30000)")) == set()


def test_rows_may_be_written_over_long_after_they_came() -> None:
    engine = shop_engine()
    engine.execute(
        "ALTER TABLE orders ADD updated_at TIMESTAMP; ALTER TABLE orders ADD checked_at TIMESTAMP;"
        f"UPDATE orders SET updated_at = placed_at + INTERVAL {'500'} DAY, checked_at = placed_at;"
        f"UPDATE orders SET checked_at = placed_at + INTERVAL 500 DAY WHERE {FEW};"
        f"UPDATE orders SET updated_at = placed_at WHERE NOT {FEW}"
    )
    two_clocks = judged(engine, only=["orders"])
    assert {finding.column for finding in two_clocks if finding.code == "impossible-dates"} == {"checked_at"}
    one_clock = TEXT.replace(
        "event_time: placed_at, known_at: known_at, owner: orders",
        "event_time: placed_at, known_at: placed_at, owner: orders",
    )
    assert named(judged(engine, one_clock, only=["orders"])) == set()


def test_constant_columns_and_outliers_are_to_be_known() -> None:
    engine = shop_engine()
    engine.execute(
        "UPDATE orders SET store = 'north'; UPDATE orders SET price = price * 1000 WHERE hash(order_id) % 200 = 0"
    )
    found = judged(engine, only=["orders"])
    assert {(f.code, f.column, f.severity) for f in found} == {
        ("constant-column", "store", "informs"),
        ("outliers", "price", "informs"),
    }


def test_columns_with_difficult_names_are_measured() -> None:
    engine = shop_engine()
    for at, name in enumerate(["select", 'x"; DROP TABLE y', "a b", "😀.é"]):
        escaped = name.replace('"', '""')
        engine.execute(f'ALTER TABLE orders ADD "{escaped}" VARCHAR')
        engine.execute(f"UPDATE orders SET \"{escaped}\" = CASE WHEN {FEW} THEN 'N/A' ELSE product || {at} END")
    found = [finding for finding in judged(engine, only=["orders"]) if finding.code == "placeholder-values"]
    assert {finding.column for finding in found} == {"select", 'x"; DROP TABLE y', "a b", "😀.é"}


def test_categories_that_only_look_alike_are_left_alone() -> None:
    alike = (
        "UPDATE orders SET store = ['A', 'A-', '<=50K', '>50K', '1.5', '15'][1 + CAST(hash(order_id) % 6 AS INTEGER)]"
    )
    engine = shop_engine()
    engine.execute(alike)
    assert named(judged(engine, only=["orders"])) == set()


def test_a_step_is_found_where_the_neighbours_differ_most() -> None:
    rows = [10.0, 11.0, 10.5, 10.0, 20.0, 20.5, 21.0, 20.0]
    step = step_of(rows, 4, lambda some: sum(some) / len(some), lambda a, b: abs(a - b))
    assert step is not None and step.at == 4
    assert step_of(rows[:5], 4, lambda some: sum(some), lambda a, b: abs(a - b)) is None


def test_distances_between_distributions_are_as_defined() -> None:
    assert variation([1, 1, 0], [0, 1, 1]) == 0.5
    assert variation([0], [0]) == 0
    assert shift([0, 5, 10], [10, 15, 20]) == 1
    assert shift([1, 1], [1, 1]) == 0 and shift([1, 1], [2, 2]) == 1
    assert factor([1, 2, 3], [2, 4, 6]) == (2, 0)
    assert factor([-1, 1], [1, -1]) == (1, 1)


def test_a_turn_of_the_day_is_found_in_either_direction() -> None:
    day = [round(100 * math.exp(-(((hour - 9) / 3) ** 2))) for hour in range(24)]
    assert best_turn(day, [day[(hour - 5) % 24] for hour in range(24)]) == 5
    assert best_turn(day, [day[(hour + 3) % 24] for hour in range(24)]) == -3
