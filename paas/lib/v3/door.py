"""The API door itself: view base, errors in Cloud Foundry's shape, and the few shapes of an answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from paas.lib.errors import NotFound, PaasError, ServiceUnavailable, UnknownRequest, Unprocessable
from paas.lib.models import by_guid
from paas.lib.v3.query import Pagination, Query
from paas.lib.v3.shapes import origin

log = logging.getLogger(__name__)


class FirstRenderer(BaseContentNegotiation):
    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class TrailingSlash:
    """Lets ``/v3/apps/`` mean ``/v3/apps`` without a redirect: a redirected POST loses its body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(("/v3/", "/uaa/", "/api/v1/")) and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
            request.path = request.path.rstrip("/")
        return self.get_response(request)


def error_body(error: PaasError) -> dict[str, Any]:
    details = error.errors if isinstance(error, Unprocessable) and error.errors else (error.detail,)
    return {"errors": [{"code": error.code, "title": f"CF-{error.title}", "detail": detail} for detail in details]}


class _Plain(PaasError):
    """An HTTP error of the framework, in our shape."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status  # type: ignore[misc]
        self.code, self.title = (1004, "BadRequest") if status < 500 else (10001, "ServerError")  # type: ignore[misc]


def as_paas_error(exc: Exception) -> PaasError | None:
    """Return our error for what a view raised, or None for what nobody foresaw."""
    match exc:
        case PaasError():
            return exc
        case OperationalError() | InterfaceError():
            log.warning("The database did not answer: %s", exc)
            return ServiceUnavailable(
                "The platform's database does not answer right now. Your apps go on running; try again in a minute."
            )
        case ObjectDoesNotExist():  # it went between being seen and being locked
            log.warning("Gone meanwhile: %s", exc)
            return NotFound(f"{type(exc).__qualname__.partition('.')[0]} not found")
        case Http404():
            return UnknownRequest()
        case exceptions.MethodNotAllowed() | exceptions.NotFound():
            return UnknownRequest()
        case exceptions.APIException():
            return _Plain(exc.status_code, str(exc.detail))
    return None


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    error = as_paas_error(exc)
    if error is None:
        log.error("Unforeseen error", exc_info=exc)
        error = PaasError()
    return Response(error_body(error), status=error.status)


INVALID = "Invalid {0}. Ensure that the {0} exists and you have access to it."  # what clients know of it


def named(rows: Any, guid: str | None, noun: str) -> Any:
    """Return the row with the guid that a body names, among those the caller sees; raise Cloud Foundry's 422."""
    row = by_guid(rows, guid) if guid else None
    if row is None:
        raise Unprocessable(INVALID.format(noun))
    return row


def accepted(request: Any, job: Any, data: dict[str, Any] | None = None) -> HttpResponse:
    """202 with the job's Location and an empty body (or the resource, for the few calls that answer both)."""
    headers = {"Location": f"{origin(request)}/v3/jobs/{job.guid}"}
    if data is not None:
        return Response(data, status=202, headers=headers)
    return HttpResponse(status=202, headers=headers)


def no_content() -> HttpResponse:
    return HttpResponse(status=204)


class ResourceViewSet(ViewSet):
    """List and retrieve for one kind of resource; verbs are added by the subclass, each calling one action."""

    noun: ClassVar[str] = "Resource"  # "App not found"
    query: ClassVar[Query] = Query()
    lookup_field = "guid"
    content_negotiation_class = FirstRenderer

    def queryset(self) -> QuerySet[Any]:
        """Rows that the caller may see, with everything that ``present`` touches already joined."""
        raise NotImplementedError

    def present(self, resource: Any) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def user(self) -> Any:
        return self.request.user

    def found(self, guid: str, queryset: QuerySet[Any] | None = None) -> Any:
        """Return the visible resource, or raise ``NotFound`` with the noun."""
        rows = self.queryset() if queryset is None else queryset
        resource = by_guid(rows, guid)
        if resource is None:
            raise NotFound(f"{self.noun} not found")
        return resource

    def page(
        self,
        request: Request,
        queryset: QuerySet[Any],
        *,
        query: Query | None = None,
        present: Callable[[Any], Any] | None = None,
    ) -> Response:
        """Answer one page of the rows that the query string asks for."""
        query = query or self.query
        pagination = Pagination(request)
        rows = pagination.rows(query.apply(queryset, request.query_params))
        included = query.included(request, rows)
        return Response(pagination.envelope([(present or self.present)(row) for row in rows], **included))

    def list(self, request: Request, **_: str) -> Response:
        return self.page(request, self.queryset())

    def retrieve(self, request: Request, guid: str, **_: str) -> Response:
        resource = self.found(guid)
        return Response(self.present(resource) | self.query.included(request, [resource]))


class EmptyCollection(ResourceViewSet):
    """A collection that clients read and in which nothing can exist yet: it takes what the full one takes."""

    def list(self, request: Request, **_: str) -> Response:
        self.query.conditions(request.query_params)
        self.query.ordering(request.query_params)
        pagination = Pagination(request)
        return Response(pagination.envelope(pagination.of([]), **self.query.included(request, [])))

    def retrieve(self, request: Request, guid: str, **_: str) -> Response:
        raise NotFound(f"{self.noun} not found")
