"""Asking, tracing and the pages: what is refused, and whose rows leaked."""

from __future__ import annotations

import io
import uuid

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts.roles import Role
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import sign
from apps.core.errors import InvalidInput, NotFound, NotPermitted
from apps.datasets import services
from apps.datasets.errors import NotFrozen, StoredContentChanged
from apps.datasets.models import DatasetGrant
from apps.datasets.services import AccessAsked
from apps.datasets.tracing import trace_leak
from tests.datasets.grants import *  # noqa: F403
from tests.datasets.grants import PURPOSE, lines, open_stream, read, url

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"columns": ("nothing",)}, InvalidInput),
        ({"columns": ("text", "text")}, InvalidInput),
        ({"where": {"label": 3}}, InvalidInput),
        ({"where": {"label": "nobody"}}, InvalidInput),
        ({"purpose": "because"}, InvalidInput),
        ({"days": 0}, InvalidInput),
        ({"days": 1000}, InvalidInput),
        ({"program": "pe_live_none"}, NotFound),
        ({"version_digest": "sha256:0"}, NotFound),
    ],
)
def test_a_scope_that_cannot_be_is_refused(ask, program, more, refusal):
    key, _ = program()

    with pytest.raises(refusal):
        ask(key, **more)
    assert not DatasetGrant.objects.exists()


def test_only_a_frozen_version_is_read(ask, program, frozen):
    type(frozen).objects.filter(pk=frozen.pk).update(
        state="validated", frozen_by=None, frozen_at=None
    )

    with pytest.raises(NotFrozen):
        ask(program()[0])


def test_bytes_that_were_changed_are_not_given_out(grant, program, media, frozen):
    key, _ = program()
    row = grant(key)
    path = media / frozen.stored_as
    path.write_bytes(path.read_bytes().replace(b"invented", b"modified"))

    with pytest.raises(StoredContentChanged):
        open_stream(row, key)


def test_a_wider_scope_cannot_be_slipped_in_after_signing(ask, program, signers):
    key, client = program()
    row = ask(key, columns=("label",))
    request = ApprovalRequest.objects.get(subject_id=str(row.pk))
    DatasetGrant.objects.filter(pk=row.pk).update(columns=["text", "label"])

    with pytest.raises(Exception, match="changed"):
        sign(
            actor=signers[0], request_id=str(request.pk), approve=True,
            meaning="I approve", reason="the purpose needs it",
        )  # fmt: skip

    assert client.get(url(row)).status_code == 403


def test_a_leak_names_its_grant(grant, program, signers, tmp_path):
    (first_key, first), (second_key, second) = program("one"), program("two")
    leaky, other = grant(first_key), grant(second_key)
    read(second, other)
    leaked = tmp_path / "leaked.txt"
    leaked.write_bytes(b"; ".join(read(first, leaky).upper().splitlines()[:260]))

    with leaked.open("rb") as content:
        (traced,) = trace_leak(actor=signers[1], leaked=content)
    out = io.StringIO()
    call_command("trace_leak", str(leaked), actor="cora", stdout=out)

    assert traced.grant == leaky
    assert traced.found >= 1
    assert traced.planted == 3
    assert str(leaky.pk) in out.getvalue()


def test_what_never_went_through_a_grant_names_nobody(
    grant, program, signers, media, frozen
):
    grant(program()[0])

    with (media / frozen.stored_as).open("rb") as content:
        assert trace_leak(actor=signers[1], leaked=content) == []


def test_a_canary_cannot_be_told_by_comparing_pseudonyms(grant, program):
    key, client = program()

    ids = [one["id"] for one in lines(read(client, grant(key)))]

    assert {len(one) for one in ids} == {18}


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.CLINICIAN, Role.RESPONDER])
def test_who_may_ask_and_revoke(grant, program, acting, role, frozen):
    key, _ = program()
    row = grant(key)
    stranger = acting("stranger", role)

    with pytest.raises(NotPermitted):
        services.revoke_access(
            actor=stranger, grant_id=str(row.pk), because="for no good reason"
        )
    with pytest.raises(NotPermitted):
        services.request_access(
            actor=stranger, asked=AccessAsked(frozen.digest, key.prefix, PURPOSE)
        )
    with pytest.raises(NotPermitted):
        trace_leak(actor=stranger, leaked=io.BytesIO(b""))


@pytest.mark.parametrize(
    "forged",
    [
        {"state": "granted"},
        {"state": "revoked"},
        {"days": 0},
        {"purpose": ""},
        {"granted_at": timezone.now(), "expires_at": timezone.now()},
    ],
)
def test_the_database_refuses_half_a_step(ask, program, forged):
    row = ask(program()[0])

    with pytest.raises(IntegrityError), transaction.atomic():
        DatasetGrant.objects.filter(pk=row.pk).update(**forged)


def test_the_pages_ask_and_revoke(grant, program, person, frozen):
    key, _ = program()
    row = grant(key)
    browser = Client()
    browser.force_login(
        person("otto", Role.OPERATOR), "django.contrib.auth.backends.ModelBackend"
    )
    form = {
        "version": str(frozen.pk),
        "program": key.prefix,
        "purpose": PURPOSE,
        "columns": "text, label",
        "where": "{}",
        "days": "7",
    }

    asked = browser.post("/admin/datasets/datasetgrant/add/", form)
    revoked = browser.post(
        f"/admin/datasets/datasetgrant/{row.pk}/revoke/",
        {"because": "the study was stopped"},
        follow=True,
    )

    assert asked.status_code == 302, asked.content.decode()
    assert DatasetGrant.objects.get(days=7).columns == ["text", "label"]
    assert "Revoked" in revoked.content.decode()
    assert uuid.UUID(str(row.pk))
