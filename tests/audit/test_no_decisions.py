"""An audit of a use case of which nothing was decided yet, and of one for which nobody answers yet."""

from __future__ import annotations

import msgspec

from pilotage.audit.measured import Measured
from pilotage.audit.measured.decisions import KeyMatch
from pilotage.audit.rules.answers import answers
from pilotage.audit.rules.findings import findings
from pilotage.audit.rules.owners import NOBODY, owner_of
from tests.audit.shop_figures import figures
from tests.data.shop import TEXT, shop

__all__ = ["figures"]


def test_without_a_decision_only_that_is_said_of_keys_outcomes_and_leaks(figures: Measured) -> None:
    match = KeyMatch("visits", ("store",), 0.0, 0.0)
    none = msgspec.structs.replace(
        figures.decisions,
        decisions=0,
        labelled=0,
        positives=0,
        input_completeness={"store": 0.0},
        matches=(match,),
        why_none=("No decision of returns is older than 1 day.", "Wait for outcomes."),
    )
    measured = msgspec.structs.replace(figures, decisions=none)
    found = findings(shop(), measured)
    assert [(each.code, each.severity) for each in found if each.severity == "blocks"] == [("no-decisions", "blocks")]
    assert "older than 1 day" in found[0].message
    assert not {"keys", "leakage"} & {each.topic for each in found}
    quality = next(each.answer for each in answers(shop(), measured, found) if each.path == "answers.quality")
    assert "0.0% of decisions" not in quality and "There is no decision" in quality


def test_a_question_for_the_owner_is_nobodys_name(figures: Measured) -> None:
    asked = "Who answers for this use case?"
    text = TEXT.replace("owner: shop@example.com\ndata_owner: data@example.com", f"owner: {asked}")
    text += "\nguessed: {owner: nothing says it}\n"
    definition = shop(text)
    assert owner_of(definition.use_case, "orders") == NOBODY
    owners = {each.owner for each in findings(definition, figures)}
    assert NOBODY in owners and asked not in owners
    assert owner_of(definition.use_case, "visits") == "visits@example.com"
