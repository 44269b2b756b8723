"""The office's tables. Every timestamp is naive UTC; delays and air time are in minutes."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

flights = Table(
    "flights",
    metadata,
    Column("flight_id", Text, primary_key=True),
    Column("flight_date", Date, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("flight_number", Integer, nullable=False),
    Column("tail_number", Text),
    Column("origin", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("scheduled_departure", DateTime, nullable=False, index=True),
    Column("scheduled_arrival", DateTime, nullable=False),
    Column("distance_miles", Float, nullable=False),
    Column("published_at", DateTime, nullable=False, index=True),
)

departures = Table(
    "departures",
    metadata,
    Column("flight_id", Text, primary_key=True),
    Column("dep_time", DateTime, nullable=False),
    Column("dep_delay", Float, nullable=False),
    Column("recorded_at", DateTime, nullable=False, index=True),
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("flight_id", Text, primary_key=True),
    Column("carrier", Text, nullable=False),
    Column("tail_number", Text),
    Column("origin", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("dep_delay", Float, nullable=False),
    Column("arr_time", DateTime, nullable=False),
    Column("arr_delay", Float, nullable=False),
    Column("air_time", Float, nullable=False),
    Column("late", Integer, nullable=False),
    Column("recorded_at", DateTime, nullable=False, index=True),
    Index("ix_arrivals_tail_number_recorded_at", "tail_number", "recorded_at"),
)

# What became of each flight, where those who judge the advice read it.
outcomes = Table(
    "outcomes",
    metadata,
    Column("flight_id", Text, primary_key=True),
    Column("delay_minutes", Float, nullable=False),
    Column("known_at", DateTime, nullable=False, index=True),
)

cancellations = Table(
    "cancellations",
    metadata,
    Column("flight_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("recorded_at", DateTime, nullable=False, index=True),
)

alerts = Table(
    "alerts",
    metadata,
    Column("flight_id", Text, primary_key=True),
    Column("raised_at", DateTime, nullable=False, index=True),
    Column("rebook", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
)

rebookings = Table(
    "rebookings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("flight_id", Text, nullable=False, index=True),
    Column("planner", Text, nullable=False),
    Column("made_at", DateTime, nullable=False),
    Column("note", Text, nullable=False),
)

airports = Table(
    "airports",
    metadata,
    Column("airport", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
    Column("altitude_feet", Integer, nullable=False),
    Column("time_zone", Text),
)

airlines = Table(
    "airlines",
    metadata,
    Column("carrier", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

planes = Table(
    "planes",
    metadata,
    Column("tail_number", Text, primary_key=True),
    Column("built", Integer),
    Column("kind", Text, nullable=False),
    Column("manufacturer", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("engines", Integer, nullable=False),
    Column("seats", Integer, nullable=False),
    Column("engine", Text, nullable=False),
)

clock = Table(
    "clock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("now", DateTime, nullable=False),
    Column("ends_at", DateTime, nullable=False),
)
