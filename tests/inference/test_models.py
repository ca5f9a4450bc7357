"""What the database itself refuses about a record."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.inference.models import InferenceRecord

pytestmark = pytest.mark.django_db


def a_record(**changes) -> InferenceRecord:
    given = {
        "created_at": timezone.now(),
        "api_key_id": uuid.uuid4(),
        "key_family_id": uuid.uuid4(),
        "model_name": "support",
        "version_digest": "sha256:v",
        "policy_digest": "sha256:p",
        "locale": "en",
        "text_digest": "hmac-sha256:x",
        "decision": "allow",
        "source": "model",
    }
    return InferenceRecord(**(given | changes))


def test_a_whole_record_is_kept():
    a_record().save()

    assert InferenceRecord.objects.count() == 1
    assert str(InferenceRecord.objects.get()).startswith("allow support")


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": "passed"},
        {"decision": "block"},
        {"decision": "unavailable"},
        {"version_digest": ""},
        {"policy_digest": ""},
        {"decision": "escalate", "source": "fixed"},
    ],
    ids=str,
)
def test_a_record_that_lies_is_refused(changes):
    with pytest.raises(IntegrityError), transaction.atomic():
        a_record(**changes).save()
