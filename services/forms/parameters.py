"""A form made from a plan's JSON schema of parameters; what no field can ask for is given as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for

PREFIX = "parameter_"
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
LARGEST = 64_000  # characters of JSON
FEW = 3  # texts and numbers that a form asks for at first sight though they can be left out
LONGEST = 300  # of a sentence about what is wrong
JSON_HELP = 'An object like {"name": "value"}. It is added to the fields above, and wins over them.'


class ParametersForm(forms.Form):
    """A field for every property of the schema that one can stand for, and one for all of them as JSON."""

    json = forms.CharField(
        required=False,
        max_length=LARGEST,
        label="Parameters as JSON",
        help_text=JSON_HELP,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, schema: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schema = schema
        self.parameters: dict[str, Any] | None = None
        needed = schema.get("required") if isinstance(schema.get("required"), list) else []
        for name, about in _properties(schema):
            if field := field_for(name, about, required=name in (needed or [])):
                self.fields[PREFIX + name] = field

    @property
    def parameter_fields(self) -> list[BoundField]:
        """Those that are asked for at first sight."""
        return [each for each in self._fields() if not self._is_further(each)]

    @property
    def further_fields(self) -> list[BoundField]:
        """Texts and numbers that can be left out, where there are so many that they would hide the rest."""
        return [each for each in self._fields() if self._is_further(each)]

    @property
    def further_given(self) -> bool:
        return any(each.value() not in (None, "") or each.errors for each in self.further_fields)

    def _fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith(PREFIX)]

    def _is_further(self, each: BoundField) -> bool:
        plain = [field for name, field in self.fields.items() if name.startswith(PREFIX) and _is_plain(field)]
        return len(plain) > FEW and _is_plain(each.field)

    def clean_json(self) -> dict[str, Any]:
        text = self.cleaned_data["json"].strip()
        if not text:
            return {}
        try:
            read = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is not JSON: {str(error)[:LONGEST]}.") from error
        if not isinstance(read, dict):
            raise forms.ValidationError('Enter a JSON object, like {"name": "value"}.')
        return read

    def clean(self) -> dict[str, Any]:
        """Put the parameters together (None where none were given), and check them as the schema says."""
        asked = super().clean() or {}
        fields = {name: self.fields[name] for name in asked if name.startswith(PREFIX)}
        given = {name.removeprefix(PREFIX): _value(field, asked[name]) for name, field in fields.items()}
        given = {name: value for name, value in given.items() if value is not None} | asked.get("json", {})
        if not self.errors:
            for name, problem in problems(self.schema, given):
                self.add_error(PREFIX + name if PREFIX + name in self.fields else "json", problem)
        self.parameters = given or None
        return asked


def _is_plain(field: forms.Field) -> bool:
    return isinstance(field, forms.CharField | forms.IntegerField) and not field.required


def _properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    properties = schema.get("properties")
    for name, about in (properties if isinstance(properties, dict) else {}).items():
        if isinstance(about, dict) and PLAIN.fullmatch(name):
            yield name, about


def field_for(name: str, about: dict[str, Any], *, required: bool) -> forms.Field | None:
    """Return the field for a property; None where it can only be given as JSON."""
    kinds = about.get("type")
    kind = next((each for each in kinds if each != "null"), None) if isinstance(kinds, list) else kinds
    label = str(about.get("title") or name.replace("_", " ").replace("-", " "))
    shared = {
        "label": label[:1].upper() + label[1:] + ("" if required or kind == "boolean" else " (optional)"),
        "help_text": str(about.get("description") or ""),
        "required": required,
        "initial": about.get("default"),
    }
    if isinstance(about.get("enum"), list):
        return _one_of(about["enum"], shared)
    if kind == "array":
        return _several(about.get("items"), shared)
    make = KINDS.get(kind) if isinstance(kind, str) else None
    return make(about, shared) if make else None


def _one_of(values: list[Any], shared: dict[str, Any]) -> forms.Field:
    nothing = [] if shared["required"] else [("", "Leave it as it is")]
    kept = {_text(value): value for value in values if value is not None}
    field = forms.ChoiceField(choices=[*nothing, *((text, text) for text in kept)], **shared)
    field.meaning = kept
    return field


def _several(items: Any, shared: dict[str, Any]) -> forms.Field | None:
    about = items if isinstance(items, dict) else {}
    if isinstance(about.get("enum"), list):
        kept = {_text(value): value for value in about["enum"]}
        choices = [(text, text) for text in kept]
        field = forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **shared)
        field.meaning = kept
        return field
    if about.get("type") != "string":
        return None
    shared["help_text"] = f"{shared['help_text']} One a line.".strip()
    if isinstance(shared["initial"], list):
        shared["initial"] = "\n".join(str(each) for each in shared["initial"])
    return Lines(widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}), **shared)


class Lines(forms.CharField):
    """Several texts, one a line."""

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


def _string(about: dict[str, Any], shared: dict[str, Any]) -> forms.Field:
    longest = about.get("maxLength")
    most = {"max_length": longest} if isinstance(longest, int) and longest > 0 else {}
    field = forms.CharField(**most, **shared)
    field.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
    return field


def _number(kind: type[forms.Field]) -> Callable[[dict[str, Any], dict[str, Any]], forms.Field]:
    def make(about: dict[str, Any], shared: dict[str, Any]) -> forms.Field:
        bounds = {"min_value": about.get("minimum"), "max_value": about.get("maximum")}
        return kind(**{name: value for name, value in bounds.items() if isinstance(value, int | float)}, **shared)

    return make


def _boolean(about: dict[str, Any], shared: dict[str, Any]) -> forms.Field:
    return forms.BooleanField(**(shared | {"required": False}))


KINDS: dict[str, Callable[[dict[str, Any], dict[str, Any]], forms.Field]] = {
    "string": _string,
    "integer": _number(forms.IntegerField),
    "number": _number(forms.FloatField),
    "boolean": _boolean,
}


def _value(field: forms.Field, value: Any) -> Any:
    """What a field means in JSON; None where nothing was chosen."""
    if isinstance(field, forms.BooleanField):
        return value if value or field.initial else None
    if value in ("", None, []):
        return None
    meaning = getattr(field, "meaning", None)
    if meaning is None:
        return value
    return [meaning[each] for each in value] if isinstance(value, list) else meaning[value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def problems(schema: dict[str, Any], given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (property, sentence) for what is wrong. Schemas come from brokers, which check everything again themselves:

    patterns, which can take for ever, and references, which can lead in circles, are left to them.
    """
    if not schema or any(f'"{name}"' in json.dumps(schema) for name in REFERENCES):
        return
    bare = _without_patterns(schema)
    found: dict[str, list[Any]] = {}
    for error in validator_for(bare)(bare).iter_errors(given):
        found.setdefault(str(error.absolute_path[0]) if error.absolute_path else "", []).append(error)
    for name, errors in found.items():
        yield name, f"{best_match(errors).message[:LONGEST]}."


def _without_patterns(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_patterns(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = {"patternProperties", "additionalProperties", "unevaluatedProperties"}
    dropped = dropped if isinstance(schema.get("patternProperties"), dict) else set()
    return {
        name: _without_patterns(about)
        for name, about in schema.items()
        if name not in dropped and not (name == "pattern" and isinstance(about, str))
    }
