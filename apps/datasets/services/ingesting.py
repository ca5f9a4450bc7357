"""Making datasets and taking files in: all of a file becomes a version, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts.permissions import acting_user, require
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput, StateConflict
from apps.datasets import storage
from apps.datasets.contracts import FileFormat, parse_schema
from apps.datasets.errors import AlreadyIngested
from apps.datasets.models import Dataset, DatasetVersion
from apps.datasets.services.records import record_version_event


@dataclass(frozen=True, slots=True)
class DatasetDescription:
    """What a new dataset is; ``schema`` as contracts.parse_schema reads it."""

    name: str
    title: str
    purpose: str
    licence: str
    schema: dict[str, object]


@transaction.atomic
def create_dataset(*, actor: Actor, description: DatasetDescription) -> Dataset:
    """A dataset without versions, owned by the actor.

    Raises InvalidInput for a name, licence or schema that cannot be; StateConflict
    when the name is taken.
    """
    require(actor, "datasets.add_dataset")
    parse_schema(description.schema)
    if description.licence not in settings.PE_DATASET_LICENCES:
        accepted = ", ".join(settings.PE_DATASET_LICENCES)
        raise InvalidInput(f"The licence must be one of {accepted}.")
    if Dataset.objects.filter(name=description.name).exists():
        raise StateConflict(f"There is a dataset named {description.name} already.")
    dataset = Dataset(
        name=description.name,
        title=description.title.strip(),
        purpose=description.purpose.strip(),
        licence=description.licence,
        schema=description.schema,
        owner=acting_user(actor),
    )
    try:
        dataset.full_clean()
    except ValidationError as error:
        raise InvalidInput(
            f"The dataset needs another value for {', '.join(error.message_dict)}."
        ) from error
    dataset.save(force_insert=True)
    record_event(
        actor=actor,
        event="datasets.dataset_created",
        subject=Subject("datasets.dataset", str(dataset.pk)),
        details={"name": dataset.name, "licence": dataset.licence},
    )
    return dataset


def ingest_version(
    *,
    actor: Actor,
    dataset: Dataset,
    source: BinaryIO,
    file_format: FileFormat,
    parent: DatasetVersion | None = None,
) -> DatasetVersion:
    """A new version from a file: read to the end, digested, stored, recorded.

    Raises UnreadableDataset for a file that cannot be read as rows and AlreadyIngested
    for content that a version has; in both cases nothing is kept.
    """
    require(actor, "datasets.ingest_datasetversion", dataset)
    if parent is not None and parent.dataset_id != dataset.pk:
        raise InvalidInput("The parent must be a version of the same dataset.")
    limits = storage.Limits(
        settings.PE_DATASET_MAX_ROW_BYTES, settings.PE_DATASET_MAX_FILE_BYTES
    )
    schema = parse_schema(dataset.schema)
    with storage.staged_rows(source, file_format, schema, limits) as staged:
        _refuse_known(staged.digest)
        is_new = storage.put(staged)
        try:
            return _record_version(actor, dataset, staged, parent)
        except BaseException:
            # Also when interrupted: a file without a row must not stay behind.
            if is_new and not _version_with(staged.digest):
                storage.remove(staged.digest)
            raise


def _version_with(digest: str) -> DatasetVersion | None:
    versions = DatasetVersion.objects.select_related("dataset")
    return versions.filter(digest=digest).first()


def _refuse_known(digest: str) -> None:
    known = _version_with(digest)
    if known is not None:
        raise AlreadyIngested(
            f"{known.dataset.name} version {known.number} has exactly this content.",
            extra={"version": str(known.pk)},
        )


def _record_version(
    actor: Actor,
    dataset: Dataset,
    staged: storage.Staged,
    parent: DatasetVersion | None,
) -> DatasetVersion:
    try:
        with transaction.atomic():
            Dataset.objects.select_for_update().get(pk=dataset.pk)
            _refuse_known(staged.digest)
            last = dataset.versions.order_by("-number").first()
            version = DatasetVersion.objects.create(
                dataset=dataset,
                number=last.number + 1 if last else 1,
                parent=parent,
                digest=staged.digest,
                source_digest=staged.source_digest,
                schema=dataset.schema,
                row_count=staged.row_count,
                size_bytes=staged.size_bytes,
                stored_as=storage.storage_name(staged.digest),
                author=acting_user(actor),
            )
            details = {"dataset": dataset.name, "rows": staged.row_count}
            record_version_event(actor, "datasets.version_ingested", version, details)
    except IntegrityError as error:
        # The same content entered through another dataset at the same moment.
        _refuse_known(staged.digest)
        raise StateConflict("Another version was recorded; try again.") from error
    return version
