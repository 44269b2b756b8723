"""Why a model or a candidate is not taken; the others go on."""

from __future__ import annotations

from pilotage.platform.errors import PilotageError


class ModelRefused(PilotageError):
    """A model from elsewhere, or a candidate of one's own, cannot be used: the message names it and says why."""

    code = "model-refused"
    title = "The model cannot be taken"
    status = 422
    exit_code = 1


def missing_extra(who: str, library: str, extra: str) -> ModelRefused:
    """That a library is not installed which only this needs."""
    return ModelRefused(f"{who} needs {library}, which is not installed.", f"pip install 'pilotage[{extra}]'")
