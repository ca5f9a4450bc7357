"""Reading rows of a grant: signed for, in scope, resumed exactly, ended at once."""

from __future__ import annotations

import io
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.utils import timezone

from apps.approvals.models import ApprovalRequest
from apps.approvals.services import sign
from apps.audit.models import AuditEntry
from apps.datasets import services
from apps.datasets.errors import GrantClosed
from apps.datasets.masking import PatternMasks
from apps.datasets.models import DatasetGrant
from tests.datasets.grants import *  # noqa: F403
from tests.datasets.grants import ROWS, SECRET, lines, open_stream, read, url

pytestmark = pytest.mark.django_db


def test_nothing_can_be_read_before_both_have_signed(ask, program, signers):
    key, client = program()
    row = ask(key)

    assert client.get(url(row)).status_code == 403
    request = ApprovalRequest.objects.get(subject_id=str(row.pk))
    sign(
        actor=signers[0], request_id=str(request.pk), approve=True,
        meaning="I approve", reason="the purpose needs it",
    )  # fmt: skip
    assert client.get(url(row)).status_code == 403
    sign(
        actor=signers[1], request_id=str(request.pk), approve=True,
        meaning="I approve", reason="the purpose needs it",
    )  # fmt: skip
    assert client.get(url(row)).status_code == 200


def test_a_refused_grant_opens_nothing(ask, program, signers):
    key, client = program()
    row = ask(key)
    request = ApprovalRequest.objects.get(subject_id=str(row.pk))

    sign(
        actor=signers[0], request_id=str(request.pk), approve=False,
        meaning="I reject", reason="the purpose is another",
    )  # fmt: skip

    row.refresh_from_db()
    assert row.state == "refused"
    assert client.get(url(row)).status_code == 403


def test_columns_and_rows_stay_in_scope(grant, program):
    key, client = program()
    row = grant(key, columns=("text", "label"), where={"label": "calm"})

    rows = lines(read(client, row))

    assert {tuple(one) for one in rows} == {("text", "label")}
    assert {one["label"] for one in rows} == {"calm"}
    assert len(rows) == 225 + 2


def test_identifiers_are_masked_unless_the_grant_says_otherwise(grant, program):
    key, client = program()
    other_key, other_client = program("clinic")

    masked = read(client, grant(key)).decode()
    shown = read(other_client, grant(other_key, shows_identifiers=True)).decode()

    assert "anna@example.org" not in masked
    assert "7946 0018" not in masked
    assert "[EMAIL]" in masked
    assert "[PHONE]" in masked
    assert '"r3"' not in masked
    assert SECRET in shown
    assert '"r3"' in shown


def test_two_programs_cannot_join_their_rows(grant, program):
    (first_key, first), (second_key, second) = program("one"), program("two")

    ids = [
        {one["id"] for one in lines(read(client, grant(key)))}
        for key, client in ((first_key, first), (second_key, second))
    ]

    assert not ids[0] & ids[1]
    assert len(ids[0]) == ROWS + 3


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111 1111 1111 1111", "[CARD]"),
        ("see https://a.example/x?y=1", "see [URL]"),
        ("ssn 123-45-6789 ok", "ssn [SSN] ok"),
        ("in 1999 there were 12", "in 1999 there were 12"),
        ("plain words", "plain words"),
    ],
)
def test_masks_by_kind(text, masked):
    assert PatternMasks().masked(text) == masked


@pytest.mark.parametrize("cut", [1, 200, 201, 202, 203, 400, 452])
def test_a_reader_that_was_cut_off_goes_on_exactly(grant, program, cut):
    key, client = program()
    row = grant(key)
    whole = read(client, row).splitlines()

    rest = read(client, row, **{"from": cut + 1}).splitlines()

    assert whole[:cut] + rest == whole


def test_a_long_read_is_paged_and_the_pages_are_the_whole(grant, program, monkeypatch):
    from apps.datasets.services import access

    key, client = program()
    row = grant(key)
    whole = read(client, row)
    monkeypatch.setattr(access, "MAX_ROWS", 100)
    pages, following = b"", url(row, format="jsonl")
    while following:
        response = client.get(following)
        pages += b"".join(response.streaming_content)
        link = response.get("Link", "")
        following = link[1 : link.index(">")] if link else ""

    assert pages == whole
    assert response["Dataset-Rows"] == "401-453/453"


def test_csv_and_parquet_hold_the_same_rows(grant, program):
    key, client = program()
    row = grant(key)
    rows = lines(read(client, row))

    table = pq.read_table(io.BytesIO(read(client, row, format="parquet")))
    csv_lines = read(client, row, format="csv").decode().splitlines()

    assert table.to_pylist() == rows
    assert csv_lines[0].split(",")[:3] == ["id", "text", "label"]
    assert len(csv_lines) == len(rows) + 1


def test_each_read_leaves_its_range(grant, program):
    key, client = program()
    row = grant(key)

    read(client, row, **{"from": 440})

    asked = AuditEntry.objects.get(event="datasets.rows_asked").details
    done = AuditEntry.objects.get(event="datasets.rows_read").details
    assert (asked["first"], asked["last"]) == (440, 453)
    assert (done["first"], done["rows"], done["ended"]) == (440, 14, "complete")


def test_a_reader_that_hangs_up_leaves_how_far_it_came(grant, program):
    key, _ = program()
    content = open_stream(grant(key), key)
    for _number in range(5):
        next(content)

    content.close()

    done = AuditEntry.objects.get(event="datasets.rows_read").details
    assert (done["rows"], done["ended"]) == (5, "cut off by the reader")


def test_revocation_ends_an_open_stream(grant, program, signers):
    key, client = program()
    row = grant(key)
    content = open_stream(row, key)
    for _number in range(50):
        next(content)

    services.revoke_access(
        actor=signers[1], grant_id=str(row.pk), because="the study was stopped"
    )

    with pytest.raises(GrantClosed):
        list(content)
    done = AuditEntry.objects.get(event="datasets.rows_read").details
    assert done["ended"] == "grant closed"
    assert done["rows"] <= 100
    assert client.get(url(row)).status_code == 403


def test_a_grant_ends_by_itself(grant, program):
    key, client = program()
    row = grant(key, days=1)
    past = timezone.now() - timedelta(days=2)
    DatasetGrant.objects.filter(pk=row.pk).update(
        granted_at=past, expires_at=past + timedelta(days=1)
    )

    assert client.get(url(row)).status_code == 403
    listed = client.get("/api/v1/datasets/grants").json()["grants"]
    assert listed[0]["id"] == str(row.pk)


def test_another_program_sees_nothing_of_it(grant, program):
    key, _ = program()
    row = grant(key)
    _, stranger = program("stranger")

    assert stranger.get(url(row)).status_code == 404
    assert stranger.get("/api/v1/datasets/grants").json() == {"grants": []}


def test_a_key_without_the_scope_reads_nothing(grant, program):
    key, client = program(scopes=("inference:predict",))
    row = grant(key)

    assert client.get(url(row)).status_code == 403
    assert Client().get(url(row)).status_code == 401


@pytest.mark.parametrize(
    "query",
    [{"format": "pickle"}, {"from": "0"}, {"from": "454"}, {"from": "-1"},
     {"from": "x"}, {"from": "٣"}],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(grant, program, query):
    key, client = program()

    response = client.get(url(grant(key), **query))

    assert response.status_code == 400
    assert not AuditEntry.objects.filter(event="datasets.rows_asked").exists()
