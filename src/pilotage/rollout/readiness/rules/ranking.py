"""Which use case to build first, and whether machine learning is worth it there at all."""

from __future__ import annotations

from collections.abc import Iterable

from pilotage.audit.records import AuditReport
from pilotage.models.records import Comparison
from pilotage.platform.counting import plural
from pilotage.rollout.readiness.records import Rank, Scorecard, Worth
from pilotage.rollout.rules import POSITIVES_MIN, Dossier
from pilotage.usecase.records import UseCase

ORDER: tuple[Worth, ...] = ("yes", "promising", "unclear", "not_yet", "no")
WORDS: dict[Worth, str] = {
    "yes": "Worth it",
    "promising": "Promising",
    "unclear": "Not clear",
    "not_yet": "Not yet",
    "no": "Keep the rule",
}
TELLS_APART = 0.6
"""AUC of a quick model from which on columns tell cases apart; 0.5 is chance."""
_MONTHS_A_YEAR = 12
_HIGHER = {"minimal": "", "limited": "", "high": "Wrong answers can do much harm: every step takes longer."}


def ranked(places: Iterable[Rank]) -> list[Rank]:
    """The best first: by whether it is worth it, then by money, then by how ready it is, then by name."""
    return sorted(
        places,
        key=lambda each: (
            ORDER.index(each.worth),
            -(each.money_a_year if each.money_a_year is not None else each.at_stake_a_year or 0.0),
            -each.green / each.rows,
            each.use_case,
        ),
    )


def rank(dossier: Dossier, card: Scorecard) -> Rank:
    """One use case with the reasons for its place."""
    use_case, audit = dossier.definition.use_case, dossier.audit
    worth, because, following = _worth(dossier, card)
    a_year = _decisions_a_year(audit)
    at_stake = _at_stake(use_case, audit, a_year)
    money = None if _is_stale(dossier) else _earned(dossier.comparison, a_year)
    maturity = audit.maturity.overall if audit and audit.maturity else None
    return Rank(
        use_case=dossier.definition.name,
        title=use_case.title,
        worth=worth,
        because=because,
        next=following,
        reasons=_reasons(dossier, a_year, at_stake, money, card),
        money_a_year=money,
        at_stake_a_year=at_stake,
        currency=use_case.brief.value.currency,
        maturity=maturity,
        green=card.green,
        rows=len(card.rows),
    )


def _worth(dossier: Dossier, card: Scorecard) -> tuple[Worth, str, str]:
    """Is it worth machine learning? With the sentence why, and what to do next."""
    name, comparison = dossier.definition.name, dossier.comparison
    if comparison is not None and not _is_stale(dossier):
        return _by_comparison(name, comparison)
    if any(lint.id == "no-rule-to-beat" for lint in card.lints):
        return (
            "not_yet",
            "Nobody has written down how people decide today; that may be all it needs.",
            ("Write today's rule into the file."),
        )
    if dossier.audit is None:
        return "unclear", "Nothing was measured yet.", f"Run pilotage audit {name}."
    return _by_audit(name, dossier.audit)


def _by_comparison(name: str, comparison: Comparison) -> tuple[Worth, str, str]:
    """What held-out time said."""
    if comparison.verdict == "pilot":
        return "yes", comparison.reason, f"pilotage gate {name} says what the next stage needs."
    if comparison.verdict == "keep_rule":
        return "no", comparison.reason, "Keep the rule, and spend the time on another use case."
    if comparison.verdict == "blocked":
        return "not_yet", comparison.reason, f"Repair what blocks it: pilotage audit {name}."
    return "unclear", comparison.reason, "Wait for more outcomes, then build and train again."


def _by_audit(name: str, audit: AuditReport) -> tuple[Worth, str, str]:
    """What the data alone say, before anything was trained."""
    blocking = [finding for finding in audit.findings if finding.severity == "blocks"]
    if blocking:
        return (
            "not_yet",
            f"The data forbid it as they are: {blocking[0].message}",
            blocking[0].repair or f"Run pilotage audit {name}: it names each row.",
        )
    if audit.positives < POSITIVES_MIN and audit.labelled:
        return (
            "not_yet",
            f"Only {audit.positives:,} of {audit.labelled:,} known outcomes are {audit.are}.",
            (f"Wait until there are {POSITIVES_MIN}, or begin with a rule."),
        )
    if not audit.labelled:
        return "not_yet", "No past case has a known outcome, so nothing can be learnt.", "Find where outcomes are kept."
    if audit.quick_auc is not None and audit.quick_auc < TELLS_APART:
        return (
            "unclear",
            f"The columns hardly tell cases apart: a quick model has an AUC of {audit.quick_auc:.2f}.",
            (f"Look at the inputs that pilotage audit {name} proposes."),
        )
    told = f" (a quick model has an AUC of {audit.quick_auc:.2f})" if audit.quick_auc is not None else ""
    return (
        "promising",
        f"The data carry it as far as an audit can tell{told}.",
        f"Run pilotage build {name}, then train.",
    )


def _reasons(
    dossier: Dossier, a_year: float | None, at_stake: float | None, money: float | None, card: Scorecard
) -> tuple[str, ...]:
    """Short sentences on value, data, effort and risk, those that are known."""
    use_case, audit = dossier.definition.use_case, dossier.audit
    currency, sources = use_case.brief.value.currency, len(use_case.sources)
    found = [
        f"About {a_year:,.0f} decisions a year." if a_year else "",
        f"Answers that are always right would be worth {at_stake:,.0f} {currency} a year." if at_stake else "",
        f"By held-out time the best model earns {_signed(money)} {currency} a year against the rule."
        if money is not None
        else "",
        f"The data have a maturity of {audit.maturity.overall:.0f} of 100." if audit and audit.maturity else "",
        f"It takes {plural(sources, 'source')} to connect.",
        _HIGHER[use_case.brief.risk],
        f"{card.green} of {len(card.rows)} rows of its scorecard are green.",
    ]
    return tuple(each for each in found if each)


def _decisions_a_year(audit: AuditReport | None) -> float | None:
    """Decisions of the audited history, scaled to a year by its whole months."""
    if audit is None or not audit.balance or not audit.decisions:
        return None
    return audit.decisions / len(audit.balance) * _MONTHS_A_YEAR


def _at_stake(use_case: UseCase, audit: AuditReport | None, a_year: float | None) -> float | None:
    """What perfect answers would earn more than never acting; known for yes or no only."""
    if audit is None or a_year is None or not audit.labelled or use_case.kind != "flag":
        return None
    value = use_case.brief.value
    return a_year * audit.positives / audit.labelled * (value.caught - value.missed)


def _earned(comparison: Comparison | None, a_year: float | None) -> float | None:
    """What the best candidate earned more than the rule per 1,000 held-out decisions, over a year's decisions."""
    if comparison is None or a_year is None:
        return None
    per_1000 = {each.candidate: each.money.value for each in comparison.differences}
    found = per_1000.get(comparison.best)
    return None if found is None else found * a_year / 1000


def _signed(money: float) -> str:
    return f"{money:+,.0f}".replace("-", "\u2212")


def _is_stale(dossier: Dossier) -> bool:
    """A comparison of an earlier text of the file says nothing of this one."""
    return dossier.definitions.get("comparison") != dossier.definition.substance
