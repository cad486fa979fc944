"""The browser door: errors as flash messages or pages, security headers, what every template knows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import defaults

from paas.lib.errors import NotAuthorized, NotFound, PaasError
from paas.lib.models import by_guid
from paas.lib.v3.door import as_paas_error, error_body

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class ConsoleMiddleware:
    """Adds the security headers and turns what a page could not foresee into a styled error page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if response.status_code == 503:
            response.headers.setdefault("Retry-After", "5")
        if (
            getattr(request, "user", None) is not None
            and "Cache-Control" not in response.headers
            and not request.path.startswith("/static/")
        ):
            response.headers["Cache-Control"] = "no-store"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        error = as_paas_error(exception)
        if error is None:
            return None
        return answer(request, error)


def server_error(request: HttpRequest) -> HttpResponse:
    """What no view answered for: what a middleware ran into, the database being away above all, is told as views tell it."""
    raised = sys.exc_info()[1]
    error = as_paas_error(raised) if isinstance(raised, Exception) else None
    if error is None:
        return defaults.server_error(request)
    return answer(request, error)


def answer(request: HttpRequest, error: PaasError) -> HttpResponse:
    """Tell of an error as a page, or in the API's shape to who does not ask for pages."""
    return error_page(request, error) if wants_html(request) else JsonResponse(error_body(error), status=error.status)


def found(rows: Any, guid: str, missing: str = "") -> Any:
    """Return the row with the guid among those that the person may see, or raise ``NotFound`` with the sentence."""
    row = by_guid(rows, guid)
    if row is None:
        noun = rows.model._meta.verbose_name
        raise NotFound(missing or f"There is no such {noun}, or you have no role in its space.")
    return row


def wants_html(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def error_page(request: HttpRequest, error: PaasError) -> HttpResponse:
    return render(request, "error.html", {"error": error, "status": error.status}, status=error.status)


def tells_errors(back: str = "") -> Callable[..., Any]:
    """Decorate a POST view: a ``PaasError`` becomes a flash message on the page the person came from.

    What they may not see or do stays a page of its own, with its status.
    ``back`` names the URL to go to instead of the referring page, with the guid that the view was given.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except PaasError as error:
                if isinstance(error, NotFound | NotAuthorized) or request.method != "POST":
                    return error_page(request, error)
                messages.error(request, error.detail)
                return redirect(back, kwargs["guid"]) if back else redirect(came_from(request))

        return wrapped

    return decorate


def came_from(request: HttpRequest, otherwise: str = "/") -> str:
    """Return the referring page on our own host, or ``otherwise``."""
    referer = request.headers.get("Referer", "")
    return referer if url_has_allowed_host_and_scheme(referer, {request.get_host()}) else otherwise


def platform(request: HttpRequest) -> dict[str, Any]:
    """What every template knows of the platform."""
    return {
        "platform_name": settings.PAAS_NAME,
        "platform_url": settings.PAAS_URL,
        "apps_domain": settings.PAAS_APPS_DOMAIN,
    }
