"""The worker door: what is done with brokers in the background, each job claimed from a row."""

from services.jobs.backup import back_up
from services.jobs.binding import work_on_binding
from services.jobs.catalogue import synchronize
from services.jobs.conformance import check_conformance
from services.jobs.instance import work_on_instance
from services.jobs.proof import prove

__all__ = ["back_up", "check_conformance", "prove", "synchronize", "work_on_binding", "work_on_instance"]
