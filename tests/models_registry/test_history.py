"""What was in production at a moment, and who had signed for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.roles import Role
from apps.models_registry import services
from apps.models_registry.history import served_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def promoted(operator, candidate, approve):
    version = approve(candidate)
    services.promote_version(
        actor=operator, version_id=str(version.pk), reason="Signed by both"
    )
    return version


def test_a_moment_names_version_mover_and_signers(promoted):
    now = timezone.now()

    (served,) = served_at(now)

    assert served.version == promoted.number
    assert served.digest.startswith("sha256:")
    assert served.signed_by.count(" as ") == 2
    assert served_at(now - timedelta(days=1)) == []


def test_the_page_answers_for_a_moment(client, person, promoted):
    client.force_login(
        person("cora", Role.COMPLIANCE), "django.contrib.auth.backends.ModelBackend"
    )
    url = reverse("admin:models_registry_modelalias_at_a_moment")
    later = timezone.now() + timedelta(minutes=1)

    now = client.get(url, {"moment": f"{later:%Y-%m-%dT%H:%M}"}).content.decode()
    before = client.get(url, {"moment": "2020-01-01T00:00"}).content.decode()

    assert " as clinician" in now
    assert "No model was in production then." in before
