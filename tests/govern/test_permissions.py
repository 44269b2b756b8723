"""Roles and permissions."""

from __future__ import annotations

import itertools

import pytest

from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Permission, Principal, Role
from pilotage.govern.rules.permissions import INSTALLATION_WIDE, ROLES, allowed, allowed_somewhere, demand
from pilotage.platform.errors import NotAllowed


def someone(*grants: Grant) -> Principal:
    return Principal("per_1", "anna", "person", grants)


@pytest.mark.parametrize(("role", "permission"), list(itertools.product(Role, Permission)))
def test_a_role_gives_its_permissions_in_its_use_case_and_nowhere_else(role: Role, permission: Permission) -> None:
    anna = someone(Grant(role, "late_arrival"))
    expected = permission in ROLES[role] and permission not in INSTALLATION_WIDE
    assert allowed(anna, permission, "late_arrival") is expected
    assert not allowed(anna, permission, "bag_missing")
    assert not allowed(anna, permission, None)
    assert allowed_somewhere(anna, permission) is expected


@pytest.mark.parametrize("role", Role)
def test_a_role_for_every_use_case_counts_in_each(role: Role) -> None:
    anna = someone(Grant(role, EVERY_USE_CASE))
    assert {permission for permission in Permission if allowed(anna, permission, "any")} == ROLES[role]


def test_nobody_may_do_anything_without_a_grant() -> None:
    assert not any(allowed_somewhere(someone(), permission) for permission in Permission)


def test_the_system_may_do_everything() -> None:
    assert all(allowed(SYSTEM, permission, None) for permission in Permission)


def test_a_refusal_names_the_permission_and_the_roles_that_have_it() -> None:
    with pytest.raises(NotAllowed, match=r"anna lacks the permission 'switch' for late_arrival.*owner, admin"):
        demand(someone(Grant(Role.VIEWER)), Permission.SWITCH, "late_arrival")
    demand(someone(Grant(Role.OWNER)), Permission.SWITCH, "late_arrival")
