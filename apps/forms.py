"""What the console's pages about apps ask for."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms

from apps.models import App, Buildpack, Domain, Process, Route
from tenants.forms import ConfirmForm
from tenants.models import Space

PUSHED = "A zip, or a tar (also .tar.gz, .tgz), with the app's files at its top."
DETECT = ("", "Find out by itself")


def _memory(**kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label="Memory of each instance, in MB",
        min_value=16,
        max_value=1_000_000,
        error_messages={"required": "Enter how much memory, in MB.", "invalid": "Enter the memory in MB, as a number."},
        **kwargs,
    )


def _instances(**kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label="Instances",
        min_value=0,
        max_value=10_000,
        error_messages={"required": "Enter how many.", "invalid": "Enter how many instances, as a number."},
        **kwargs,
    )


class SourceForm(forms.Form):
    """Which buildpack builds a pushed version."""

    buildpack = forms.ChoiceField(
        required=False, label="Buildpack", help_text="Chosen by itself from the files that are there, unless you say."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Buildpack.objects.filter(enabled=True).order_by("position").values_list("name", flat=True).distinct()
        self.fields["buildpack"].choices = [DETECT, *((name, name) for name in dict.fromkeys(names))]

    @property
    def buildpacks(self) -> list[str] | None:
        chosen = self.cleaned_data["buildpack"]
        return [chosen] if chosen else None


class UploadForm(SourceForm):
    """Source as a file; the page's script makes one of a folder."""

    bits = forms.FileField(
        label="Source",
        help_text=PUSHED,
        allow_empty_file=True,  # refused by name further on
        error_messages={"required": "Choose the file to push.", "invalid": "Choose the file to push."},
    )
    field_order: ClassVar[tuple[str, ...]] = ("bits", "buildpack")


class GitForm(SourceForm):
    """Source as a public git repository, which the build fetches by itself."""

    url = forms.CharField(
        max_length=500,
        label="Address of the repository",
        help_text="Public, for example https://example.org/team/app.git",
        error_messages={"required": "Enter the address of the repository."},
    )
    ref = forms.CharField(
        required=False, max_length=255, label="Branch or tag", help_text="Empty: the repository's own main branch."
    )
    field_order: ClassVar[tuple[str, ...]] = ("url", "ref", "buildpack")


class NewAppForm(forms.Form):
    """What a new app is called and how large it is."""

    name = forms.CharField(max_length=255, label="Name", error_messages={"required": "Enter a name for the app."})
    memory_mb = _memory(initial=512)
    instances = _instances(initial=1)
    command = forms.CharField(
        required=False,
        label="Start command",
        help_text="Only if it is not the one that the Procfile or the buildpack names.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self.fields["command"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}


class NewUploadForm(NewAppForm, UploadForm):
    """A new app from a file."""

    field_order: ClassVar[tuple[str, ...]] = ("name", "bits", "memory_mb", "instances", "command", "buildpack")


class NewGitForm(NewAppForm, GitForm):
    """A new app from a git repository."""

    field_order: ClassVar[tuple[str, ...]] = ("name", "url", "ref", "memory_mb", "instances", "command", "buildpack")


class RenameForm(forms.Form):
    name = forms.CharField(max_length=255, label="Name", error_messages={"required": "Enter a name for the app."})


class ScaleForm(forms.Form):
    """How many instances of one process there are, and how large the next ones will be."""

    instances = _instances()
    memory_mb = _memory()
    disk_mb = forms.IntegerField(
        label="Disk of each instance, in MB",
        min_value=16,
        max_value=1_000_000,
        error_messages={"required": "Enter how much disk, in MB.", "invalid": "Enter the disk in MB, as a number."},
    )


class RunForm(forms.Form):
    """The start command and the health check of one process."""

    command = forms.CharField(
        required=False, label="Start command", help_text="Empty: the one that the Procfile or the buildpack names."
    )
    health_type = forms.ChoiceField(
        label="Health check",
        widget=forms.RadioSelect,
        choices=[
            ("port", "Port: it is healthy when it listens on $PORT"),
            ("http", "HTTP: it is healthy when the path below answers 200"),
            ("process", "Process: it is healthy while it runs"),
        ],
    )
    health_endpoint = forms.CharField(
        required=False, max_length=255, label="Path of the HTTP check", help_text="For example /health"
    )
    health_timeout = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=3600,
        label="Seconds that it may take to become healthy",
        help_text="60 unless you say.",
    )

    def clean_health_endpoint(self) -> str:
        path: str = self.cleaned_data["health_endpoint"]
        if path and not path.startswith("/"):
            raise forms.ValidationError("Enter a path that begins with /")
        return path

    @property
    def fields_of_process(self) -> dict[str, Any]:
        asked = self.cleaned_data
        return {
            "command": asked["command"].strip() or None,
            "health_type": asked["health_type"],
            "health_endpoint": asked["health_endpoint"] if asked["health_type"] == "http" else "",
            "health_timeout": asked["health_timeout"],
        }

    @staticmethod
    def of(process: Process) -> dict[str, Any]:
        names = ("command", "health_type", "health_endpoint", "health_timeout")
        return {name: getattr(process, name) for name in names}


class BuildpacksForm(forms.Form):
    buildpacks = forms.CharField(
        required=False,
        label="Buildpacks",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One a line, by name or git address; the last one starts the app. Empty: found out by itself.",
    )

    def clean_buildpacks(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["buildpacks"].splitlines() if line.strip()]

    @staticmethod
    def of(app: App) -> dict[str, Any]:
        return {"buildpacks": "\n".join(app.buildpacks)}


class VariableForm(forms.Form):
    """An environment variable to add or change."""

    name = forms.CharField(max_length=255, label="Name", error_messages={"required": "Enter the variable's name."})
    value = forms.CharField(
        required=False,
        strip=False,
        label="Value",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}

    def clean_value(self) -> str:
        """A form sends line ends as two characters; what is set has one."""
        return re.sub(r"\r\n?", "\n", self.cleaned_data["value"])


class NamedField(forms.ModelChoiceField):
    """A choice of things that have a name."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class RouteForm(forms.Form):
    """A new route: a host and a path on a domain."""

    host = forms.CharField(required=False, max_length=63, label="Host", help_text="The first part of the address.")
    domain = NamedField(Domain.objects.none(), empty_label=None, to_field_name="guid", label="Domain")
    path = forms.CharField(
        required=False, max_length=128, label="Path (optional)", help_text="Only what is under it, for example /docs"
    )

    def __init__(self, *args: Any, space: Space, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usable = Domain.objects.usable_in(space.organization).filter(internal=False)
        self.fields["domain"].queryset = usable.order_by("organization_id", "created_at")
        for name in ("host", "path"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


class MapForm(forms.Form):
    """The app that a route should lead to: one of its space."""

    app = NamedField(
        App.objects.none(),
        label="App",
        empty_label=None,
        to_field_name="guid",
        error_messages={"required": "Choose an app."},
    )

    def __init__(self, *args: Any, route: Route, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = App.objects.filter(space=route.space).exclude(destinations__route=route)
        self.fields["app"].queryset = here.defer("environment").order_by("name")


class DeleteAppForm(ConfirmForm):
    """Deleting asks for the app's name; its routes go only if that is asked for."""

    routes = forms.BooleanField(required=False, label="Delete the routes that lead only to this app, too")
