"""Services of a team's own: credentials from elsewhere that it gives to its apps."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from paas.lib.web import tells_errors
from services.actions import user_provided
from services.forms.instances import NameForm, ProvidedForm
from services.views.frame import instance_page, provided_of, space_of, space_page
from services.views.instance import connect_page
from tenants.forms import errors_told_in
from tenants.views.places import demand, person


@login_required
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, guid: str) -> HttpResponse:
    """Credentials that the team has from elsewhere become a service of the space."""
    space = space_of(request, guid)
    demand(request, "service.create", space)
    form = ProvidedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            made = user_provided.create(person(request), space, **form.cleaned_data)
            messages.success(request, f"{made.name} is there. Bind the apps that should have its credentials.")
            return redirect("service", made.guid)
    return space_page(request, space, "services/provide.html", form=form)


@login_required
@require_http_methods(["GET", "POST"])
def update(request: HttpRequest, guid: str) -> HttpResponse:
    instance = provided_of(request, guid)
    demand(request, "service.create", instance.space)
    form = ProvidedForm(request.POST or None, changes=True, initial=NameForm.of(instance))
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            user_provided.update(person(request), instance, **form.cleaned_data)
            messages.success(request, "Saved. Apps that are bound keep what they have until they are bound again.")
            return redirect("service", instance.guid)
    return instance_page(request, instance, "services/provide_again.html", form=form)


@login_required
@require_POST
@tells_errors("service_connect")
def show(request: HttpRequest, guid: str) -> HttpResponse:
    """Answer with the credentials, once; the reading is recorded."""
    instance = provided_of(request, guid)
    shown = user_provided.show(person(request), instance)
    return connect_page(request, instance, shown=shown)
