"""What you can attach: brokers and what they offer, instances of it, and the bindings that hold credentials."""

from services.models.backup import Backup, Repository, RestoreProof
from services.models.binding import Binding
from services.models.catalogue import Offering, Plan, PlanVisibility, ServiceBroker
from services.models.conformance import ConformanceCheck
from services.models.instance import ServiceInstance, Share
from services.models.operation import Operation

__all__ = [
    "Backup",
    "Binding",
    "ConformanceCheck",
    "Offering",
    "Operation",
    "Plan",
    "PlanVisibility",
    "Repository",
    "RestoreProof",
    "ServiceBroker",
    "ServiceInstance",
    "Share",
]
