"""The checks for which nothing is made: the catalogue, versions, passwords, headers, and how refusals look."""

from __future__ import annotations

from services.brokers import catalogue
from services.brokers.conformance.trial import Trial
from services.brokers.conformance.verdicts import Advised, Failed, Skipped, check
from services.brokers.errors import CatalogInvalid

CATALOG = "/v2/catalog"
OLD = "2.0"
WRONG = "Basic d3Jvbmc6d3Jvbmc="  # wrong:wrong


@check("catalog.answer", "The catalogue is there", "Catalog Management")
def catalog_answer(trial: Trial) -> None:
    reply = trial.caller.ask("GET", CATALOG)
    if reply.status != 200:
        raise Failed(f"The answer was {reply.status}, not 200.", "Answer GET /v2/catalog with 200 and the catalogue.")
    if reply.told is None:
        raise Failed("The answer is no JSON object.", "Answer with a JSON object that has a list of services.")
    trial.document = reply.told


@check("catalog.shape", "The catalogue is complete and its ids and names are unique", "Catalog Management")
def catalog_shape(trial: Trial) -> None:
    if trial.document is None:
        raise Skipped("There is no catalogue to look at.")
    try:
        trial.offered = catalogue.read(trial.document)
    except CatalogInvalid as error:
        raise Failed("\n".join(error.problems), "Mend each of these in the catalogue.") from error


@check("version.missing", "A call without X-Broker-API-Version is refused", "API Version Header", needs="catalog")
def version_missing(trial: Trial) -> None:
    reply = trial.caller.ask("GET", CATALOG, headers={"X-Broker-API-Version": None})
    if reply.status not in (400, 412):
        raise Advised(
            f"The answer was {reply.status}.",
            "Refuse calls without the header with 412 Precondition Failed: who sends them may not keep to the protocol.",
        )


@check("version.old", f"A version that is too old ({OLD}) is refused with 412", "API Version Header", needs="catalog")
def version_old(trial: Trial) -> None:
    reply = trial.caller.ask("GET", CATALOG, headers={"X-Broker-API-Version": OLD})
    if reply.status != 412:
        raise Advised(
            f"The answer was {reply.status}.",
            "Answer 412 Precondition Failed to versions that you do not support, and say which you need.",
        )


@check("auth.missing", "A call without a password is refused", "Platform to Service Broker Authentication")
def auth_missing(trial: Trial) -> None:
    reply = trial.caller.ask("GET", CATALOG, headers={"Authorization": None})
    if reply.status != 401:
        raise Failed(f"The answer was {reply.status}, not 401.", "Answer 401 to every call without Basic credentials.")


@check("auth.wrong", "A wrong password is refused", "Platform to Service Broker Authentication")
def auth_wrong(trial: Trial) -> None:
    reply = trial.caller.ask("GET", CATALOG, headers={"Authorization": WRONG})
    if reply.status != 401:
        raise Failed(f"The answer was {reply.status}, not 401.", "Compare username and password on every call.")


@check(
    "headers.accepted", "Originating identity and unknown headers are accepted", "Originating Identity", needs="catalog"
)
def headers_accepted(trial: Trial) -> None:
    reply = trial.caller.ask("GET", CATALOG, headers={"X-Unknown-Header": "of a later version"})
    if reply.status != 200:
        raise Failed(f"The answer was {reply.status}, not 200.", "Ignore headers that you do not know.")


@check("headers.identity", "The request's identity comes back", "Request Identity", needs="catalog")
def headers_identity(trial: Trial) -> None:
    sent = "conformance-1"
    reply = trial.caller.ask("GET", CATALOG, headers={"X-Broker-API-Request-Identity": sent})
    if reply.headers.get("X-Broker-API-Request-Identity") != sent:
        raise Advised(
            "The answer does not repeat X-Broker-API-Request-Identity.",
            "Send the header back and write it to your log: then a call can be followed through both.",
        )


@check("errors.shape", "Refusals say why, as a JSON object", "Service Broker Errors")
def errors_shape(trial: Trial) -> None:
    refusals = [reply for reply in trial.caller.errors if reply.status not in (401, 410)]
    if not refusals:
        raise Skipped("Nothing was refused.")
    if wrong := sorted({str(reply.status) for reply in refusals if reply.told is None}):
        raise Failed(f"Answers with {', '.join(wrong)} are no JSON objects.", 'Answer {"description": "why"}.')
    if silent := sorted({str(reply.status) for reply in refusals if not reply.text("description")}):
        raise Advised(
            f"Answers with {', '.join(silent)} do not say why.",
            "Give a description that a person can act on: the platform shows it to them.",
        )


BEFORE = (
    catalog_answer,
    catalog_shape,
    auth_missing,
    auth_wrong,
    version_missing,
    version_old,
    headers_accepted,
    headers_identity,
)
AFTER = (errors_shape,)
