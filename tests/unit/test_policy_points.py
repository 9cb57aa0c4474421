"""The catalogue of policy points: complete, typed, and offering only what the core does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.security.roles import ROLES
from erpcore.kernel.errors import RuleBroken
from erpcore.ports import CATALOGUE_VERSION, POLICY_POINTS, Freedom, standard_ruleset
from erpcore.ports.rules import ruleset_of
from governance.variants.permissions import VariantPermission

ROOT = Path(__file__).parents[2]
POINTS = sorted(POLICY_POINTS)


def test_the_catalogue_has_the_points_of_version_two():
    assert CATALOGUE_VERSION == 2
    assert len(POINTS) == 41


@pytest.mark.parametrize("name", POINTS)
def test_a_point_admits_its_standard_and_says_what_it_does(name):
    point = POLICY_POINTS[name]
    assert point.admits(point.standard)
    assert type(point.before_introduction) is type(point.standard)
    assert point.sentence.endswith(".")
    if point.choices:
        assert set(point.means or {}) == set(point.choices), "each choice in words"
    else:
        assert point.unit is not None


@pytest.mark.parametrize("name", POINTS)
def test_a_point_offers_only_what_the_core_does(name):
    """A point with more than one possible value is read somewhere outside of the catalogue."""
    point = POLICY_POINTS[name]
    if not point.has_alternative:
        return
    readers = [
        path
        for room in ("erpcore", "app/composition", "app/jobs")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "catalogue.py" and re.search(rf'\["{name}"\]', path.read_text(encoding="utf-8"))
    ]
    assert readers, f"{name} offers a choice that nothing asks for"


def test_a_locked_point_has_one_value_and_no_scope():
    for point in POLICY_POINTS.values():
        if point.freedom == Freedom.LOCKED:
            assert not point.has_alternative
            assert point.dimensions == ()


def test_how_a_site_works_varies_by_site_and_entity_alone():
    assert POLICY_POINTS["count_tolerance_permille"].dimensions == ("site", "entity")
    assert POLICY_POINTS["partial_shipment"].dimensions == (
        "item_group", "customer_group", "channel", "site", "entity",
    )  # fmt: skip


def test_a_value_of_another_type_is_refused_with_what_may_stand_there():
    with pytest.raises(RuleBroken) as refused:
        POLICY_POINTS["count_tolerance_permille"].check(True)
    assert refused.value.facts["may"] == ["0 % to 5 %"]


def test_the_hash_names_values_and_which_variant_set_which_point():
    standard = standard_ruleset()
    same_value = ruleset_of({"partial_shipment": (7, True)})
    assert len({standard.hash, same_value.hash, ruleset_of({"partial_shipment": (8, True)}).hash}) == 3
    assert ruleset_of({}).hash == standard.hash
    assert ruleset_of({"partial_shipment": (9, False), "credit_check": (7, False)}).variants == "7,9"


def test_no_document_keeps_half_an_id_of_a_variant():
    many = ruleset_of({name: (10**17 + n, POLICY_POINTS[name].standard) for n, name in enumerate(POINTS)})
    assert len(many.variants) <= 200
    assert all(len(one) == 18 for one in many.variants.split(","))
    assert len(many.origins) == len(POINTS)


def test_no_role_both_asks_for_a_value_and_decides_on_it():
    for role, duty in ROLES.items():
        assert not {VariantPermission.REQUEST, VariantPermission.DECIDE} <= set(duty.permissions), role
