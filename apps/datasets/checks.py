"""Start-up checks of the datasets app (ids ``datasets.*``)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from apps.core.plugins import load_class
from apps.datasets.masking import TextMasks
from apps.datasets.selectors import validator_family


# Any: Django passes app configs and keyword options that these checks do not read.
@register()
def check_validators(**_: Any) -> list[CheckMessage]:
    try:
        family = validator_family()
    except ImproperlyConfigured as error:
        hint = "Correct PE_DATASET_VALIDATORS: each line names a DatasetValidator."
        return [Error(str(error), hint=hint, id="datasets.E001")]
    if not family or any(not kind.version for kind in family.values()):
        return [
            Error(
                "PE_DATASET_VALIDATORS is empty, or a validator has no version.",
                hint="Without validators every file would pass.",
                id="datasets.E002",
            )
        ]
    return []


@register()
def check_masks(**_: Any) -> list[CheckMessage]:
    """E004: what hides identifiers from programs is there."""
    try:
        load_class(settings.PE_DATASET_MASKS, TextMasks)  # type: ignore[type-abstract]
    except ImproperlyConfigured as error:
        hint = "PE_DATASET_MASKS names a TextMasks class."
        return [Error(str(error), hint=hint, id="datasets.E004")]
    return []


@register()
def check_licences(**_: Any) -> list[CheckMessage]:
    if settings.PE_DATASET_LICENCES:
        return []
    return [
        Error(
            "PE_DATASET_LICENCES is empty: no dataset could be created.",
            hint="List SPDX identifiers, separated by commas.",
            id="datasets.E003",
        )
    ]
