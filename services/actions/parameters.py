"""Reading parameters back from the broker, which may hold secrets; the door asks it."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import User
from paas.lib.errors import PaasError
from services.actions.binding import record
from services.actions.operation import OperationUnderWay
from services.models import Binding, ServiceInstance
from tenants.access import authorize


class NotRetrievable(PaasError):
    status, code, title = 400, 120004, "ServiceFetchInstanceParametersNotSupported"
    default = "This service does not support fetching service instance parameters."


class BindingNotRetrievable(PaasError):
    status, code, title = 400, 120005, "ServiceFetchBindingParametersNotSupported"
    default = "This service does not support fetching service binding parameters."


@transaction.atomic
def ask_of_instance(actor: User, instance: ServiceInstance) -> None:
    """Raise unless the instance's parameters can be read now; the reading is recorded."""
    authorize(actor, "service.see_credentials", instance.space)
    if instance.plan is None or not instance.plan.offering.instances_retrievable:
        raise NotRetrievable()
    if instance.busy:
        raise OperationUnderWay(instance.name)
    audit.record(actor, "audit.service_instance.show", instance)


@transaction.atomic
def ask_of_binding(actor: User, binding: Binding) -> None:
    """Raise unless the binding's parameters can be read now; the reading is recorded."""
    authorize(actor, "service.see_credentials", binding.space)
    plan = binding.instance.plan
    if plan is None or not plan.offering.bindings_retrievable:
        raise BindingNotRetrievable()
    if binding.busy:
        raise OperationUnderWay(binding.instance.name)
    record(binding, "show", by=actor)
