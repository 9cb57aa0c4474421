"""The boxes that goods are packed in, for programs."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from app.api.companies import in_company
from app.api.framework import operation
from app.api.v1.numbers import Key, pointing
from app.api.v1.warehouse_models import Made
from app.api.values import Answer, Body, Quantity
from app.composition.request import reader
from app.queries.carriers import carton_types
from app.queries.places import entities_seen
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.fulfilment.packing.services import NewCartonType, add_carton_type
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork

TAG = "Carriers"


class CartonTypeAnswer(Answer):
    """A kind of box: measures in millimetres, weights in kilograms. `most_kg` null: as much as fits."""

    id: int
    entity_id: int
    code: str
    name: str
    length_mm: int
    width_mm: int
    height_mm: int
    tare_kg: Quantity
    most_kg: Quantity | None


class CartonTypeList(Answer):
    """The kinds in use, the smallest first."""

    count: int
    items: list[CartonTypeAnswer]


class CartonTypeBody(Body):
    """A new kind of box."""

    entity: Key
    code: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=200)
    length_mm: int = Field(ge=1, le=20_000)
    width_mm: int = Field(ge=1, le=20_000)
    height_mm: int = Field(ge=1, le=20_000)
    tare_kg: Quantity = Decimal(0)
    most_kg: Quantity | None = None


@operation("GET", "/carton-types", permission=Permission.SHIPMENT_READ, summary="List carton types", tag=TAG, answer=CartonTypeList)  # fmt: skip
def list_carton_types() -> CartonTypeList:
    seen = [one.id for one in entities_seen(reader(), actor()) if one.realm == "live"]
    found = [CartonTypeAnswer.model_validate(one) for one in carton_types(reader(), seen)]
    return CartonTypeList(count=len(found), items=found)


@operation(
    "POST", "/carton-types", permission=Permission.CARRIER_CHANGE, summary="Add a carton type", tag=TAG, body=CartonTypeBody,
    answer=Made, status=201,
    example={"entity": 1000, "code": "M", "name": "Medium", "length_mm": 400, "width_mm": 300, "height_mm": 250, "tare_kg": "0.35"},
)  # fmt: skip
def new_carton_type(work: UnitOfWork, body: CartonTypeBody) -> Made:
    # A company that practises packs in the boxes of the live one.
    if in_company(work, body.entity).realm != "live":
        raise NotFound("entity_unknown", field="entity", entity=body.entity)
    with pointing():
        return Made(id=add_carton_type(work, NewCartonType(**dict(body))).id)
