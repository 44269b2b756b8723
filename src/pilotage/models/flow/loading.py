"""Artefacts signed and brought to life."""

from __future__ import annotations

from pilotage.models import artefacts
from pilotage.models.scoring import Scorer
from pilotage.platform.workspace import Workspace


def load_artefact(work: Workspace, digest: str, signature: str) -> Scorer:
    """The scorer of a signed artefact, every byte verified.

    Raises:
        NotFound: there is no such artefact.
        CorruptArtefact: not signed by this installation, or bytes were changed or are gone.
    """
    return Scorer(*artefacts.load(work, digest, signature))


def sign_artefact(work: Workspace, digest: str) -> str:
    """This installation's signature for an artefact in its lake; its files are verified first."""
    return artefacts.sign(work, digest)
