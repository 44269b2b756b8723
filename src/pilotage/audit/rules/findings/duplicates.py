"""What is there more than once: rows, keys, events, and names in two spellings."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.repeats import SameEvents
from pilotage.audit.measured.systems import SameContent
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.about import About, about, percent
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.platform.counting import plural
from pilotage.usecase.records import ROW, Definition

# Rows that agree by chance become far more when the most telling column is left out; copies stay as many.
COPIES_MIN = 0.5
# Where so many rows are alike, the columns are too coarse to tell events apart.
COPIES_MAX = 0.3
EVENTS_MIN = 3
# One row in two thousand may be chance after all; one in five hundred is a fault at work.
EVENTS_SHARE_MIN = 0.0005
EVENTS_WARN = 0.002
# Two systems share events when these columns tell nearly all their rows apart, and one row in a hundred is in both.
UNIQUE_MIN = 0.9
SHARED_MIN = 0.01
# A name column is one in which texts hardly repeat; where they do, another spelling is another category.
NAMES_DISTINCT = 0.5


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Rows, keys, events and names that occur again."""
    for this in about(definition, measured, "duplicates"):
        yield from _rows(this)
        yield from _events(this)
        yield from _names(this)
    for shared in measured.systems.same_content:
        yield from _systems(definition, shared)


def _rows(this: About) -> Iterator[Finding]:
    figures, repeats = this.figures, this.figures.repeats
    key = ", ".join(this.source.key)
    if repeats.exact:
        yield this.finding(
            "duplicates",
            "warns",
            "",
            f"{repeats.exact:,} of {figures.rows:,} rows are there already, equal to the last value.",
            "Stop writing them twice. They count once here.",
            concerns=repeats.exact,
            samples=repeats.samples.get("exact", ()),
            rows=repeats.exact,
        )
    spelled, clashing = repeats.near, repeats.clashing - repeats.near
    if clashing > 0:
        yield this.finding(
            "duplicate-keys",
            "warns",
            key,
            f"{clashing:,} rows have the key and the `known_at` of another row, and other values: which of them holds "
            "cannot be known.",
            "Find what tells them apart and add it to `key`, or deliver one row per key.",
            concerns=clashing,
            samples=repeats.samples.get("clashing", ()),
            rows=clashing,
        )
    if spelled > 0:
        yield this.finding(
            "near-duplicates",
            "warns",
            key,
            f"{plural(spelled, 'row')} {'differs' if spelled == 1 else 'differ'} from another with the same key and "
            "`known_at` only in case, blanks or punctuation.",
            "Stop writing them twice, and agree on one spelling.",
            concerns=spelled,
            samples=repeats.samples.get("clashing", ()),
            rows=spelled,
        )
    corrected = figures.rows - repeats.keys - repeats.exact - repeats.clashing
    if corrected > 0:
        yield this.finding(
            "corrected-rows",
            "informs",
            key,
            f"{corrected:,} rows have a key that is there already: each counts as a correction from its `known_at` on.",
            "Check that `key` names one thing, and that these are corrections.",
            concerns=corrected,
            samples=repeats.samples.get("corrected", ()),
            rows=corrected,
        )


def _events(this: About) -> Iterator[Finding]:
    same = this.figures.repeats.same_events
    if same is None:
        return
    sampled = same.looked_at if same.looked_at < this.figures.rows else 0
    key = ", ".join(this.source.key)
    numbered = list(this.source.key) == [ROW]
    if _copies(same, same.rows) and numbered:
        yield this.finding(
            "duplicates",
            "warns",
            "",
            f"{same.rows:,} of {same.looked_at:,} rows are there more than once, to the last value.",
            "Stop writing them twice: as no column tells rows apart, each of them counts.",
            concerns=same.rows,
            of=same.looked_at,
            samples=same.samples,
            sampled=sampled,
            rows=same.rows,
        )
    elif _copies(same, same.rows):
        yield this.finding(
            "same-event-twice",
            "warns" if same.rows >= EVENTS_WARN * same.looked_at else "informs",
            key,
            f"{same.rows:,} rows equal another in every column but {key}: the same event under two keys.",
            f"Find out why {key} is given twice. Windows count these events twice.",
            concerns=same.rows,
            of=same.looked_at,
            samples=same.samples,
            sampled=sampled,
            rows=same.rows,
        )
    if _copies(same, same.near):
        yield this.finding(
            "near-duplicates",
            "warns" if same.near >= EVENTS_WARN * same.looked_at else "informs",
            key,
            f"{same.near:,} rows equal another under another {key} but for case, blanks or punctuation.",
            f"Agree on one spelling, and find out why {key} is given twice.",
            concerns=same.near,
            of=same.looked_at,
            samples=same.near_samples,
            sampled=sampled,
            rows=same.near,
        )


def _copies(same: SameEvents, rows: int) -> bool:
    alike = same.rows + same.near
    few = rows < max(EVENTS_MIN, EVENTS_SHARE_MIN * same.looked_at)
    return not few and COPIES_MIN * same.without <= alike <= COPIES_MAX * same.looked_at


def _names(this: About) -> Iterator[Finding]:
    for column in this.columns:
        if column.text is None or column.text.spellings is None or not is_name(this, column.name):
            continue
        spellings = column.text.spellings
        examples = "; ".join(" = ".join(repr(value.text) for value in cluster) for cluster in spellings.clusters[:3])
        yield this.finding(
            "near-duplicates",
            this.severity(column.name),
            column.name,
            f"{plural(spellings.rows, 'row')} may be there under another spelling of {column.name}: {examples}.",
            "Merge what is one, and keep one spelling.",
            concerns=spellings.rows,
            of=column.text.looked_at,
            samples=this.figures.samples.get(f"spelling {column.name}", ()),
            sampled=this.figures.sampled,
            rows=spellings.rows,
        )


def is_name(this: About, name: str) -> bool:
    """Whether each text of a column stands for one row, as names of customers do."""
    text = this.figures.profiles[name].text
    return (
        text is not None
        and name not in this.source.key
        and text.looked_at > 0
        and text.distinct > NAMES_DISTINCT * text.looked_at
    )


def _systems(definition: Definition, shared: SameContent) -> Iterator[Finding]:
    if not shared.rows or shared.unique < UNIQUE_MIN or shared.equal < max(EVENTS_MIN, SHARED_MIN * shared.rows):
        return
    share = shared.equal / shared.rows
    yield Finding(
        code="same-event-twice",
        topic="duplicates",
        severity="informs",
        source=shared.second,
        column=", ".join(definition.use_case.sources[shared.second].key),
        message=f"{percent(share)} of the smaller of {shared.first} and {shared.second} are in both, under another "
        f"key: equal in {names_of(shared.columns)}.",
        repair="Take each event from one of them only, or have one carry the other's key.",
        owner=owner_of(definition.use_case, shared.second),
        concerns=shared.equal,
        share=share,
        samples=shared.samples,
        sampled=shared.rows if shared.sampled else 0,
        figures={"rows": shared.equal, "other": shared.first},
    )
