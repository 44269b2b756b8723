"""Who repairs what: a source's owner is its own, else the data owner, else the use case's."""

from __future__ import annotations

from pilotage.usecase.records import UseCase


def owner_of(use_case: UseCase, source: str) -> str:
    """The address of who fixes this source."""
    declared = use_case.sources[source].owner if source in use_case.sources else ""
    return declared or use_case.data_owner or use_case.owner


def names_of(items: list[str] | tuple[str, ...]) -> str:
    """Names in a sentence: 'a, b and c'."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
