"""Whether the keys of two systems find each other, and whether one key means one row."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.decisions import KeyMatch
from pilotage.audit.measured.keys import Lookup, Orphans
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.owners import names_of, owner_of, with_article
from pilotage.usecase.records import Definition, Latest, Window

MATCH_MIN = 0.9
SPELLING_SHARE = 0.002
EVENTS_WITHOUT = 0.5
ORPHAN_SHARE = 0.005
ARBITRARY_SHARE = 0.01
TIED_SHARE = 0.001


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Keys without a match and why, keys with several rows, rows that name no case."""
    for match in measured.decisions.matches:
        if match.share < MATCH_MIN or sum(s.share for s in match.spellings) >= SPELLING_SHARE:
            yield _do_not_match(definition, measured, match)
    for lookup in measured.keys.lookups:
        if max(lookup.tied, lookup.arbitrary) >= TIED_SHARE:
            yield _many_to_many(definition, measured, lookup)
    for orphans in measured.keys.orphans:
        if orphans.rows:
            yield _orphans(definition, orphans)


def _do_not_match(definition: Definition, measured: Measured, match: KeyMatch) -> Finding:
    by, missing = names_of(match.by), 1 - match.share
    message = f"{missing:.1%} of decisions find no row in {match.source} by {by}"
    if match.empty:
        message += f"; {match.empty:.1%} of all have no {by}"
    ways = [s for s in match.spellings if s.share >= SPELLING_SHARE]
    repair = f"Find out which {by} {match.source} does not have: old ones, or those of another system."
    if match.empty > missing / 2:
        repair = f"Fill {by} where the decision comes from; without it nothing can be looked up."
    if ways:
        more = names_of([f"{s.share:.1%} if {s.way} did not count" for s in ways])
        message += f". More would match: {more}"
        repair = f"Write {by} the same way in both systems: {names_of([s.way for s in ways])}."
    elif _is_of_events(definition, match):
        message += f": {match.source} has rows of events, and most have none"
        repair = f"Nothing to do, if most have no row in {match.source}: a `windows` input with count says 0 there."
    return Finding(
        "keys-do-not-match",
        "keys",
        _unmatched(definition, match, bool(ways)),
        match.source,
        ", ".join(match.by),
        f"{message}.",
        repair,
        owner_of(definition.use_case, match.source),
        concerns=round(missing * measured.decisions.decisions),
        share=missing,
        samples=ways[0].examples if ways else match.samples,
        figures={
            "matched": match.share,
            "empty": match.empty,
            "would_match": {spelling.way: spelling.share for spelling in match.spellings},
        },
    )


def _is_of_events(definition: Definition, match: KeyMatch) -> bool:
    """Whether the source has rows of events, not one per key: then no row may only say that nothing happened."""
    source = definition.use_case.sources[match.source]
    lines = (c for c in definition.plan.columns if isinstance(c, (Latest, Window)))
    key = next((c.found_by for c in lines if (c.source, c.by) == (match.source, match.by)), match.by)
    own = set(source.key) - {source.event_time, source.known_at}
    return not own <= set(key) and MATCH_MIN > match.share > 0 and 1 - match.share - match.empty > EVENTS_WITHOUT


def _unmatched(definition: Definition, match: KeyMatch, misspelled: bool) -> Severity:
    if match.share == 0:
        return "blocks"
    return "informs" if not misspelled and _is_of_events(definition, match) else "warns"


def _many_to_many(definition: Definition, measured: Measured, lookup: Lookup) -> Finding:
    """Which of several rows is taken is arbitrary where they say different things."""
    static = definition.use_case.sources[lookup.source].is_static
    decisions, by = measured.decisions.decisions, names_of(lookup.by)
    when = "" if static else " at one instant"
    message = (
        f"{lookup.tied:.1%} of {lookup.source}'s rows share their {by}{when} with another: a plain join would make "
        f"{round(decisions * lookup.factor):,} rows of {decisions:,} decisions. Here the newest row is taken"
    )
    if lookup.arbitrary:
        message += f", and in {lookup.arbitrary:.1%} of decisions rows that are equally new say different things"
    severity: Severity = "warns" if lookup.arbitrary >= ARBITRARY_SHARE else "informs"
    return Finding(
        "many-to-many",
        "keys",
        severity,
        lookup.source,
        ", ".join(lookup.by),
        f"{message}.",
        f"Several rows of {lookup.source} belong to one {by}: aggregate them by it, with `windows: {lookup.source}` "
        "and `aggregate: count`, `sum` or `mean`, in place of `latest`; or have the rows say which of them counts."
        if lookup.arbitrary
        else "Nothing to do: the rows say the same.",
        owner_of(definition.use_case, lookup.source),
        concerns=round(lookup.arbitrary * decisions),
        share=lookup.arbitrary,
        samples=lookup.samples,
        sampled=lookup.sampled,
        figures={"rows_in": decisions, "rows_out": round(decisions * lookup.factor), "tied": lookup.tied},
    )


def _orphans(definition: Definition, orphans: Orphans) -> Finding:
    own = definition.use_case.decision.source
    by = names_of(orphans.by)
    return Finding(
        "orphans",
        "keys",
        "warns" if orphans.share >= ORPHAN_SHARE else "informs",
        orphans.source,
        ", ".join(orphans.by),
        f"{orphans.rows:,} of {orphans.looked_at:,} rows of {orphans.source} ({orphans.share:.1%}) name "
        f"{with_article(by)} that {own} does not have, though they happened in its time.",
        f"Find out which cases {own} lost, or where else these rows come from.",
        owner_of(definition.use_case, own),
        concerns=orphans.rows,
        share=orphans.share,
        samples=orphans.samples,
        sampled=orphans.sampled,
    )
