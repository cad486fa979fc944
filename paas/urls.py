"""Every URL of the platform, app by app."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView

from accounts.v3.root import root
from paas.lib.errors import UnknownRequest
from paas.lib.v3.door import error_body
from paas.lib.web import wants_html
from tenants.views import home


def front(request: HttpRequest) -> HttpResponse:
    """``/``: the console to who asks for text/html, Cloud Foundry's root document to the rest."""
    return home(request) if wants_html(request) else root(request)


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """A v3 path that is not built: Cloud Foundry's 404, never a half answer."""
    return JsonResponse(error_body(UnknownRequest()), status=404)


urlpatterns = [
    path("", front, name="home"),
    path("v3/openapi.json", SpectacularAPIView.as_view(), name="openapi"),
    path("", include("accounts.v3.urls")),
    path("", include("tenants.v3.urls")),
    path("", include("services.v3.urls")),
    path("", include("apps.v3.urls")),
    re_path(r"^v3(?:/.*)?$", unknown),
    path("", include("accounts.urls")),
    path("", include("tenants.urls")),
    path("", include("services.urls")),
    path("", include("apps.urls")),
]

handler500 = "paas.lib.web.server_error"
