"""Columns that several use cases share: a file of their own."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pilotage.usecase.records.inputs import Input
from pilotage.usecase.records.parts import Identifier, Name, Part, Text
from pilotage.usecase.records.sources import Source


class SharedColumns(Part, frozen=True, kw_only=True):
    """Inputs, and the sources they are made from, declared once: a use case names them in an input's ``shared``."""

    columns: Annotated[Name, Meta(description="Their name, by which use cases refer to them.")]
    owner: Annotated[Text, Meta(description="Who answers for them: an address.")]
    description: Annotated[Text, Meta(description="What they say, and what they are good for.")]
    sources: Annotated[dict[Name, Source], Meta(description="What is read, by name, as in a use-case file.")] = {}
    inputs: Annotated[dict[Identifier, Input], Meta(description="What a model sees, by name, as in a use-case file.")]
