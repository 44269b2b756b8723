"""The comparison page: the recommendation first, then everything it stands on."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.response import Template

from pilotage.govern.guards import needs
from pilotage.govern.records import Permission
from pilotage.models import flow
from pilotage.models.records import Comparison
from pilotage.models.rules import closer, closer_pictures, fairness_told, pictures, telling, wording
from pilotage.models.rules.cards import card, plain
from pilotage.models.rules.cards.blocks import blocks
from pilotage.models.rules.following import following
from pilotage.models.rules.measures import MEASURES
from pilotage.platform import charts
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition


@get("/use-cases/{use_case:str}/comparison", guards=[needs(Permission.READ)], sync_to_thread=True)
def comparison_page(use_case: str, work: Workspace) -> Template:
    """The rule and the candidates on the same held-out time."""
    definition = defining.find_adopted(work, use_case)
    comparison = flow.latest_comparison(work, use_case)
    page = _page(definition, "comparison")
    if comparison is None:
        return Template("models/comparison.html", context={"page": page, "comparison": None})
    evidence = defining.latest_evidence(work, use_case, flow.COMPARISON)
    says, stale = definition.use_case.outcome.says, evidence is not None and evidence.definition != definition.substance
    return Template(
        "models/comparison.html",
        context={
            "page": page,
            "comparison": comparison,
            "stale": stale,
            "following": following(comparison, stale),
            "review_money": wording.review_money(comparison),
            "grounds": wording.grounds(comparison),
            "recommended": wording.measured(comparison, comparison.recommended),
            "told": [(one, telling.sentences(comparison, one, says)) for one in comparison.candidates],
            "verdict": wording.VERDICTS[comparison.verdict],
            "differences": {one.candidate: one for one in comparison.differences},
            "measures": MEASURES[comparison.kind],
            "same": wording.same(comparison),
            "same_answers": wording.same_answers(comparison),
            "refusals": wording.refusals(comparison),
            "sliced": comparison.sliced and wording.name(comparison, comparison.sliced),
            "worst_slices": wording.worst_slices(comparison),
            "slices_counted": wording.slices_counted(comparison),
            **_closer(comparison),
            "chance": wording.chance,
            "interval": wording.interval,
            "amount": wording.amount,
            "money_chart": charts.svg(pictures.money(comparison)),
            "calibration_chart": charts.svg(pictures.calibration(comparison)),
        },
    )


@get("/use-cases/{use_case:str}/model-card", guards=[needs(Permission.READ)], sync_to_thread=True)
def card_page(use_case: str, work: Workspace, candidate: str | None = None) -> Template:
    """What the model is for, what it learnt from, how good it is, where it is not."""
    subject = flow.subject_of(work, defining.find_adopted(work, use_case), candidate)
    return Template(
        "models/card.html",
        context={
            "page": _page(subject.definition, "comparison"),
            "subject": subject,
            "models": [one for one in subject.comparison.candidates if one.candidate in subject.comparison.artefacts],
            "sections": [(heading, blocks(lines)) for heading, lines in card.sections(subject)],
        },
    )


@get("/use-cases/{use_case:str}/in-plain-words", guards=[needs(Permission.READ)], sync_to_thread=True)
def plain_page(use_case: str, work: Workspace, candidate: str | None = None) -> Template:
    """The model for those who work with it: of 100, how many."""
    subject = flow.subject_of(work, defining.find_adopted(work, use_case), candidate)
    return Template(
        "models/plain.html",
        context={
            "page": _page(subject.definition, "comparison"),
            "subject": subject,
            "headline": plain.headline(subject),
            "hundreds": plain.hundreds(subject),
            "sentences": plain.sentences(subject),
        },
    )


def _page(definition: Definition, active: str) -> dict[str, str]:
    return {"use_case": definition.name, "title": definition.use_case.title, "active": active}


def _closer(comparison: Comparison) -> dict[str, Any]:
    """What the sections about one model need."""
    learning, stability, ablation = comparison.learning, comparison.stability, comparison.ablation
    return {
        "searched": [closer.searched(comparison, one) for one in comparison.searches],
        "grouped": [(one, fairness_told.told(one)) for one in comparison.fairness],
        "group_headings": fairness_told.HEADINGS[comparison.kind],
        "more": closer.MORE,
        "last": closer.LAST,
        "more_data": closer.more_data(comparison),
        "learning_chart": charts.svg(closer_pictures.learning(comparison, learning))
        if learning and len(learning.parts) > 1
        else "",
        "losses": closer.losses(comparison),
        "how_ablated": closer.how_ablated(ablation) if ablation else "",
        "ablation_chart": charts.svg(closer_pictures.ablation(comparison, ablation))
        if ablation and ablation.groups
        else "",
        "lasting": closer.lasting(comparison),
        "stability_chart": charts.svg(closer_pictures.stability(comparison, stability)) if stability else "",
        "surest": closer.surest(comparison),
        "bands": closer.BANDS,
    }


PAGES = [comparison_page, card_page, plain_page]
