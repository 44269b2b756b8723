"""Who repairs what: a source's owner is its own, else the data owner, else the use case's."""

from __future__ import annotations

from pilotage.usecase.records import UseCase

NOBODY = "nobody named yet"


def owner_of(use_case: UseCase, source: str) -> str:
    """The address of who fixes this source."""
    declared = use_case.sources[source].owner if source in use_case.sources else ""
    return declared or use_case.data_owner or answering(use_case)


def answering(use_case: UseCase) -> str:
    """Who answers for the use case; nobody yet, while a draft still asks for it."""
    asked = "owner" in use_case.guessed and use_case.owner.strip().endswith("?")
    return NOBODY if asked else use_case.owner


def with_article(noun: str) -> str:
    """A name in a sentence: 'an id', 'a row'; 'a user' is spoken with a consonant."""
    spoken_as_vowel = noun[:1].lower() in "aeiou" and not noun.lower().startswith(("u_", "uni", "use", "uu", "eu"))
    return f"{'an' if spoken_as_vowel else 'a'} {noun}"


def names_of(items: list[str] | tuple[str, ...]) -> str:
    """Names in a sentence: 'a, b and c'."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
