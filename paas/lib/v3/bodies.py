"""What requests may carry: strict JSON bodies, relationships, metadata, errors as Cloud Foundry words them."""

from __future__ import annotations

import re
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from paas.lib.errors import Unprocessable
from paas.lib.text import is_storable

BLANK = {"required", "blank", "null"}
LABEL_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\Z")
LABEL_PREFIX = re.compile(r"^(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+\Z", re.I)
MAX_LABELS, MAX_ANNOTATIONS, MAX_ANNOTATION = 50, 200, 5000


def _name(path: str) -> str:
    return path.replace("_", " ").strip().capitalize()


def sentences(errors: Any, path: str = "") -> list[str]:
    """Flatten a serializer's errors into sentences like ``Name can't be blank``."""
    found: list[str] = []
    if isinstance(errors, dict):
        for key, value in errors.items():
            inner = path if key == "non_field_errors" else f"{path} {key}".strip()
            found += sentences(value, inner)
    elif isinstance(errors, list):
        for value in errors:
            found += sentences(value, path)
    else:
        blank = getattr(errors, "code", "") in BLANK
        text = "can't be blank" if blank else str(errors)
        whole = not path or (text[:1].isupper() and text.split(" ")[0] not in ("Must", "Not", "Ensure", "Enter"))
        found.append(text if whole and not blank else f"{_name(path)} {text[:1].lower()}{text[1:]}")
    return found


def checked(form: serializers.Serializer) -> Any:
    """Return what the form made of its data; raise ``Unprocessable`` with every sentence."""
    if not form.is_valid():
        raise Unprocessable(*sentences(form.errors))
    return form.validated_data


class Form(serializers.Serializer):
    """A strict body: what is not declared is refused, and every error is a sentence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [key for key in data if key not in self.fields]
            if unknown:
                raise serializers.ValidationError(
                    {"non_field_errors": ["Unknown field(s): " + ", ".join(f"'{key}'" for key in unknown)]}
                )
        return super().to_internal_value(data)

    @classmethod
    def read(cls, data: Any, **context: Any) -> dict[str, Any]:
        """Return the validated fields that were sent; raise ``Unprocessable`` with every sentence."""
        return dict(checked(cls(data=data, context=context)))


class Guid(Form):
    guid = serializers.CharField(max_length=255)


class Relationship(Form):
    """A body that reads as something other than its fields."""

    def run_validation(self, data: Any = empty) -> Any:
        done, value = self.validate_empty_values(data)
        return value if done else self.to_internal_value(value)


class ToOne(Relationship):
    """``{"data": {"guid": ...}}``; reads as the guid, or None where null is allowed."""

    def __init__(self, *, nullable: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields["data"] = Guid(allow_null=nullable)

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)["data"]
        return value["guid"] if value else None

    @classmethod
    def whole(cls, data: Any, *, nullable: bool = False) -> str | None:
        """Read a body that is nothing but the relationship."""
        guid: str | None = checked(cls(data=data, nullable=nullable))
        return guid


class ToMany(Relationship):
    """``{"data": [{"guid": ...}]}``; reads as the list of guids."""

    data = Guid(many=True)  # type: ignore[assignment]

    def to_internal_value(self, data: Any) -> Any:
        return [item["guid"] for item in super().to_internal_value(data)["data"]]

    @classmethod
    def whole(cls, data: Any) -> list[str]:
        """Read a body that is nothing but the relationship."""
        return list(checked(cls(data=data)))


def _check_key(key: str, what: str) -> str | None:
    prefix, slash, name = key.rpartition("/")
    if slash and not LABEL_PREFIX.match(prefix):
        return f"{what} key error: prefix '{prefix}' must be in valid dns format"
    if prefix == "cloudfoundry.org":
        return f"{what} key error: prefix 'cloudfoundry.org' is reserved"
    if not LABEL_NAME.match(name):
        return f"{what} key error: '{name[:64]}' contains invalid characters, is empty or is longer than 63 characters"
    return None


class MetadataField(serializers.Field):
    """Labels and annotations; a null value deletes the key. Reads as ``{"labels": {}, "annotations": {}}``."""

    def to_internal_value(self, data: Any) -> dict[str, dict[str, str | None]]:
        if not isinstance(data, dict) or set(data) - {"labels", "annotations"}:
            raise serializers.ValidationError("must be an object with 'labels' and 'annotations'")
        result: dict[str, dict[str, str | None]] = {"labels": {}, "annotations": {}}
        for what, pairs in data.items():
            if pairs is None:
                continue
            if not isinstance(pairs, dict):
                raise serializers.ValidationError(f"'{what}' is not an object")
            for key, value in pairs.items():
                problem = _check_key(key, what[:-1].capitalize()) or self._check_value(what, value)
                if problem:
                    raise serializers.ValidationError(problem)
                result[what][key] = value
        return result

    @staticmethod
    def _check_value(what: str, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            return f"{what[:-1].capitalize()} value error: values must be strings"
        if what == "labels" and value and not LABEL_NAME.match(value):
            return f"Label value error: '{value[:64]}' contains invalid characters or is longer than 63 characters"
        if what == "annotations" and not is_storable(value):
            return "Annotation value error: must not contain null bytes or lone surrogates"
        if len(value) > MAX_ANNOTATION:
            return f"Annotation value error: is longer than {MAX_ANNOTATION} characters"
        return None

    def to_representation(self, value: Any) -> Any:
        return value


def merged(resource: Any, sent: dict[str, dict[str, str | None]]) -> dict[str, dict[str, str]]:
    """Return the resource's labels and annotations after the change; raise if there would be too many."""
    after: dict[str, dict[str, str]] = {}
    for what, most in (("labels", MAX_LABELS), ("annotations", MAX_ANNOTATIONS)):
        both = {**(getattr(resource, what) if resource else {}), **sent.get(what, {})}
        after[what] = {key: value for key, value in both.items() if value is not None}
        if len(after[what]) > most:
            raise Unprocessable(f"Failed to add {len(after[what])} {what} because it would exceed maximum of {most}")
    return after
