"""An endpoint is taken: asked the examples one by one and at once, and held against them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from msgspec import Struct

from pilotage.models.brought.endpoint.scorer import Remote, RemoteScorer
from pilotage.models.brought.examples import Examples
from pilotage.models.brought.graph.described import Answered
from pilotage.models.brought.parity import Compared, refuse_differing
from pilotage.models.brought.refused import ModelRefused
from pilotage.models.brought.wanted import Wanted
from pilotage.platform.egress import Egress, EgressRefused, Resolve, Unreachable, resolve
from pilotage.platform.settings import from_environment
from pilotage.usecase.records import Brought

_ONE_BY_ONE = 20


class TakenEndpoint(Struct, frozen=True):
    """What is kept of an endpoint, and how it compared with its examples."""

    remote: Remote
    compared: Compared


def open_remote(
    remote: Remote,
    private_hosts: Iterable[str],
    who: str,
    environment: Mapping[str, str] | None = None,
    resolving: Resolve = resolve,
) -> RemoteScorer:
    """The scorer of an endpoint; its address and headers are read from the environment now.

    Raises:
        SettingsError: a variable is not set.
        EgressRefused: the address may not be called.
    """
    url = from_environment(remote.given.endpoint, who, environment)
    headers = {name: from_environment(value, who, environment) for name, value in remote.given.headers.items()}
    return RemoteScorer(remote, Egress(url, private_hosts, resolving), headers)


def take_endpoint(
    given: Brought,
    examples: Examples,
    wanted: Wanted,
    who: str,
    private_hosts: Iterable[str],
    environment: Mapping[str, str] | None = None,
    resolving: Resolve = resolve,
) -> TakenEndpoint:
    """The endpoint, once it answered all examples as expected.

    Raises:
        ModelRefused: it does not answer, or not as its examples say.
        SettingsError: a variable is not set.
    """
    remote = Remote(given, wanted.columns, _answered(given, wanted, who))
    try:
        first = open_remote(remote, private_hosts, who, environment, resolving)
        _refuse_lacking(first, examples, who)
        remote = first.introduced(examples.rows)
        scorer = open_remote(remote, private_hosts, who, environment, resolving)
        got = scorer.table(examples.rows)
        singles = [scorer.row(row) for row in examples.rows.slice(0, _ONE_BY_ONE).to_pylist()]
    except (Unreachable, EgressRefused) as error:
        raise ModelRefused(f"{who}: {error.message}", error.repair) from None
    except ValueError as error:
        raise ModelRefused(f"{who}: {error}.", "See what it answers to the example rows.") from None
    if not np.allclose(singles, got[: len(singles)], atol=given.tolerance):
        raise ModelRefused(f"{who}: it answers a row alone otherwise than among others.", "Ask who runs it.")
    return TakenEndpoint(remote, refuse_differing(got, scorer.classes, examples, wanted, given.tolerance, who))


def _answered(given: Brought, wanted: Wanted, who: str) -> Answered:
    classes = tuple(given.classes or wanted.classes) if wanted.kind == "category" else ()
    if wanted.kind == "flag" and given.positive and given.classes and given.positive not in given.classes:
        raise ModelRefused(f"{who}: {given.positive} is none of its classes.", "Correct `positive` or `classes`.")
    place = given.classes.index(given.positive) if given.positive in given.classes else 1
    picks = (str(place),) if wanted.kind == "flag" else ()
    return Answered(given.output, False, picks, classes, given.scale, wanted.kind)


def _refuse_lacking(scorer: RemoteScorer, examples: Examples, who: str) -> None:
    lacking = sorted(set(scorer.columns) - set(examples.rows.column_names))
    if lacking:
        raise ModelRefused(f"{who}: {examples.file} has no column {lacking[0]}.", "Add it: the model is asked with it.")
