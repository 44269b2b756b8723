"""Lookups and windows over a spine of history on Spark: the query of :mod:`pilotage.data.rules.direct`, translated.

Spark reads the segments of snapshots where they lie in the lake, and writes its answer beside them: on a cluster every
node must see the installation's home directory under the same path. Nothing runs in Python there.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pilotage.data.engines.spark_sources import see
from pilotage.data.records import Snapshot
from pilotage.data.rules.direct import SPELLINGS, groups, history_query, relation_rows, to_spark
from pilotage.data.rules.needs import needed_columns
from pilotage.platform.errors import SettingsError, SourceUnavailable
from pilotage.platform.lake import Lake
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOCAL = {"spark.driver.memory": "2g", "spark.sql.shuffle.partitions": "8"}
"""Where Spark is this process alone: its memory, and how finely rows are split, which Spark merges where it is fine."""


@contextmanager
def session(master: str, scratch: Path) -> Iterator[SparkSession]:
    """A session in UTC of its own. A Spark that runs in this process already is used, and left running.

    ``master`` is where Spark runs, such as ``local[2]`` or ``spark://host:7077``; empty is what Spark is told by its
    own configuration, else all cores of this machine. ``scratch`` is a directory for what does not fit into memory.

    Raises:
        SettingsError: pyspark or Java is missing, or Spark did not start.
    """
    _demand_installed()
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    try:
        started = running or _started(master, scratch)
    except _errors() as error:
        raise SettingsError(f"Spark did not start: {_first_line(error)}", "See what it wrote above.") from None
    own = started.newSession()
    own.conf.set("spark.sql.session.timeZone", "UTC")
    own.conf.set("spark.sql.timestampType", "TIMESTAMP_NTZ")
    own.conf.set("spark.sql.ansi.enabled", "true")
    try:
        yield own
    finally:
        if running is None:
            started.stop()


def version() -> str:
    """Such as ``spark 4.3.0``.

    Raises:
        SettingsError: pyspark is missing.
    """
    _demand_installed()
    import pyspark

    return f"spark {pyspark.__version__}"


def write_columns(
    spark: SparkSession, lake: Lake, definition: Definition, found: Mapping[str, Snapshot], spine: Path, to: Path
) -> None:
    """Write the entity and all lookups and windows of each row of ``spine``, as Parquet files in the directory ``to``.

    ``spine`` is a Parquet file with entity, ``_moment`` and the request columns that are keys.

    Raises:
        SourceUnavailable: a source cannot be read on Spark, or Spark failed; the message has its reason.
    """
    try:
        _write_columns(spark, lake, definition, found, spine, to)
    except _errors() as error:
        raise SourceUnavailable(
            f"Spark could not make the columns of {definition.name}: {_first_line(error)}",
            "See what it wrote above, or build without --engine spark.",
        ) from None


def _write_columns(
    spark: SparkSession, lake: Lake, definition: Definition, found: Mapping[str, Snapshot], spine: Path, to: Path
) -> None:
    asked = groups(definition.plan)
    needed = needed_columns(definition)
    rows = {}
    for name in dict.fromkeys(group.source for group in asked):
        see(spark, lake, found[name], needed[name])
        types = {column.name: column for column in found[name].columns}
        rows[name] = relation_rows(name, definition.use_case.sources[name], needed[name], types)
    spark.read.parquet(f"file:{spine}").createOrReplaceTempView("spine")
    query = to_spark(history_query("spine", asked, rows, SPELLINGS["duckdb"], definition.plan.entity))
    names = [definition.plan.entity, *(column.name for group in asked for column in group.columns)]
    chosen = ", ".join(_named(name) for name in names)
    spark.sql(f"SELECT {chosen} FROM ({query})").write.parquet(f"file:{to}")


def spine_columns(definition: Definition) -> Sequence[str]:
    """What a spine needs for the lookups of a plan: entity, ``_moment`` and keys, as SQL names."""
    by = (name for group in groups(definition.plan) for name in group.by)
    return list(dict.fromkeys([quoted(definition.plan.entity), "_moment", *map(quoted, by)]))


def _named(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _demand_installed() -> None:
    if importlib.util.find_spec("pyspark") is None:
        raise SettingsError("Spark is not installed here.", "pip install 'pilotage[spark]'")
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and not (home and (Path(home) / "bin" / "java").exists()):
        raise SettingsError(
            "Spark needs Java, which is not installed here.", "Install Java 17 or 21, or set JAVA_HOME to where it is."
        )


def _started(master: str, scratch: Path) -> SparkSession:
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    told = SparkConf()
    place = master or told.get("spark.master") or "local[*]"
    settings = {
        "spark.master": place,
        "spark.app.name": "pilotage",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": f"file:{scratch / 'warehouse'}",
        **(_LOCAL if place.startswith("local") else {}),
    }
    builder = SparkSession.builder
    for name, value in settings.items():
        if name == "spark.master" or not told.contains(name):
            builder = builder.config(name, value)
    return builder.getOrCreate()


def _errors() -> tuple[type[Exception], ...]:
    """What Spark raises, in Python and across the bridge to Java."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return (PySparkException, Py4JError, OSError)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
