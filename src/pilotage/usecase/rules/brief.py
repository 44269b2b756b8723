"""The use-case brief: one page that owner, users and engineers can agree on, told from the file alone."""

from __future__ import annotations

import msgspec

from pilotage.usecase.records import Definition, UseCase
from pilotage.usecase.rules.value import break_even


class Section(msgspec.Struct, frozen=True):
    """A heading with facts under it: label and text."""

    heading: str
    facts: tuple[tuple[str, str], ...]


def brief_of(definition: Definition) -> tuple[Section, ...]:
    """The sections of the brief, in reading order."""
    use_case = definition.use_case
    return (
        Section("The work today", _work(use_case)),
        Section("The prediction", _prediction(definition)),
        Section("What it is worth", _worth(use_case)),
        Section("Safety", _safety(use_case)),
        Section("Scope and owners", _scope(definition)),
    )


def markdown(definition: Definition) -> str:
    """The brief as Markdown."""
    lines = [f"# {definition.use_case.title}", ""]
    for section in brief_of(definition):
        lines += [f"## {section.heading}", ""]
        lines += [f"- **{label}:** {' '.join(text.split())}" for label, text in section.facts]
        lines.append("")
    lines.append(f"Definition {definition.fingerprint[:12]} of use case `{definition.name}`.")
    return "\n".join(lines) + "\n"


def _work(use_case: UseCase) -> tuple[tuple[str, str], ...]:
    brief, decision = use_case.brief, use_case.decision
    return (
        ("Workflow", brief.workflow),
        ("Users", brief.users),
        ("Decision", brief.decision),
        ("Moment", f"{decision.moment or 'when it is asked'}, for each {decision.entity}"),
        ("Today's rule", use_case.rule.says),
    )


def _prediction(definition: Definition) -> tuple[tuple[str, str], ...]:
    use_case = definition.use_case
    outcome, policy = use_case.outcome, use_case.policy
    return (
        ("Target", f"{outcome.says}; known after {outcome.matures}"),
        ("Actions", f"{policy.actions['positive']}, or {policy.actions['negative']}"),
        ("Threshold", _threshold(use_case)),
        ("Columns", f"{len(definition.plan.columns)}, from what the app sends and {len(use_case.sources)} sources"),
        ("Latency", f"answers within {use_case.brief.latency_ms} ms"),
    )


def _threshold(use_case: UseCase) -> str:
    threshold = use_case.policy.threshold
    if isinstance(threshold, float):
        return f"act from a probability of {threshold:.0%}, set by the owner"
    return f"act from a probability of {break_even(use_case.brief.value):.0%}, where acting begins to pay"


def _worth(use_case: UseCase) -> tuple[tuple[str, str], ...]:
    value = use_case.brief.value
    amounts = {
        "A case caught": value.caught,
        "A false alarm": value.false_alarm,
        "A case missed": value.missed,
        "A minute of review": value.review_minute,
    }
    worth = tuple((label, f"{amount:+,.2f} {value.currency}") for label, amount in amounts.items() if amount)
    return (("KPI", use_case.brief.kpi), *worth)


def _safety(use_case: UseCase) -> tuple[tuple[str, str], ...]:
    policy = use_case.policy
    band = policy.uncertain_within
    review = f"within {band:.0%} of the threshold, for {use_case.review.minutes_per_case:g} minutes a case"
    constraints = "; ".join(use_case.brief.constraints)
    return (
        ("Risk", use_case.brief.risk),
        ("Fallback", f"today's rule, and if it cannot answer: {policy.actions[policy.default]}"),
        ("Human review", review if band else "none"),
        *((("Constraints", constraints),) if constraints else ()),
    )


def _scope(definition: Definition) -> tuple[tuple[str, str], ...]:
    use_case = definition.use_case
    rollout = use_case.rollout
    sources = ", ".join(
        f"{name} ({source.owner or use_case.data_owner or 'no owner named'})"
        for name, source in use_case.sources.items()
    )
    pilot = f"{rollout.assist_share:.0%} of decisions, advancing after {rollout.decisions_min:,} with evidence"
    return (("Systems touched", sources), ("Pilot", pilot), ("Owner", use_case.owner))
