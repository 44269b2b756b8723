"""Artefacts signed and brought to life."""

from __future__ import annotations

import msgspec

from pilotage.models import artefacts, golden
from pilotage.models.raw import Encoded
from pilotage.models.scoring import Scorer
from pilotage.platform.errors import CorruptArtefact
from pilotage.platform.workspace import Workspace

UNFIT = (msgspec.DecodeError, LookupError, ValueError, TypeError, ArithmeticError)
"""What files raise that are whole and signed, and hold something else than a model reads."""


def load_artefact(work: Workspace, digest: str, signature: str) -> Scorer:
    """The scorer of a signed artefact: every byte verified, every file read, and its golden rows asked again.

    Raises:
        NotFound: there is no such artefact.
        CorruptArtefact: not signed by this installation, its bytes were changed or are gone, or it holds what a model
            is not made of.
        EnvironmentDiffers: it is whole, and answers its golden rows otherwise than where it was compared.
    """
    manifest, files = artefacts.load(work, digest, signature)
    handed = artefacts.Handed(files)
    try:
        scorer = Scorer(manifest, handed, work.settings.private_hosts)
        if isinstance(scorer.raw, Encoded):  # what answers elsewhere is not asked here
            scorer.predict({})
        if golden.GOLDEN in handed:
            golden.demand_same(scorer, handed[golden.GOLDEN])
    except UNFIT as error:
        raise CorruptArtefact(
            f"Artefact {digest[:12]}… does not hold what {manifest.candidate} is made of: {error!r}.",
            "Train again; it was not loaded.",
        ) from error
    if handed.unread:
        raise CorruptArtefact(
            f"Artefact {digest[:12]}… carries what {manifest.candidate} does not read: {', '.join(handed.unread)}.",
            "Train again; it was not loaded.",
        )
    return scorer


def sign_artefact(work: Workspace, digest: str) -> str:
    """This installation's signature for an artefact in its lake; its files are verified first."""
    return artefacts.sign(work, digest)
