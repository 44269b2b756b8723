"""What a model card is about, from the evidence."""

from __future__ import annotations

import io

import msgspec

from pilotage.data.flow.replaying import find_training_set
from pilotage.models import artefacts
from pilotage.models.flow.comparing import latest_comparison
from pilotage.models.rules.cards import card, metadata
from pilotage.models.rules.cards.subject import Subject
from pilotage.platform.errors import EvidenceMissing, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition


def subject_of(work: Workspace, definition: Definition, candidate: str | None = None) -> Subject:
    """The recommended candidate of the newest comparison, else the one that earned most; or the one asked for.

    Raises:
        EvidenceMissing: nothing was trained yet.
        NotFound: there is no such candidate, or it has no artefact.
    """
    comparison = latest_comparison(work, definition.name)
    if comparison is None or not comparison.artefacts:
        raise EvidenceMissing(
            f"{definition.name} has no model that could be described.", f"Run pilotage train {definition.name} first."
        )
    learnt = [one for one in comparison.candidates if one.candidate in comparison.artefacts]
    wanted = candidate or comparison.recommended
    found = next((one for one in learnt if one.candidate == wanted), None)
    if found is None and candidate:
        known = ", ".join(one.candidate for one in learnt)
        raise NotFound(f"The newest comparison has no model {candidate}.", f"It has {known}.")
    measured = found or max(learnt, key=lambda one: one.money.value)
    digest = comparison.artefacts[measured.candidate]
    training_set = find_training_set(work, comparison.training_set)
    if training_set is None:
        raise EvidenceMissing(
            f"The training set {comparison.training_set} of the newest comparison is not in the control database.",
            f"Run pilotage build {definition.name} and pilotage train {definition.name}.",
        )
    return Subject(
        definition=definition,
        comparison=comparison,
        measured=measured,
        artefact=digest,
        manifest=artefacts.read_manifest(work, digest),
        training_set=training_set,
    )


def card_text(subject: Subject) -> str:
    """The card as a file: its head in YAML, then Markdown."""
    from ruamel.yaml import YAML

    writer, head = YAML(typ="safe"), io.StringIO()
    writer.default_flow_style = False
    writer.dump(msgspec.to_builtins(metadata.metadata(subject)), head)
    return f"---\n{head.getvalue()}---\n\n{card.markdown(subject)}"
