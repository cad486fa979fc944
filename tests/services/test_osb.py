"""The Open Service Broker client: what is sent, and the table of orphan mitigation row by row, over real HTTP."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from services.brokers import errors
from services.brokers.base import (
    Accepted,
    AppUser,
    Binding,
    BrokerError,
    Done,
    Instance,
    OperationInProgress,
    Place,
    Previous,
    Refused,
    RequestRejected,
    Unknown,
)
from services.brokers.osb import OsbBroker
from tests.services.broker import (
    BREAKS,
    DROPS,
    DROPS_UNDONE,
    GARBAGE,
    HANGS,
    MisbehavingBroker,
    Trick,
    fails,
)

PLACE = Place("org-guid", "ministry", "space-guid", "production", {"gov.uk/team": "x"})
INSTANCE = Instance(
    "instance-guid", "our-data", "offering-1", "plan-small", PLACE, {"size": 1}, "1.0.0", {"gov.uk/a": "b"}
)
BINDING = Binding("binding-guid", INSTANCE, AppUser("app-guid", "site", PLACE), {"read_only": True}, retrievable=True)
BY = "user-guid"


@pytest.fixture
def broker(foreign: MisbehavingBroker) -> OsbBroker:
    return OsbBroker(foreign.url, foreign.username, foreign.password, networks=("127.0.0.0/8",), seconds=5)


def test_every_call_says_which_version_and_who_asks(broker: OsbBroker, foreign: MisbehavingBroker) -> None:
    broker.provision(INSTANCE, by=BY)
    broker.bind(BINDING, by=BY)
    broker.update(replace(INSTANCE, plan_id="plan-large"), Previous("plan-small", "1.0.0"), by=BY)
    broker.remove(BINDING, by=BY)
    broker.remove(INSTANCE)
    assert [call.what for call in foreign.calls] == ["provision", "bind", "update", "unbind", "deprovision"]
    assert {call.headers["x-broker-api-version"] for call in foreign.calls} == {"2.17"}
    assert len({call.headers["x-broker-api-request-identity"] for call in foreign.calls}) == 5
    platform, _, user = foreign.calls[0].headers["x-broker-api-originating-identity"].partition(" ")
    assert (platform, json.loads(b64decode(user))) == ("cloudfoundry", {"user_id": BY})
    assert "x-broker-api-originating-identity" not in foreign.calls[-1].headers


def test_what_is_sent_is_what_the_specification_says(broker: OsbBroker, foreign: MisbehavingBroker) -> None:
    broker.provision(INSTANCE)
    sent = foreign.calls[0]
    assert (sent.path, sent.query) == ("/v2/service_instances/instance-guid", {"accepts_incomplete": "true"})
    assert sent.body["parameters"] == {"size": 1} and sent.body["maintenance_info"] == {"version": "1.0.0"}
    assert (sent.body["organization_guid"], sent.body["space_guid"]) == ("org-guid", "space-guid")
    assert sent.body["context"] == {
        "platform": "cloudfoundry", "organization_guid": "org-guid", "organization_name": "ministry",
        "organization_annotations": {"gov.uk/team": "x"}, "space_guid": "space-guid", "space_name": "production",
        "space_annotations": {}, "instance_name": "our-data", "instance_annotations": {"gov.uk/a": "b"},
    }  # fmt: skip
    broker.bind(BINDING)
    assert foreign.calls[1].body["bind_resource"] == {
        "app_guid": "app-guid", "space_guid": "space-guid", "app_annotations": {},
    }  # fmt: skip
    broker.bind(replace(BINDING, guid="key", app=None))
    assert "bind_resource" not in foreign.calls[2].body
    broker.update(replace(INSTANCE, plan_id="plan-large", parameters=None), Previous("plan-small", "0.9.0"))
    assert "parameters" not in foreign.calls[3].body
    assert foreign.calls[3].body["previous_values"] == {
        "plan_id": "plan-small", "service_id": "offering-1", "organization_id": "org-guid", "space_id": "space-guid",
        "maintenance_info": {"version": "0.9.0"},
    }  # fmt: skip
    broker.remove(INSTANCE)
    assert foreign.calls[4].query == {
        "service_id": "offering-1", "plan_id": "plan-small", "accepts_incomplete": "true",
    }  # fmt: skip


ROWS = [  # what the broker does, and whether what it may have made is an orphan
    ("200 malformed", Trick(200, b"not json"), Refused, errors.Malformed),
    ("200 without a body", Trick(200, b""), Refused, errors.Malformed),
    ("201 malformed", Trick(201, b"not json"), Unknown, errors.Malformed),
    ("201 with a list", Trick(201, []), Unknown, errors.Malformed),
    ("202 malformed", Trick(202, b"not json"), Unknown, errors.Malformed),
    ("202 with a wrong operation", Trick(202, {"operation": 1}), Unknown, errors.Malformed),
    ("204", Trick(204, {}), Unknown, BrokerError),
    ("302", Trick(302, {}, {"Location": "http://169.254.169.254/"}), Refused, RequestRejected),
    ("400", fails(400, description="no"), Refused, RequestRejected),
    ("401", fails(401), Refused, errors.NotLetIn),
    ("404", fails(404), Refused, RequestRejected),
    ("408", fails(408), Refused, errors.TimedOut),
    ("409", fails(409), Refused, errors.Conflicting),
    ("410", fails(410), Refused, RequestRejected),
    ("422", fails(422), Refused, RequestRejected),
    ("422 AsyncRequired", fails(422, "AsyncRequired"), Refused, errors.AsyncRequired),
    ("422 ConcurrencyError", fails(422, "ConcurrencyError"), Refused, OperationInProgress),
    ("422 RequiresApp", fails(422, "RequiresApp"), Refused, errors.AppRequired),
    ("422 MaintenanceInfoConflict", fails(422, "MaintenanceInfoConflict"), Refused, errors.MaintenanceInfoConflict),
    ("429", fails(429), Refused, errors.TooOften),
    ("500", fails(500, description="oh"), Unknown, BrokerError),
    ("503 having acted", Trick(503, {}), Unknown, BrokerError),
    ("the connection is lost, having acted", DROPS, Unknown, BrokerError),
    ("the connection is lost", DROPS_UNDONE, Unknown, BrokerError),
    ("the answer breaks off", BREAKS, Unknown, BrokerError),
    ("no answer in time", HANGS, Unknown, errors.TimedOut),
    ("an answer that is no JSON", GARBAGE, Unknown, errors.Malformed),
    ("an answer that is far too large", Trick(201, b" " * (2 << 20)), Unknown, BrokerError),
]


@pytest.mark.parametrize("what", ["provision", "bind"])
@pytest.mark.parametrize(("trick", "outcome", "error"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_answer_means_what_the_table_says(
    foreign: MisbehavingBroker, broker: OsbBroker, what: str, trick: Trick, outcome: Any, error: Any
) -> None:
    foreign.instances["instance-guid"] = {}
    if what == "provision":
        foreign.instances.clear()
    foreign.always(what, trick)
    patient = replace(broker, seconds=1)
    got: Any = patient.provision(INSTANCE) if what == "provision" else patient.bind(BINDING)
    assert type(got) is outcome and isinstance(got.error, error), got
    assert len(foreign.asked(what)) == 1
    assert foreign.password not in got.error.detail


def test_a_broker_that_is_not_there_made_nothing(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    foreign.close()
    outcome = broker.provision(INSTANCE)
    assert isinstance(outcome, Refused) and isinstance(outcome.error, errors.Unreachable)
    assert outcome.error.detail.startswith(f"The service broker could not be reached: {foreign.url}. ")


def test_a_broker_in_a_private_network_is_not_called(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    outcome = replace(broker, networks=()).provision(INSTANCE)
    assert isinstance(outcome, Refused) and "is private" in outcome.error.detail
    assert not foreign.calls


def test_the_brokers_own_words_are_told(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    foreign.next("provision", fails(400, description="Only in the afternoon."))
    outcome = broker.provision(INSTANCE)
    assert isinstance(outcome, Refused) and outcome.error.detail == "Service broker error: Only in the afternoon."


@pytest.mark.parametrize(
    ("extra", "requires"),
    [
        ({"syslog_drain_url": "syslog://logs.example"}, "syslog_drain"),
        ({"route_service_url": "https://route.example"}, "route_forwarding"),
        (
            {"volume_mounts": [{"driver": "d", "container_dir": "/data", "mode": "rw", "device_type": "shared",
                                "device": {"volume_id": "v"}}]},
            "volume_mount",
        ),
    ],
)  # fmt: skip
def test_what_a_binding_holds_must_have_been_announced(
    foreign: MisbehavingBroker, broker: OsbBroker, extra: dict[str, Any], requires: str
) -> None:
    broker.provision(INSTANCE)
    foreign.extra = extra
    assert isinstance(broker.bind(BINDING), Unknown)
    allowed = broker.bind(replace(BINDING, requires=(requires,)))
    assert isinstance(allowed, Done) and allowed.bound
    assert {getattr(allowed.bound, name) for name in extra if name != "volume_mounts"} <= {*map(str, extra.values())}


def test_volume_mounts_must_be_whole(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    broker.provision(INSTANCE)
    foreign.extra = {"volume_mounts": [{"driver": "d"}]}
    outcome = broker.bind(replace(BINDING, requires=("volume_mount",)))
    assert isinstance(outcome, Unknown) and isinstance(outcome.error, errors.InvalidVolumeMounts)


def test_a_binding_that_cannot_be_fetched_is_made_at_once(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    broker.provision(INSTANCE)
    outcome = broker.bind(replace(BINDING, retrievable=False))
    assert isinstance(outcome, Done) and foreign.asked("bind")[0].query == {}
    foreign.next("bind", Trick(202, {"operation": "later"}))
    assert isinstance(broker.bind(replace(BINDING, guid="other", retrievable=False)), Unknown)


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), ("", None), ("soon", None), ("9" * 30, 86400), ("-1", None)])
def test_the_broker_says_when_to_ask_again(
    foreign: MisbehavingBroker, broker: OsbBroker, said: str, seconds: float | None
) -> None:
    foreign.polls, foreign.retry_after = 2, said
    accepted = broker.provision(INSTANCE)
    assert isinstance(accepted, Accepted) and accepted.retry_after == seconds
    progress = broker.poll(INSTANCE, accepted.operation)
    assert (progress.state, progress.retry_after, progress.description) == ("in progress", seconds, "1 more")
    assert foreign.asked("poll")[0].query["operation"] == "provision instance-guid"
    assert broker.poll(INSTANCE, accepted.operation).state == "succeeded"


def test_a_date_says_when_to_ask_again_too(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    foreign.polls, foreign.retry_after = 2, "Fri, 31 Dec 1999 23:59:59 GMT"
    accepted = broker.provision(INSTANCE)
    assert isinstance(accepted, Accepted) and accepted.retry_after == 0


@pytest.mark.parametrize(
    "trick", [fails(404), fails(500), Trick(200, b"<html>"), DROPS, Trick(200, {}), Trick(200, {"state": "thinking"})]
)
def test_a_poll_that_tells_nothing_is_made_again(foreign: MisbehavingBroker, broker: OsbBroker, trick: Trick) -> None:
    foreign.always("poll", trick)
    with pytest.raises(BrokerError):
        broker.poll(INSTANCE, "operation")


def test_polls_tell_what_is_gone_refused_and_failed(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    foreign.next("poll", fails(410), fails(400))
    assert broker.poll(INSTANCE, "").state == "gone"
    with pytest.raises(RequestRejected):
        broker.poll(INSTANCE, "")
    foreign.next("poll", Trick(200, {"state": "failed", "description": "no room", "instance_usable": False}))
    failed = broker.poll(INSTANCE, "")
    assert (failed.state, failed.description, failed.usable) == ("failed", "no room", False)


def test_a_binding_made_in_the_background_is_fetched(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    broker.provision(INSTANCE)
    foreign.polls = 1
    accepted = broker.bind(BINDING)
    assert isinstance(accepted, Accepted)
    done = broker.poll(BINDING, accepted.operation)
    assert done.state == "succeeded" and done.bound
    assert done.bound.credentials["uri"].startswith("db://")
    assert "secret" not in repr(done)


@pytest.mark.parametrize("trick", [fails(404), fails(422, "ConcurrencyError"), fails(400)])
def test_a_deletion_may_be_refused(foreign: MisbehavingBroker, broker: OsbBroker, trick: Trick) -> None:
    foreign.always("deprovision", trick)
    assert isinstance(broker.remove(INSTANCE), Refused)


@pytest.mark.parametrize("trick", [fails(500), DROPS, Trick(202, b"no"), Trick(204, {})])
def test_a_deletion_that_nobody_can_tell_of_is_made_again(
    foreign: MisbehavingBroker, broker: OsbBroker, trick: Trick
) -> None:
    foreign.next("deprovision", trick)
    assert isinstance(broker.remove(INSTANCE), Unknown)
    assert isinstance(broker.remove(INSTANCE), Done)


def test_what_is_gone_is_deleted(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    foreign.always("deprovision", fails(410))
    assert broker.remove(INSTANCE) == Done()


def test_a_dashboard_is_a_web_address(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    foreign.next("provision", Trick(201, {"dashboard_url": "javascript:alert(1)"}))
    assert isinstance(broker.provision(INSTANCE), Unknown)
    good = broker.provision(replace(INSTANCE, guid="other"))
    assert isinstance(good, Done) and good.dashboard_url == "https://example.org/other"


def test_an_instance_is_fetched(foreign: MisbehavingBroker, broker: OsbBroker) -> None:
    assert broker.fetch(INSTANCE) is None
    broker.provision(INSTANCE)
    found = broker.fetch(INSTANCE)
    assert found and (found.parameters, found.plan_id) == ({"size": 1}, "plan-small")
    foreign.next("fetch", fails(422, "ConcurrencyError"))
    with pytest.raises(OperationInProgress):
        broker.fetch(INSTANCE)
