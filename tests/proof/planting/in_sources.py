"""Faults of single sources and between them."""

from __future__ import annotations

from tests.proof.planting.faults import Fault, other_key

_NOTE = (("flights", "note"),)


def _personal(kind: str, holds: str, value: str) -> Fault:
    return Fault(
        f"personal data: {kind}",
        f"{kind} in place of the note",
        ("personal-data",),
        _NOTE,
        (f"UPDATE flights SET note = {value} WHERE hit(flight_id)",),
        holds=f"'kind': '{holds}'",
        also=("off-pattern",),
    )


_N = "hash('n' || flight_id)"
EMAIL = _personal("e-mail", "email", f"'anna.meier' || {_N} % 9000 || '@example.com'")
PHONE = _personal("phone", "phone", f"'+1 212 736 ' || lpad(CAST(1000 + {_N} % 8000 AS VARCHAR), 4, '0')")
IBAN = _personal(
    "IBAN",
    "iban",
    f"['DE89370400440532013000', 'GB29NWBK60161331926819', 'FR1420041010050500013M02606', 'CH9300762011623852957', "
    f"'NL91ABNA0417164300', 'AT611904300234573201', 'BE68539007547034'][1 + CAST({_N} % 7 AS INTEGER)]",
)
CARD = _personal(
    "card",
    "card",
    f"['4111 1111 1111 1111', '5500 0000 0000 0004', '4012 8888 8888 1881', '5105 1051 0510 5100', "
    f"'4222222222222', '378282246310005', '6011111111111117'][1 + CAST({_N} % 7 AS INTEGER)]",
)
ADDRESS = _personal("IP", "ip", f"'84.23.' || {_N} % 250 || '.' || (1 + {_N} // 7 % 250)")

MISSING = Fault(
    "missing by column",
    "flights.tail_number empty",
    ("incomplete-column",),
    (("flights", "tail_number"),),
    ("UPDATE flights SET tail_number = NULL WHERE hit(flight_id)",),
    high=False,
)
MISSING_SINCE = Fault(
    "missing from a date",
    "weather.temp_f empty since mid-month",
    ("incomplete-in-time",),
    (("weather", "temp_f"),),
    ("UPDATE weather SET temp_f = NULL WHERE observed_at >= since()",),
    rated=False,
    also=("incomplete-input", "incomplete-column"),
)
MISSING_BY_LABEL = Fault(
    "missing by label",
    "flights.distance_miles empty, only where the flight came late",
    ("missing-not-at-random",),
    (("flights", "distance_miles"), ("inputs", "distance_miles")),
    (
        (
            "UPDATE flights SET distance_miles = NULL WHERE often(flight_id) AND flight_id IN "
            "(SELECT flight_id FROM outcomes WHERE delay_minutes > 30)"
        ),
    ),
)
STALE = Fault(
    "staleness",
    "weather stops five days before the end",
    ("stale",),
    (("weather", "published_at"),),
    ("DELETE FROM weather WHERE published_at >= till() - INTERVAL 5 DAY",),
    rated=False,
    also=("late-for-decision", "incomplete-input", "incomplete-in-time"),
)
LATE = Fault(
    "late arrival",
    "weather published 4 to 12 hours later",
    ("known-late", "late-for-decision"),
    (("weather", "published_at"), ("weather", "*")),
    (
        (
            "UPDATE weather SET published_at = published_at + "
            "to_seconds(CAST(14400 + hash(origin || observed_at) % 28800 AS BIGINT))"
        ),
    ),
    high=False,
    rated=False,
    also=("late-for-decision", "incomplete-input"),
)
GAP = Fault(
    "gap in time",
    "departures without three days",
    ("gap-in-time",),
    (("departures", "dep_time"),),
    ("DELETE FROM departures WHERE dep_time >= since() AND dep_time < since() + INTERVAL 3 DAY",),
    rated=False,
)
VOLUME = Fault(
    "volume break",
    "half of departures lost since mid-month",
    ("volume-break",),
    (("departures", "dep_time"),),
    ("DELETE FROM departures WHERE dep_time >= since() AND hash(flight_id) % 2 = 0",),
    rated=False,
)
EXACT = Fault(
    "exact duplicates",
    "rows of departures written twice",
    ("duplicates",),
    (("departures", ""),),
    ("INSERT INTO departures SELECT * FROM departures WHERE hit(flight_id)",),
)
SAME_KEY = Fault(
    "duplicate keys",
    "rows of tower again with another flight number",
    ("duplicate-keys",),
    (("tower", "flight_id"),),
    ("INSERT INTO tower SELECT * REPLACE (flight_number + 1 AS flight_number) FROM tower WHERE hit(flight_id)",),
    also=("systems-disagree",),
)
NEAR = Fault(
    "near duplicates",
    "rows of tower again in other case or with a blank",
    ("near-duplicates",),
    (("tower", "flight_id"), ("tower", "destination")),
    (
        "INSERT INTO tower SELECT * REPLACE (lower(destination) AS destination) FROM tower WHERE hit(flight_id)",
        "INSERT INTO tower SELECT * REPLACE (destination || ' ' AS destination) FROM tower WHERE hit(flight_id)",
    ),
    also=("systems-disagree", "spelled-several-ways"),
)
TWO_SYSTEMS = Fault(
    "same event in two systems",
    "tower counts flights by keys of its own",
    ("same-event-twice",),
    (("tower", "slot"), ("flights", "flight_id")),
    (
        (
            "ALTER TABLE tower RENAME flight_id TO slot;"
            "UPDATE tower SET slot = 'T' || lpad(CAST(hash(slot) % 1000000007 AS VARCHAR), 10, '0')"
        ),
    ),
    high=False,
    rated=False,
    edits=(
        (
            "key: [flight_id]\n    event_time: scheduled_departure\n    known_at: published_at\n    owner: tower",
            "key: [slot]\n    event_time: scheduled_departure\n    known_at: published_at\n    owner: tower",
        ),
    ),
)
DISAGREE = Fault(
    "two systems disagreeing",
    "tower.distance_miles ten miles off",
    ("systems-disagree",),
    (("tower", "distance_miles"), ("flights", "distance_miles")),
    ("UPDATE tower SET distance_miles = distance_miles + 10 WHERE hit(flight_id)",),
)
_UNIT_ALSO = ("systems-disagree",)
UNIT_DISTANCE = Fault(
    "unit change",
    "flights.distance_miles in kilometres since mid-month",
    ("unit-changed",),
    (("flights", "distance_miles"),),
    ("UPDATE flights SET distance_miles = distance_miles * 1.609344 WHERE scheduled_departure >= since()",),
    rated=False,
    also=_UNIT_ALSO,
)
UNIT_WEATHER = Fault(
    "unit change, weather",
    "weather.temp_f in °C, or pressure_mb in inches of mercury",
    ("unit-changed",),
    (("weather", "temp_f"), ("weather", "pressure_mb")),
    (
        "UPDATE weather SET temp_f = (temp_f - 32) / 1.8 WHERE observed_at >= since()",
        "UPDATE weather SET pressure_mb = pressure_mb / 33.8638866667 WHERE observed_at >= since()",
    ),
    rated=False,
)
UNIT_WIND = Fault(
    "unit change, noisy column",
    "weather.wind_speed_mph in metres per second",
    ("unit-changed", "meaning-changed"),
    (("weather", "wind_speed_mph"),),
    ("UPDATE weather SET wind_speed_mph = wind_speed_mph / 2.2369362921 WHERE observed_at >= since()",),
    rated=False,
    limit=True,
)
MEANING = Fault(
    "meaning change",
    "carrier UA, or DL, written UX since mid-month",
    ("meaning-changed",),
    (("flights", "carrier"),),
    tuple(
        f"UPDATE flights SET carrier = 'UX' WHERE carrier = '{code}' AND scheduled_departure >= since();"
        f"UPDATE tower SET carrier = 'UX' WHERE carrier = '{code}' AND scheduled_departure >= since()"
        for code in ("UA", "DL")
    ),
    rated=False,
    also=("keys-do-not-match",),
)
SPELLED = Fault(
    "spelled several ways",
    "flights.destination in lower case, or with a blank",
    ("spelled-several-ways",),
    (("flights", "destination"),),
    (
        "UPDATE flights SET destination = lower(destination) WHERE hit(flight_id)",
        "UPDATE flights SET destination = destination || ' ' WHERE hit(flight_id)",
    ),
    also=("keys-do-not-match",),
)
MIXED = Fault(
    "mixed types",
    "fleet.payload as text, with words among the numbers",
    ("mixed-types",),
    (("fleet", "payload"),),
    (
        (
            "ALTER TABLE fleet ALTER payload TYPE VARCHAR;"
            "UPDATE fleet SET payload = 'about ' || payload WHERE hit(tail_number)"
        ),
        "ALTER TABLE fleet ALTER payload TYPE VARCHAR; UPDATE fleet SET payload = 'see log' WHERE hit(tail_number)",
    ),
    edits=(("take: payload}", "take: payload, kind: category}"),),
)
ZONE = Fault(
    "time-zone shift",
    "arrivals.arr_time five hours early",
    ("time-zone",),
    (("arrivals", "arr_time"),),
    ("UPDATE arrivals SET arr_time = arr_time - INTERVAL 5 HOUR WHERE hit(flight_id)",),
    also=("impossible-dates", "time-zone"),
)
DATES = Fault(
    "impossible dates",
    "flights.scheduled_arrival three hours before departure, or in 2213",
    ("impossible-dates",),
    (("flights", "scheduled_arrival"),),
    (
        "UPDATE flights SET scheduled_arrival = scheduled_departure - INTERVAL 3 HOUR WHERE hit(flight_id)",
        "UPDATE flights SET scheduled_arrival = scheduled_arrival + INTERVAL 200 YEAR WHERE hit(flight_id)",
    ),
    high=False,
)
STAND_IN_NUMBER = Fault(
    "placeholders: numbers",
    "flights.distance_miles is -1, or 9999",
    ("placeholder-values",),
    (("flights", "distance_miles"),),
    tuple(f"UPDATE flights SET distance_miles = {value} WHERE hit(flight_id)" for value in (-1, 9999)),
    also=("systems-disagree", "rare-sign"),
)
STAND_IN_DATE = Fault(
    "placeholders: dates",
    "flights.scheduled_arrival is 1900-01-01",
    ("placeholder-values",),
    (("flights", "scheduled_arrival"),),
    ("UPDATE flights SET scheduled_arrival = TIMESTAMP '1900-01-01' WHERE hit(flight_id)",),
    high=False,
    also=("impossible-dates",),
)
STAND_IN_WORD = Fault(
    "placeholders: words",
    'flights.destination is "N/A", or "unknown"',
    ("placeholder-values",),
    (("flights", "destination"),),
    tuple(f"UPDATE flights SET destination = '{value}' WHERE hit(flight_id)" for value in ("N/A", "unknown")),
    also=("systems-disagree", "off-pattern"),
)
ORPHANS = Fault(
    "orphans",
    "departures of flights that are not in the plan",
    ("orphans",),
    (("departures", "flight_id"),),
    (
        (
            f"INSERT INTO departures SELECT * REPLACE ({other_key('flight_id')} AS flight_id) FROM departures "
            f"WHERE hit(flight_id) AND {other_key('flight_id')} NOT IN (SELECT flight_id FROM flights)"
        ),
    ),
    also=("same-event-twice",),
)
NO_MATCH = Fault(
    "keys not matching",
    "fleet.tail_number in lower case, or with a blank",
    ("keys-do-not-match",),
    (("fleet", "tail_number"),),
    (
        "UPDATE fleet SET tail_number = lower(tail_number) WHERE hit(tail_number)",
        "UPDATE fleet SET tail_number = ' ' || tail_number WHERE hit(tail_number)",
    ),
)
MANY = Fault(
    "many-to-many",
    "fleet with a second row of an aircraft, with another payload",
    ("many-to-many",),
    (("fleet", "tail_number"),),
    (
        (
            "INSERT INTO fleet SELECT 'U' || (5000 + CAST(substr(unit, 2) AS INTEGER)), tail_number, payload + 500 "
            "FROM fleet WHERE hit(tail_number)"
        ),
    ),
    high=False,
)
