"""What the pages about quotas ask for."""

from __future__ import annotations

from typing import Any

from django import forms

from tenants import quotas
from tenants.actions.quota_request import columns
from tenants.forms import Reason
from tenants.models import Limits, OrganizationQuota, QuotaRequest, SpaceQuota

MOST = 2**31 - 1


class MoreForm(forms.Form):
    """How much more of what the quota limits; what is left empty stays as it is."""

    reason = Reason(label="What do you need it for?", help_text="Whoever decides reads this.")

    def __init__(self, data: Any = None, *, quota: Limits, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.limited = [name for name in columns(quota) if getattr(quota, name) not in (None, True)]
        fields: dict[str, forms.Field] = {name: _more(quota, name) for name in self.limited}
        self.fields.update(fields)

    @property
    def figures(self) -> list[Any]:
        """Return the fields of what is limited."""
        return [self[name] for name in self.limited]

    def clean(self) -> dict[str, Any]:
        if not self.errors and not self.limits():
            raise forms.ValidationError("Enter how much you need of at least one of them.")
        return self.cleaned_data

    def limits(self) -> dict[str, Any]:
        """Return what is asked for, by the names of ``Limits``."""
        return {name: self.cleaned_data[name] for name in self.limited if self.cleaned_data.get(name)}


def _more(quota: Limits, name: str) -> forms.Field:
    has, title = getattr(quota, name), quotas.TITLES[name]
    if has is False:
        return forms.BooleanField(required=False, label="Allow services that cost something")
    unit = quotas.UNITS.get(name, "")
    return forms.IntegerField(
        required=False,
        min_value=has + 1,
        max_value=MOST,
        label=f"{title}{f', in{unit}' if unit else ''}",
        help_text=f"Now {has}{unit}",
        error_messages={
            "invalid": f"{title}: enter a whole number.",
            "min_value": f"{title}: enter more than {has}, which the quota gives, or leave it empty.",
            "max_value": f"{title}: enter {MOST} at most.",
        },
    )


class DecideForm(forms.Form):
    """What somebody is told who asked for more; and another quota than one that is made to measure, if wanted."""

    quota = forms.ModelChoiceField(OrganizationQuota.objects.none(), required=False)
    answer = Reason(label="Answer (optional)")

    def __init__(self, data: Any = None, *, request: QuotaRequest) -> None:
        super().__init__(data)
        self.fields["quota"].queryset = choices(request)


def choices(request: QuotaRequest) -> Any:
    """Return the quotas that the place of a request could be given instead."""
    if request.space:
        return SpaceQuota.objects.filter(organization=request.organization).order_by("name")
    return OrganizationQuota.objects.order_by("name")
