"""Seeded rows verify, and lists cost the same however many rows there are."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.audit.selectors import verify_chains
from apps.inference.models import InferenceRecord

pytestmark = pytest.mark.django_db
EVERY_ROLE = (Role.COMPLIANCE, Role.CLINICIAN, Role.OPERATOR, Role.REVIEWER)
# Screens that grow with use, and what one page of each may ask the database.
LISTS = {
    "admin:audit_auditentry_changelist": 45,
    "admin:inference_inferencerecord_changelist": 20,
    "admin:safety_escalation_changelist": 20,
    "admin:approvals_approvalrequest_changelist": 20,
    "admin:models_registry_modelversion_changelist": 20,
    "admin:accounts_apikey_changelist": 20,
}


@pytest.fixture
def everyone(person) -> Client:
    """One person with every role, and no superuser."""
    client = Client()
    client.force_login(
        person("eve", *EVERY_ROLE), "django.contrib.auth.backends.ModelBackend"
    )
    return client


def seed(audit: int, requests: int) -> None:
    call_command("seed_scale", "--audit", str(audit), "--requests", str(requests))


def test_seeded_entries_are_chained_and_counted(capsys):
    seed(25, 12)

    assert AuditEntry.objects.filter(event__startswith="seed.").count() == 25
    assert InferenceRecord.objects.count() == 12
    assert verify_chains()
    assert "25 audit entries, 12 requests" in capsys.readouterr().out


def test_production_is_not_seeded(settings):
    settings.IS_PRODUCTION = True

    with pytest.raises(CommandError, match="local only"):
        seed(1, 1)


@pytest.mark.parametrize(("name", "most"), LISTS.items())
def test_a_list_page_asks_no_more_than_this(
    everyone, name, most, django_assert_max_num_queries
):
    seed(150, 150)

    with django_assert_max_num_queries(most):
        assert everyone.get(reverse(name)).status_code == 200


def test_requests_are_found_by_a_whole_id(everyone):
    seed(0, 3)
    wanted = InferenceRecord.objects.first()
    url = reverse("admin:inference_inferencerecord_changelist")

    for words in (str(wanted.pk), wanted.request_id):
        rows = everyone.get(url, {"q": words}).context["cl"].result_list
        assert [row.pk for row in rows] == [wanted.pk]
    assert not everyone.get(url, {"q": "nothing"}).context["cl"].result_list
