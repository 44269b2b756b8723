"""The use-case brief: one page that owner, users and engineers can agree on, told from the file alone."""

from __future__ import annotations

import math

import msgspec

from pilotage.usecase.records import Constraint, Definition, Fairness, UseCase
from pilotage.usecase.rules.value import pays_from


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
        *((("People's decision", use_case.human.says or use_case.human.decided),) if use_case.human else ()),
    )


def _prediction(definition: Definition) -> tuple[tuple[str, str], ...]:
    use_case = definition.use_case
    outcome = use_case.outcome
    unit = f", in {outcome.unit}" if outcome.unit and outcome.unit not in outcome.says else ""
    return (
        ("Target", f"{_TARGETS[use_case.kind]}{outcome.says}{unit}; known after {outcome.matures}"),
        *((("Actions", actions),) if (actions := _actions(use_case)) else ()),
        *((("Threshold", _threshold(use_case)),) if use_case.kind == "flag" else ()),
        ("Columns", f"{len(definition.plan.columns)}, from what the app sends and {len(use_case.sources)} sources"),
        ("Latency", f"answers within {use_case.brief.latency_ms} ms"),
    )


_TARGETS = {"flag": "", "category": "one of several categories: ", "number": "a number: "}


def _actions(use_case: UseCase) -> str:
    """What is done, and when; empty where an answer is told as it is."""
    policy = use_case.policy
    if use_case.kind == "flag":
        return f"{policy.actions['positive']}, or {policy.actions['negative']}"
    if use_case.kind == "category":
        return "; ".join(f"{category}: {action}" for category, action in policy.actions.items())
    if not policy.actions:
        return ""
    unit = f" {use_case.outcome.unit}" if use_case.outcome.unit else ""
    return f"from {policy.threshold:g}{unit} on {policy.actions['above']}, below it {policy.actions['below']}"


def _threshold(use_case: UseCase) -> str:
    threshold = use_case.policy.threshold
    if isinstance(threshold, float):
        return f"act from a probability of {_percent(threshold)}, set by the owner"
    if isinstance(threshold, Constraint):
        if threshold.precision is not None:
            return f"act so that at least {threshold.precision:.0%} of the cases acted on turn out positive"
        return f"act on the {threshold.a_day:,} likeliest cases a day at most"
    at = pays_from(use_case.brief.value)
    if at is None:
        return "never act: by these values acting never pays"
    return f"act from a probability of {_percent(at)}, where acting begins to pay"


def _percent(probability: float) -> str:
    """``25%``, ``99.98%`` or ``0.020%``: as many digits as a rare case needs."""
    near = min(probability, 1 - probability)
    digits = 0 if near >= 0.01 or near <= 0 else 1 - math.floor(math.log10(100 * near))
    return f"{probability:.{digits}%}"


def _worth(use_case: UseCase) -> tuple[tuple[str, str], ...]:
    value, unit = use_case.brief.value, f" ({use_case.outcome.unit})" if use_case.outcome.unit else ""
    amounts = {
        "A case caught": value.caught,
        "A false alarm": value.false_alarm,
        "A case missed": value.missed,
        "A right answer": value.right,
        "A wrong answer": value.wrong,
        f"Each unit too low{unit}": value.too_low,
        f"Each unit too high{unit}": value.too_high,
        "A minute of review": value.review_minute,
    }
    worth = tuple((label, f"{amount:+,.2f} {value.currency}") for label, amount in amounts.items() if amount)
    return (("KPI", use_case.brief.kpi), *worth)


def _safety(use_case: UseCase) -> tuple[tuple[str, str], ...]:
    uncertain = _uncertain(use_case)
    review = f"{uncertain}, for {use_case.review.minutes_per_case:g} minutes a case"
    constraints = "; ".join(use_case.brief.constraints)
    return (
        ("Risk", use_case.brief.risk),
        ("Fallback", f"today's rule, and if it cannot answer: {default_in_words(use_case)}"),
        ("Human review", review if uncertain else "none"),
        *((("Bias limit", _fairness(use_case.fairness)),) if use_case.fairness else ()),
        *((("Constraints", constraints),) if constraints else ()),
    )


def default_in_words(use_case: UseCase) -> str:
    """What is answered where neither model nor rule can say."""
    policy, unit = use_case.policy, use_case.outcome.unit
    if use_case.kind == "flag":
        return policy.actions["positive" if policy.default == "positive" else "negative"]
    if isinstance(policy.default, float):
        return f"{policy.default:g} {unit}".strip()
    return policy.actions.get(str(policy.default), str(policy.default))


def _uncertain(use_case: UseCase) -> str:
    """Which answers go to a person; empty where none do."""
    policy, unit = use_case.policy, use_case.outcome.unit
    if use_case.kind == "category":
        return f"less than {policy.confidence:.0%} sure of the category" if policy.confidence else ""
    if use_case.kind == "number":
        return f"90 % interval wider than {policy.width:g} {unit}".strip() if policy.width else ""
    return f"within {policy.uncertain_within:.0%} of the threshold" if policy.uncertain_within else ""


_COMPARED = {"selection": "how often it acts", "recall": "how many cases it catches", "false_alarms": "false alarms"}


def _fairness(fairness: Fairness) -> str:
    return (
        f"{_COMPARED[fairness.measure]}, by {', '.join(fairness.by)}: lowest over highest at least {fairness.ratio:g}"
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
