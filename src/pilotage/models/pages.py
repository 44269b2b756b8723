"""The comparison page: the recommendation first, then everything it stands on."""

from __future__ import annotations

from litestar import get
from litestar.response import Template

from pilotage.govern.guards import needs
from pilotage.govern.records import Permission
from pilotage.models import flow
from pilotage.models.rules import pictures, wording
from pilotage.platform import charts
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining


@get("/use-cases/{use_case:str}/comparison", guards=[needs(Permission.READ)], sync_to_thread=True)
def comparison_page(use_case: str, work: Workspace) -> Template:
    """The rule and the candidates on the same held-out time."""
    definition = defining.find_adopted(work, use_case)
    comparison = flow.latest_comparison(work, use_case)
    page = {"use_case": use_case, "title": definition.use_case.title, "active": "comparison"}
    if comparison is None:
        return Template("models/comparison.html", context={"page": page, "comparison": None})
    evidence = defining.latest_evidence(work, use_case, flow.COMPARISON)
    rule = wording.measured(comparison, "rule")
    says = definition.use_case.outcome.says
    return Template(
        "models/comparison.html",
        context={
            "page": page,
            "comparison": comparison,
            "stale": evidence is not None and evidence.definition != definition.substance,
            "grounds": wording.grounds(comparison),
            "recommended": wording.measured(comparison, comparison.recommended),
            "told": [(one, wording.sentences(one, rule, comparison.currency, says)) for one in comparison.candidates],
            "verdict": None if comparison.verdict is None else wording.VERDICTS[comparison.verdict],
            "differences": {one.candidate: one for one in comparison.differences},
            "same_answer": comparison.trivial and wording.same_answer(comparison.trivial, comparison.currency),
            "sliced": comparison.sliced and wording.name(comparison, comparison.sliced),
            "worst_slices": wording.worst_slices(comparison),
            "slices_counted": wording.slices_counted(comparison),
            "chance": wording.chance,
            "interval": wording.interval,
            "amount": wording.amount,
            "size": wording.size,
            "money_chart": charts.svg(pictures.money(comparison)),
            "calibration_chart": charts.svg(pictures.calibration(comparison)),
        },
    )


PAGES = [comparison_page]
