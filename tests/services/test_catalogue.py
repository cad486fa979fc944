"""What a catalogue must be: every problem is told, not only the first."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from services.brokers.catalogue import read
from services.brokers.errors import CatalogInvalid
from tests.services.broker import CATALOG


def changed(**fields: Any) -> dict[str, Any]:
    """The catalogue with fields of its service changed."""
    made = deepcopy(CATALOG)
    made["services"][0] |= fields
    return made


def plan(**fields: Any) -> dict[str, Any]:
    made = deepcopy(CATALOG)
    made["services"][0]["plans"][0] |= fields
    return made


def schema(value: Any) -> dict[str, Any]:
    return plan(schemas={"service_instance": {"create": {"parameters": value}}})


def twice(**fields: Any) -> dict[str, Any]:
    made = deepcopy(CATALOG)
    other = deepcopy(made["services"][0])
    made["services"].append(other | fields)
    return made


def test_a_right_catalogue_is_read() -> None:
    (offering,) = read(CATALOG)
    assert (offering.name, offering.tags, offering.plan_updateable) == ("db", ("sql",), True)
    small, large = offering.plans
    assert (small.free, large.free, small.maintenance_info["version"]) == (True, False, "1.0.0")
    assert read({"services": []}) == ()
    assert read(plan(free=None))[0].plans[0].free is True
    right = {
        "$schema": "http://json-schema.org/draft-06/schema#",
        "type": "object",
        "properties": {"a": {"$ref": "#/x"}},
    }
    assert read(schema(right))[0].plans[0].create_schema == right


WRONG = [
    (changed(id=""), "Service 'db': Service id is required."),
    (changed(id=7), "Service 'db': Service id must be a text, not 7."),
    (changed(name=None), "Service '1': Service name is required."),
    (changed(description=" "), "Service 'db': Service description must not be blank."),
    (changed(name="x" * 256), "must have at most 255 characters."),
    (changed(bindable="yes"), "Service 'db': Service bindable must be given, as true or false."),
    (changed(plan_updateable="no"), 'Service plan_updateable must be true or false, not "no".'),
    (changed(tags="sql"), "Service tags must be a list of texts."),
    (changed(requires=["sudo"]), "Service requires may only hold syslog_drain, route_forwarding, volume_mount, not 'sudo'."),
    (changed(metadata=[]), "Service metadata must be an object, not []."),
    (changed(dashboard_client={"id": "x"}), "Service dashboard client secret is required."),
    (changed(plans=[]), "Service 'db': At least one plan is required."),
    (changed(plans=["small"]), "Service 'db': Plan 1 must be an object."),
    (plan(id=None), "Service 'db': Plan 'small': Plan id is required."),
    (plan(id="plan-large"), "Plan ids must be unique within a broker: 'plan-large' is there 2 times."),
    (plan(name="large"), "Service 'db': Plan names must be unique within a service: 'large' is there 2 times."),
    (plan(free="no"), 'Plan free must be true or false, not "no".'),
    (plan(maximum_polling_duration=-1), "Plan maximum_polling_duration must be a whole number of seconds."),
    (plan(maintenance_info={"version": "1"}), "Maintenance info version must be a Semantic Version, like 1.2.3."),
    (plan(maintenance_info=[]), "Maintenance info must be an object."),
    (plan(schemas=[]), "Schemas must be an object."),
    (plan(schemas={"service_instance": {"create": []}}), None),
    (schema([]), None),
    (schema({"type": "object"}), "Schema service_instance.create.parameters must have a '$schema'"),
    (schema({"$schema": "x", "a": {"$ref": "http://example.org"}}), "refers to 'http://example.org'"),
    (schema({"$schema": "http://json-schema.org/draft-06/schema#", "type": "thing"}), "is no valid JSON Schema"),
    (schema({"$schema": "x", "description": "x" * 65_536}), "is larger than 64 KB."),
    (schema({"$schema": "x"}), "names a version of JSON Schema that is not known here: 'x'."),
    (twice(name="other"), "Service ids must be unique within a broker: 'offering-1' is there 2 times."),
    (twice(id="other"), "Service names must be unique within a broker: 'db' is there 2 times."),
    ({"services": ["db"]}, "Service 1 must be an object."),
    ({"services": {}}, "The catalog must be an object with a list of 'services'."),
    ([], "The catalog must be an object with a list of 'services'."),
]  # fmt: skip


@pytest.mark.parametrize(("document", "sentence"), [row for row in WRONG if row[1]])
def test_each_problem_is_told(document: Any, sentence: str) -> None:
    with pytest.raises(CatalogInvalid) as told:
        read(document)
    assert any(sentence in problem for problem in told.value.problems), told.value.problems
    assert told.value.detail.startswith("Service broker catalog is invalid:\n")


def test_all_problems_are_told_at_once() -> None:
    document = plan(id=None, free="no")
    document["services"][0] |= {"name": 3, "requires": ["sudo"]}
    with pytest.raises(CatalogInvalid) as told:
        read(document)
    assert len(told.value.problems) == 4
