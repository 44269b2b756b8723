"""The model card: what it is for, what it learnt from, how good it is and where it is not.

Source: Mitchell et al.: Model cards for model reporting (FAT* 2019). Everything in it is evidence: nobody writes it.
"""

from __future__ import annotations

from pilotage.models.records import Grouped, Perfect
from pilotage.models.rules import closer, fairness_told, telling, wording
from pilotage.models.rules.cards.subject import Subject
from pilotage.models.rules.measures import MEASURES
from pilotage.platform.counting import plural

COLUMNS_TOLD = 5
Section = tuple[str, tuple[str, ...]]
"""A heading, and paragraphs or lines of a list (those begin with a dash) or of a table (those begin with a bar)."""


def sections(subject: Subject) -> tuple[Section, ...]:
    """The card, in reading order."""
    found = [
        ("What it is for", _purpose(subject)),
        ("What it learnt from", _learnt(subject)),
        ("How good it is", _quality(subject)),
        ("Whether its probabilities mean what they say", _reliable(subject)),
        ("Where it does worst", _worst(subject)),
        ("How it treats groups of people", tuple(f"- {fairness_told.told(one)}" for one in _of_this(subject))),
        ("What it leans on, and whether it lasts", _closer(subject)),
        ("What it does not know", _limits(subject)),
        ("How it was made", _made(subject)),
        ("How it is switched off", _control(subject)),
    ]
    return tuple((heading, lines) for heading, lines in found if lines)


def markdown(subject: Subject) -> str:
    """The card without its head."""
    lines = [f"# {subject.definition.use_case.title}: {subject.measured.title}", "", subject.comparison.reason, ""]
    for heading, paragraphs in sections(subject):
        lines += [f"## {heading}", ""]
        for before, line in zip(("", *paragraphs), paragraphs, strict=False):
            if before and not (before[0] == line[0] and line[0] in "-|"):
                lines.append("")
            lines.append(line)
        lines.append("")
    return "\n".join(lines)


def _purpose(subject: Subject) -> tuple[str, ...]:
    use_case = subject.definition.use_case
    brief, outcome = use_case.brief, use_case.outcome
    return (
        f"- **Predicts:** {outcome.says}{f', in {outcome.unit}' if outcome.unit else ''}",
        f"- **Decision:** {_line(brief.decision)}",
        f"- **Used by:** {_line(brief.users)}",
        f"- **Today's rule:** {_line(use_case.rule.says)}",
        f"- **Success is:** {_line(brief.kpi)}",
        f"- **Risk:** {brief.risk}",
        *(f"- **Must hold:** {_line(one)}" for one in brief.constraints),
        f"- **Answers for it:** {use_case.owner}",
    )


def _learnt(subject: Subject) -> tuple[str, ...]:
    made, comparison = subject.training_set, subject.comparison
    left_out = sum(made.excluded.values())
    columns = ", ".join(f"{column.name} ({column.kind})" for column in subject.definition.plan.columns)
    return (
        wording.grounds(comparison),
        (
            f"- **Training set:** {made.id}, fingerprint `{made.fingerprint}`, {plural(made.rows, 'decision')} from "
            f"{made.moment_from:%Y-%m-%d} to {made.moment_to:%Y-%m-%d}, {made.labelled:,} with an outcome; "
            f"{plural(left_out, 'row')} left out, each for a reason that the manifest names"
        ),
        *(f"- **Source {name}:** snapshot `{version}`" for name, version in sorted(made.snapshots.items())),
        f"- **Columns:** {columns}",
    )


def _quality(subject: Subject) -> tuple[str, ...]:
    comparison, kind = subject.comparison, subject.comparison.kind
    headings = [f"{comparison.currency} per 1,000", *(measure.heading for measure in MEASURES[kind])]
    rows = [
        f"| {one.title} | {' | '.join([wording.interval(one.money, 0), *wording.figures(one, kind)])} |"
        for one in comparison.candidates
    ]
    says = subject.definition.use_case.outcome.says
    return (
        f"| candidate | {' | '.join(headings)} |",
        f"|{' --- |' * (len(headings) + 1)}",
        *rows,
        *(f"- {one}" for one in telling.sentences(comparison, subject.measured, says)),
        *((wording.same_answers(comparison),) if comparison.trivial else ()),
    )


def _reliable(subject: Subject) -> tuple[str, ...]:
    found = subject.measured.reliability
    if found is None:
        return ()
    return (
        _beside_perfect("Log loss", found.log_loss),
        _beside_perfect("Brier score", found.brier),
        (
            f"- **Slope and intercept:** {wording.interval(found.slope, 2)} and "
            f"{wording.interval(found.intercept, 2)}; 1 and 0 are perfect"
        ),
    )


def _beside_perfect(name: str, found: Perfect) -> str:
    return (
        f"- **{name}:** {found.value:.4f}; a perfectly calibrated model would have {found.low:.4f} to {found.high:.4f} "
        f"(p {wording.chance(found.p)})"
    )


def _of_this(subject: Subject) -> list[Grouped]:
    """The groups by which this candidate was looked at."""
    return [one for one in subject.comparison.fairness if one.candidate == subject.measured.candidate]


def _worst(subject: Subject) -> tuple[str, ...]:
    """Of the candidate that was looked at closely."""
    if subject.comparison.sliced != subject.measured.candidate:
        return ()
    return tuple(f"- {one}" for one in wording.worst_slices(subject.comparison))


def _closer(subject: Subject) -> tuple[str, ...]:
    """What was found where this candidate is the one that was looked at closely."""
    comparison = subject.comparison
    if comparison.sliced != subject.measured.candidate:
        return ()
    told = closer.losses(comparison)[:COLUMNS_TOLD]
    if comparison.ablation is not None:
        told.append(closer.how_ablated(comparison.ablation))
    told += [closer.asked(closer.MORE, closer.more_data(comparison))]
    told += [closer.asked(closer.LAST, closer.lasting(comparison))]
    return tuple(f"- {one}" for one in told if one)


def _limits(subject: Subject) -> tuple[str, ...]:
    comparison = subject.comparison
    lines = [f"- {one}" for one in (*comparison.blockers, *comparison.cautions)]
    if comparison.judged_by == "group":
        lines.append(
            "- It was not judged on later decisions than it learnt from: the file sets apart which ones judge."
        )
    else:
        days = (comparison.held_out_to - comparison.calibrate_to).days
        lines.append(
            f"- It was judged on {plural(days, 'day')}: seasons that these do not hold, it has not been tried in."
        )
    if comparison.slices_left_out:
        lines.append(f"- {wording.slices_counted(comparison)}")
    personal = [name for name, column in subject.definition.plan.request.items() if column.personal]
    if personal:
        lines.append(f"- Columns that say something of a person: {', '.join(personal)}.")
    return tuple(lines)


def _made(subject: Subject) -> tuple[str, ...]:
    manifest, measured = subject.manifest, subject.measured
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(manifest.libraries.items()))
    settings = ", ".join(f"{name} {value}" for name, value in sorted(manifest.parameters.items()))
    return (
        (
            f"- **Artefact:** `{subject.artefact}`, {len(manifest.files)} files, {wording.size(measured.size_bytes)}; "
            "JSON, text and numbers only: nothing in it can run code"
        ),
        f"- **Made:** {manifest.made_at:%Y-%m-%d %H:%M} UTC in {measured.train_seconds:.1f} s, code `{manifest.code}`",
        f"- **Libraries:** {libraries}",
        *((f"- **Settings:** {settings}",) if settings else ()),
        f"- **One answer takes:** {measured.latency_us:,.0f} µs, without columns and recording",
    )


def _control(subject: Subject) -> tuple[str, ...]:
    name = subject.definition.name
    told = (
        f"`pilotage disable {name}` gives every question back to the rule within a second; "
        f"`pilotage rollback {name}` returns to the version before."
    )
    return (told,)


def _line(text: str) -> str:
    return " ".join(text.split())
