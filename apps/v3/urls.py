"""The v3 URLs of apps and everything around them; what is not here is an unknown request."""

from __future__ import annotations

from django.urls import include, path
from django.urls.resolvers import URLPattern

from apps.v3.app_environment import EnvironmentViewSet
from apps.v3.app_features import AppFeatureViewSet
from apps.v3.apps import AppViewSet
from apps.v3.buildpacks import BuildpackViewSet
from apps.v3.builds import BuildViewSet
from apps.v3.deployments import DeploymentViewSet
from apps.v3.destinations import DestinationViewSet
from apps.v3.domains import DomainViewSet, OrganizationDomainViewSet
from apps.v3.droplets import CurrentDropletViewSet, DropletViewSet
from apps.v3.environment_groups import EnvironmentGroupViewSet
from apps.v3.log_cache import InfoView, ReadView
from apps.v3.manifests import AppManifestViewSet, SpaceManifestViewSet
from apps.v3.packages import PackageViewSet
from apps.v3.processes import ProcessViewSet
from apps.v3.resource_matches import ResourceMatchViewSet
from apps.v3.revisions import RevisionViewSet
from apps.v3.routes import AppRouteViewSet, RouteViewSet, SpaceRouteViewSet
from apps.v3.service_credential_bindings import CredentialBindingViewSet
from apps.v3.sidecars import SidecarViewSet
from apps.v3.stacks import StackViewSet
from apps.v3.tasks import TaskViewSet

MANY = {"get": "list", "post": "create"}
ONE = {"get": "retrieve", "patch": "update", "delete": "destroy"}

OF_PROCESS = {
    "": {"get": "retrieve", "patch": "update"},
    "/actions/scale": {"post": "scale"},
    "/stats": {"get": "stats"},
    "/process_instances": {"get": "instances"},
    "/instances/<str:index>": {"delete": "restart_instance"},
}
BOTH_WAYS = ("processes/<str:guid>", "apps/<str:guid>/processes/<str:type>")

running: list[URLPattern] = [  # apps, processes, revisions, deployments, tasks, sidecars
    path("apps", AppViewSet.as_view(MANY)),
    path("apps/<str:guid>", AppViewSet.as_view(ONE)),
    path("apps/<str:guid>/actions/start", AppViewSet.as_view({"post": "start"})),
    path("apps/<str:guid>/actions/stop", AppViewSet.as_view({"post": "stop"})),
    path("apps/<str:guid>/actions/restart", AppViewSet.as_view({"post": "restart"})),
    path("apps/<str:guid>/actions/clear_buildpack_cache", AppViewSet.as_view({"post": "clear_cache"})),
    path("apps/<str:guid>/permissions", AppViewSet.as_view({"get": "permissions"})),
    path("apps/<str:guid>/ssh_enabled", AppViewSet.as_view({"get": "ssh_enabled"})),
    path("apps/<str:guid>/env", EnvironmentViewSet.as_view({"get": "everything"})),
    path("apps/<str:guid>/environment_variables", EnvironmentViewSet.as_view({"get": "variables", "patch": "update"})),
    path("apps/<str:guid>/features", AppFeatureViewSet.as_view({"get": "every"})),
    path("apps/<str:guid>/features/<str:name>", AppFeatureViewSet.as_view({"get": "one", "patch": "update"})),
    path("apps/<str:guid>/processes", ProcessViewSet.as_view({"get": "in_app"})),
    path("apps/<str:guid>/sidecars", SidecarViewSet.as_view({"get": "in_app", "post": "create"})),
    path("apps/<str:guid>/revisions", RevisionViewSet.as_view({"get": "in_app"})),
    path("apps/<str:guid>/revisions/deployed", RevisionViewSet.as_view({"get": "deployed"})),
    path("apps/<str:guid>/tasks", TaskViewSet.as_view({"get": "in_app", "post": "create"})),
    path("processes", ProcessViewSet.as_view({"get": "list"})),
    *(path(f"{one}{rest}", ProcessViewSet.as_view(verbs)) for one in BOTH_WAYS for rest, verbs in OF_PROCESS.items()),
    *(path(f"{one}/sidecars", SidecarViewSet.as_view({"get": "of_process"})) for one in BOTH_WAYS),
    path("sidecars/<str:guid>", SidecarViewSet.as_view(ONE)),
    path("revisions/<str:guid>", RevisionViewSet.as_view({"get": "retrieve", "patch": "update"})),
    path("revisions/<str:guid>/environment_variables", RevisionViewSet.as_view({"get": "variables"})),
    path("apps/<str:guid>/actions/swap_service", DeploymentViewSet.as_view({"post": "swap"})),
    path("deployments", DeploymentViewSet.as_view(MANY)),
    path("deployments/<str:guid>", DeploymentViewSet.as_view({"get": "retrieve", "patch": "update"})),
    path("deployments/<str:guid>/actions/cancel", DeploymentViewSet.as_view({"post": "cancel"})),
    path("deployments/<str:guid>/actions/continue", DeploymentViewSet.as_view({"post": "proceed"})),
    path("tasks", TaskViewSet.as_view({"get": "list"})),
    path("tasks/<str:guid>", TaskViewSet.as_view({"get": "retrieve", "patch": "update"})),
    path("tasks/<str:guid>/cancel", TaskViewSet.as_view({"put": "cancel"})),
    path("tasks/<str:guid>/actions/cancel", TaskViewSet.as_view({"post": "cancel"})),
]

CHANGE = {"get": "retrieve", "patch": "update"}

building: list[URLPattern] = [  # packages, resource matches, builds, droplets, buildpacks, stacks, environment groups
    path("packages", PackageViewSet.as_view(MANY)),
    path("packages/<str:guid>", PackageViewSet.as_view(ONE)),
    path("packages/<str:guid>/upload", PackageViewSet.as_view({"post": "upload"})),
    path("packages/<str:guid>/download", PackageViewSet.as_view({"get": "download"})),
    path("packages/<str:guid>/droplets", DropletViewSet.as_view({"get": "in_package"})),
    path("resource_matches", ResourceMatchViewSet.as_view({"post": "create"})),
    path("builds", BuildViewSet.as_view(MANY)),
    path("builds/<str:guid>", BuildViewSet.as_view(CHANGE)),
    path("builds/<str:guid>/actions/cancel", BuildViewSet.as_view({"post": "cancel"})),
    path("droplets", DropletViewSet.as_view(MANY)),
    path("droplets/<str:guid>", DropletViewSet.as_view(ONE)),
    path("droplets/<str:guid>/upload", DropletViewSet.as_view({"post": "upload"})),
    path("droplets/<str:guid>/download", DropletViewSet.as_view({"get": "download"})),
    path("apps/<str:guid>/packages", PackageViewSet.as_view({"get": "in_app"})),
    path("apps/<str:guid>/builds", BuildViewSet.as_view({"get": "in_app"})),
    path("apps/<str:guid>/droplets", DropletViewSet.as_view({"get": "in_app"})),
    path("apps/<str:guid>/droplets/current", CurrentDropletViewSet.as_view({"get": "retrieve"})),
    path(
        "apps/<str:guid>/relationships/current_droplet",
        CurrentDropletViewSet.as_view({"get": "relationship", "patch": "update"}),
    ),
    path("buildpacks", BuildpackViewSet.as_view(MANY)),
    path("buildpacks/<str:guid>", BuildpackViewSet.as_view(ONE)),
    path("buildpacks/<str:guid>/upload", BuildpackViewSet.as_view({"post": "upload"})),
    path("stacks", StackViewSet.as_view(MANY)),
    path("stacks/<str:guid>", StackViewSet.as_view(ONE)),
    path("stacks/<str:guid>/apps", StackViewSet.as_view({"get": "apps"})),
    path("environment_variable_groups/<str:guid>", EnvironmentGroupViewSet.as_view(CHANGE)),
]

SHARED_ORGANIZATIONS = "domains/<str:guid>/relationships/shared_organizations"
SHARED_SPACES = "routes/<str:guid>/relationships/shared_spaces"
DESTINATIONS = "routes/<str:guid>/destinations"

routing: list[URLPattern] = [  # domains, routes, manifests
    path("domains", DomainViewSet.as_view(MANY)),
    path("domains/<str:guid>", DomainViewSet.as_view(ONE)),
    path("domains/<str:guid>/route_reservations", DomainViewSet.as_view({"get": "reservations"})),
    path(SHARED_ORGANIZATIONS, DomainViewSet.as_view({"get": "shared", "post": "share"})),
    path(f"{SHARED_ORGANIZATIONS}/<str:organization>", DomainViewSet.as_view({"delete": "unshare"})),
    path("organizations/<str:guid>/domains", OrganizationDomainViewSet.as_view({"get": "every"})),
    path("organizations/<str:guid>/domains/default", OrganizationDomainViewSet.as_view({"get": "default"})),
    path("routes", RouteViewSet.as_view(MANY)),
    path("routes/<str:guid>", RouteViewSet.as_view(ONE)),
    path("routes/<str:guid>/relationships/space", RouteViewSet.as_view({"patch": "move"})),
    path(SHARED_SPACES, RouteViewSet.as_view({"get": "shared", "post": "share"})),
    path(f"{SHARED_SPACES}/<str:space>", RouteViewSet.as_view({"delete": "unshare"})),
    path(DESTINATIONS, DestinationViewSet.as_view({"get": "every", "post": "add", "patch": "replace"})),
    path(f"{DESTINATIONS}/<str:destination>", DestinationViewSet.as_view({"patch": "change", "delete": "remove"})),
    path("apps/<str:guid>/routes", AppRouteViewSet.as_view({"get": "every"})),
    path("spaces/<str:guid>/routes", SpaceRouteViewSet.as_view({"delete": "clean"})),
    path("spaces/<str:guid>/actions/apply_manifest", SpaceManifestViewSet.as_view({"post": "apply"})),
    path("spaces/<str:guid>/manifest_diff", SpaceManifestViewSet.as_view({"post": "diff"})),
    path("apps/<str:guid>/manifest", AppManifestViewSet.as_view({"get": "show"})),
]

BINDING = "service_credential_bindings/<str:guid>"

bound: list[URLPattern] = [  # what services give to apps
    path("service_credential_bindings", CredentialBindingViewSet.as_view(MANY)),
    path(BINDING, CredentialBindingViewSet.as_view(ONE)),
    path(f"{BINDING}/details", CredentialBindingViewSet.as_view({"get": "details"})),
    path(f"{BINDING}/parameters", CredentialBindingViewSet.as_view({"get": "parameters"})),
]

log_cache: list[URLPattern] = [
    path("info", InfoView.as_view()),
    path("read/<str:source>", ReadView.as_view()),
]

urlpatterns = [path("v3/", include([*running, *building, *routing, *bound])), path("api/v1/", include(log_cache))]
