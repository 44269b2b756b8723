"""Which columns of a use case say something of a person. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pilotage.data.contracts.records import Contract
from pilotage.usecase.records import Column, Definition, Derived, Given
from pilotage.usecase.rules.expressions import columns_of

_PERSONAL = frozenset({"personal", "special"})


def personal_columns(definition: Definition, contracts: Mapping[str, Contract]) -> frozenset[str]:
    """The entity and columns that say something of a person: declared so in the file or in the source's contract.

    What is derived from such a column is one, too.
    """
    plan, decided = definition.plan, contracts.get(definition.use_case.decision.source)
    found = {name for name, column in plan.request.items() if column.personal}
    names = {plan.entity: plan.entity, **{name: column.column or name for name, column in plan.request.items()}}
    found |= {name for name, column in names.items() if decided and _is_personal(decided, column)}
    for column in plan.columns:
        if _leads_to(column, found, contracts):
            found.add(column.name)
    return frozenset(found)


def _leads_to(column: Column, found: set[str], contracts: Mapping[str, Contract]) -> bool:
    if isinstance(column, Given):
        return column.name in found
    if isinstance(column, Derived):
        return bool(columns_of(column.expression) & found)
    contract = contracts.get(column.source)
    return contract is not None and bool(column.take) and _is_personal(contract, column.take)


def _is_personal(contract: Contract, column: str) -> bool:
    promised = contract.columns.get(column)
    return promised is not None and (promised.mask != "none" or promised.sensitivity in _PERSONAL)
