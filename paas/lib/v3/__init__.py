"""Cloud Foundry's v3 conventions, once for every resource."""

from paas.lib.rest import AnyJSONRenderer, SignedIn, StrictJSONParser
from paas.lib.v3.bodies import Form, Guid, MetadataField, ToMany, ToOne, checked
from paas.lib.v3.door import (
    INVALID,
    EmptyCollection,
    ResourceViewSet,
    TrailingSlash,
    accepted,
    exception_handler,
    named,
    no_content,
)
from paas.lib.v3.fields import Fields
from paas.lib.v3.query import Bool, Choice, Names, Pagination, Query, Text
from paas.lib.v3.shapes import base, link, metadata, origin, stamp, to_many, to_one

__all__ = [
    "INVALID",
    "AnyJSONRenderer",
    "Bool",
    "Choice",
    "EmptyCollection",
    "Fields",
    "Form",
    "Guid",
    "MetadataField",
    "Names",
    "Pagination",
    "Query",
    "ResourceViewSet",
    "SignedIn",
    "StrictJSONParser",
    "Text",
    "ToMany",
    "ToOne",
    "TrailingSlash",
    "accepted",
    "base",
    "checked",
    "exception_handler",
    "link",
    "metadata",
    "named",
    "no_content",
    "origin",
    "stamp",
    "to_many",
    "to_one",
]
