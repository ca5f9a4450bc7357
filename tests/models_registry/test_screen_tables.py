"""Tables on the registry's screens: steps in rows, dates sortable, markup escaped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.accounts.roles import Role
from apps.models_registry import services
from apps.models_registry.admin.screens import table
from apps.models_registry.admin.training import metrics_by_step
from apps.models_registry.models import MetricPoint, ModelAlias
from apps.models_registry.subjects import ModelVersionSubject


def test_a_cell_cannot_become_markup() -> None:
    assert "<script>" not in table(("<b>",), [("<script>alert(1)</script>",)])


def test_times_are_written_year_first() -> None:
    shown = table(("When",), [(datetime(2026, 11, 23, 3, 5, tzinfo=UTC),)])

    assert "2026-11-23 03:05" in shown


def test_metrics_stand_in_one_row_a_step() -> None:
    points = [
        MetricPoint(step=20, name="loss", value=1.0),
        MetricPoint(step=10, name="loss", value=2.0),
        MetricPoint(step=20, name="accuracy", value=0.5),
    ]

    names, rows = metrics_by_step(points)

    assert names == ["loss", "accuracy"]
    assert rows == {10: {"loss": 2.0}, 20: {"loss": 1.0, "accuracy": 0.5}}


@pytest.mark.django_db
def test_an_alias_shows_who_moved_it_and_why(candidate, approve, operator) -> None:
    version = approve(candidate)
    services.promote_version(
        actor=operator, version_id=str(version.pk), reason="the first that is signed"
    )
    client = Client()
    client.force_login(version.author, "django.contrib.auth.backends.ModelBackend")
    alias = ModelAlias.objects.get()

    page = client.get(
        reverse("admin:models_registry_modelalias_change", args=[alias.pk])
    )

    assert "the first that is signed" in page.content.decode()


@pytest.mark.django_db
def test_signers_are_given_the_card_and_the_overall_numbers(candidate) -> None:
    evidence = ModelVersionSubject().facts(str(candidate.pk)).evidence

    assert evidence["card"] == candidate.card
    assert {number["report"] for number in evidence["overall"]} == {
        "accuracy",
        "fairness",
        "safety",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("alias_id", ["nonsense", "99999"])
def test_rolling_back_what_is_not_there_is_a_message(
    operator, person, alias_id
) -> None:
    client = Client()
    client.force_login(
        person("otto", Role.OPERATOR), "django.contrib.auth.backends.ModelBackend"
    )
    url = reverse("admin:models_registry_modelalias_step", args=[alias_id, "rollback"])

    answered = client.post(url, {"text": "back"})

    said = [str(message) for message in get_messages(answered.wsgi_request)]
    assert answered.status_code == 302
    assert said == ["There is no such alias."]
