"""The files that an organization has pushed before, so that it need not send them again."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from apps.models import SourceFile
from tenants.models import Organization

log = logging.getLogger(__name__)

SMALLEST, LARGEST = 64 << 10, 512 << 20  # bytes of a file that is worth remembering, as in Cloud Foundry
AT_ONCE = 5000  # rows


@dataclass(frozen=True)
class KnownFile:
    """A file's digests, its size in bytes and the blob that holds it."""

    sha1: str
    sha256: str
    size: int
    key: str


def known(organization: Organization, sha1s: Iterable[str]) -> dict[str, SourceFile]:
    """Return the organization's files by SHA-1, those in doubt too (their ``key`` is empty)."""
    asked, found = sorted(set(sha1s)), dict[str, SourceFile]()
    for start in range(0, len(asked), AT_ONCE):
        rows = SourceFile.objects.filter(organization=organization, sha1__in=asked[start : start + AT_ONCE])
        found |= {row.sha1: row for row in rows}
    return found


def remember(organization: Organization, files: Iterable[KnownFile]) -> list[str]:
    """Write the files down; return the SHA-1s that turned out to stand for two different files.

    Such a digest stays in its row without a blob: it is never matched and never learnt again.
    """
    now, sent = timezone.now(), {file.sha1: file for file in files}
    rows = [
        SourceFile(organization=organization, used_at=now, **vars(sent[sha1]))
        for sha1 in sorted(sent)  # in one order, or two uploads could wait for each other
    ]
    SourceFile.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
    there = known(organization, sent)
    doubtful = [
        sha1
        for sha1, row in there.items()
        if row.key and (row.sha256, row.size) != (sent[sha1].sha256, sent[sha1].size)
    ]
    mine = SourceFile.objects.filter(organization=organization)
    mine.filter(sha1__in=doubtful).update(key="")
    mine.filter(pk__in=sorted(row.pk for row in there.values())).update(used_at=now)
    for sha1 in doubtful:
        log.warning("SHA-1 %s stands for two different files of organization %s.", sha1, organization.guid)
    return doubtful


def forget(file: SourceFile) -> None:
    """Drop a file whose blob is not there any more, so that it is asked for again."""
    SourceFile.objects.filter(pk=file.pk).delete()
