"""Reads the multipart bodies of uploads; the files in them go to the disk as they come."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework import serializers
from rest_framework.request import Request

from paas.lib.errors import Unprocessable
from paas.lib.intake import Spool
from paas.lib.v3 import Form
from paas.lib.v3.bodies import checked

TAIL = 4096  # bytes of a body's end in which its last boundary stands
MOST_RESOURCES = 200_000
CUT_OFF = "The upload was refused: it ended before all of it had arrived. Upload it again."


@dataclass(frozen=True)
class Parts:
    """What an upload's body held; each is None where it was not sent."""

    bits: UploadedFile | None
    resources: list[dict[str, Any]] | None


class Checksum(Form):
    value = serializers.RegexField(r"^[0-9a-fA-F]{40}$", error_messages={"invalid": "is not a SHA-1"})

    def to_internal_value(self, data: Any) -> Any:
        return {"value": super().to_internal_value(data)["value"].lower()}


class Resource(Form):
    """A file that the client has got: ``{"path", "mode", "checksum": {"value"}, "size_in_bytes"}``."""

    path = serializers.CharField(max_length=4096, trim_whitespace=False, required=False, allow_blank=True)
    mode = serializers.RegexField(r"^[0-7]{3,7}$", required=False, error_messages={"invalid": "is not an octal mode"})
    checksum = Checksum()
    size_in_bytes = serializers.IntegerField(min_value=0, max_value=2**53)


class Named(Resource):
    path = serializers.CharField(max_length=4096, trim_whitespace=False)


def read(request: Request) -> Parts:
    """Return the parts of the body; raise ``Unprocessable`` for one that is cut off or is none."""
    http: HttpRequest = request._request
    stream = _Counted(http)
    try:
        parser = MultiPartParser(http.META, stream, [Spool(http)], http.encoding)
        fields, files = parser.parse()
    except MultiPartParserError as error:
        raise Unprocessable(f"The body is not an upload: send multipart/form-data ({error}).") from error
    except SuspiciousOperation as error:
        raise Unprocessable(f"The upload has too many or too large fields ({error}).") from error
    if b"--" + parser._boundary + b"--" not in stream.tail or stream.count < int(http.META.get("CONTENT_LENGTH") or 0):
        raise Unprocessable(CUT_OFF)
    return Parts(files.get("bits"), _resources(fields["resources"]) if "resources" in fields else None)


def _resources(text: str) -> list[dict[str, Any]]:
    try:
        sent = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unprocessable("Resources must be a JSON array") from error
    if not isinstance(sent, list) or len(sent) > MOST_RESOURCES:
        raise Unprocessable("Resources must be a JSON array")
    return list(checked(Named(data=sent, many=True)))


class _Counted:
    """Counts what is read of a body and keeps its end."""

    def __init__(self, stream: BinaryIO | HttpRequest) -> None:
        self._stream, self.count, self.tail = stream, 0, b""

    def read(self, size: int = -1) -> bytes:
        chunk: bytes = self._stream.read(size)
        self.count += len(chunk)
        self.tail = (self.tail + chunk)[-TAIL:]
        return chunk
