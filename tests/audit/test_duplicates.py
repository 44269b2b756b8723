"""What is there more than once, exactly, by key, nearly, and under two keys."""

from __future__ import annotations

from tests.audit.planted import TEXT, judged, one, planted, shop_engine

AGAIN = "INSERT INTO orders SELECT * REPLACE ({}) FROM orders WHERE hash(order_id) % 50 = 0"


def test_equal_rows_are_counted_beyond_the_first() -> None:
    found = planted("INSERT INTO orders SELECT * FROM orders WHERE hash(order_id) % 50 = 0")
    finding = one(found, "duplicates")
    assert (finding.severity, finding.concerns, finding.figures["rows"]) == ("warns", 423, 423)
    assert finding.samples[0] == finding.samples[1]
    assert len(found) == 1


def test_another_value_under_the_same_key_later_is_a_correction() -> None:
    found = planted(AGAIN.format("price + 1 AS price, known_at + INTERVAL 70 MINUTE AS known_at"))
    finding = one(found, "corrected-rows")
    assert (finding.severity, finding.column, finding.concerns) == ("informs", "order_id", 423)


def test_another_value_under_the_same_key_at_the_same_time_is_a_clash() -> None:
    finding = one(planted(AGAIN.format("price + 1 AS price")), "duplicate-keys")
    assert (finding.severity, finding.column, finding.concerns) == ("warns", "order_id", 423)
    assert {row["order_id"] for row in finding.samples[:2]} == {finding.samples[0]["order_id"]}


def test_rows_that_differ_in_spelling_only_are_near_duplicates() -> None:
    finding = one(planted(AGAIN.format("upper(customer_name) AS customer_name")), "near-duplicates", "order_id")
    assert (finding.severity, finding.concerns) == ("warns", 423)
    other_key = AGAIN.format("'B' || order_id AS order_id, replace(customer_name, '.', '') || ' ' AS customer_name")
    finding = one(planted(other_key), "near-duplicates", "order_id")
    assert (finding.severity, finding.concerns) == ("warns", 423)
    assert "under another order_id" in finding.message


def test_the_same_event_under_two_keys_is_found() -> None:
    finding = one(planted(AGAIN.format("'B' || order_id AS order_id")), "same-event-twice")
    assert (finding.severity, finding.column, finding.concerns) == ("warns", "order_id", 423)
    assert len({row["order_id"] for row in finding.samples}) > 1


def test_rows_that_agree_by_chance_are_not_the_same_event() -> None:
    coarse = """CREATE OR REPLACE TABLE orders AS SELECT order_id, store, 'p' || n % 5 AS product, n % 3 AS quantity,
        CAST(n % 4 AS DOUBLE) AS price, CAST(n % 2 AS DOUBLE) AS parcel_weight,
        date_trunc('hour', placed_at) AS placed_at,
        date_trunc('hour', placed_at) AS known_at, placed_at AS shipped_at, true AS gift, 'x' AS customer_name
        FROM (SELECT *, row_number() OVER (ORDER BY order_id) % 977 AS n FROM orders)"""
    assert not [f for f in planted(coarse) if f.code == "same-event-twice"]


def test_a_name_in_two_spellings_under_two_keys_is_named() -> None:
    fault = AGAIN.format(
        "'B' || order_id AS order_id, upper(customer_name) AS customer_name, price * 1.1 AS price, "
        "placed_at + INTERVAL 17 MINUTE AS placed_at, known_at + INTERVAL 17 MINUTE AS known_at"
    )
    finding = one(planted(fault), "near-duplicates")
    assert (finding.column, finding.concerns) == ("customer_name", 423)
    assert finding.samples


def test_two_systems_that_hold_the_same_events_under_other_keys_are_named() -> None:
    engine = shop_engine()
    engine.execute("ALTER TABLE ledger RENAME order_id TO entry")
    own = "key: [order_id], event_time: placed_at, known_at: known_at}"
    finding = one(judged(engine, TEXT.replace(own, own.replace("order_id", "entry"))), "same-event-twice")
    assert (finding.source, finding.figures["other"], finding.share) == ("ledger", "orders", 1)
    assert finding.samples
