"""Batches: every line gated and counted once, whatever dies or is cancelled."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from apps.accounts.permissions import actor_for_user, system_actor
from apps.accounts.services import revoke_key
from apps.audit.models import AuditEntry
from apps.audit.selectors import verify_chains
from apps.inference import batches
from apps.inference.batches import ending, running
from apps.inference.models import BatchItem, BatchJob, InferenceRecord
from apps.safety.models import Escalation
from tests.inference.test_journey import BENIGN, CRISIS

MODEL = "support-reply"
PATH = f"/api/v1/batches?model={MODEL}"
ACTOR = "batch"


def lines(*rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def text_line(number: int, text: str = BENIGN) -> dict:
    return {"id": f"n{number}", "input": {"text": f"{text} ({number})"}}


def submit(caller, content: bytes, path: str = PATH, **headers):
    given = {"content_type": "application/jsonl", **headers}
    return caller.post(path, content, **given)


def run(job_id: str) -> bool:
    return running.run_batch(actor=system_actor(ACTOR), job_id=job_id)


def results(caller, job_id: str, query: str = "") -> list[dict]:
    response = caller.get(f"/api/v1/batches/{job_id}/results{query}")
    assert response.status_code == 200, response.content
    return [json.loads(line) for line in response.getvalue().splitlines()]


@pytest.fixture
def batcher(issue, sent, nobody):
    """A program whose key may submit batches; messages to the queue are in ``sent``."""
    return type(nobody)(issue(name="archive", scopes=["inference:batch"])[1])


@pytest.fixture
def job(batcher, served, django_capture_on_commit_callbacks) -> str:
    """A batch of forty-five lines: more than two claims."""
    content = lines(*(text_line(n) for n in range(45)))
    with django_capture_on_commit_callbacks(execute=True):
        response = submit(batcher, content)
    assert response.status_code == 202, response.content
    return response.json()["id"]


def test_every_line_is_gated_recorded_and_counted(batcher, served, sent):
    rows = text_line(1), text_line(2, CRISIS), text_line(3, "Call me on 212-555-0100.")
    content = lines(*rows) + b"\n{nonsense\n"
    submitted = submit(batcher, content).json()

    run(submitted["id"])

    told = batcher.get(f"/api/v1/batches/{submitted['id']}").json()
    found = results(batcher, submitted["id"])
    assert told["state"] == "finished"
    assert told["size"] == 4 == sum(told["counts"].values())
    assert told["counts"]["done"] == 3
    assert told["counts"]["refused"] == 1
    assert told["decisions"] == {"allow": 1, "escalate": 1, "mask": 1}
    assert told["progress"] == 1.0
    assert [line["position"] for line in found] == [1, 2, 3, 4]
    assert [line["id"] for line in found] == ["n1", "n2", "n3", None]
    assert found[0]["response"]["output"]["source"] == "model"
    assert found[1]["response"]["output"]["source"] == "fixed"
    assert found[3]["problem"]["code"] == "invalid_body"
    records = InferenceRecord.objects.all()
    assert {str(record.pk) for record in records} == {
        line["response"]["id"] for line in found[:3]
    }
    assert all(len(r.verdicts["input"]) == 3 for r in records)
    assert Escalation.objects.count() == 1
    closed = AuditEntry.objects.filter(event="inference.request_closed")
    assert closed.count() == 3
    assert AuditEntry.objects.filter(event="inference.batch_finished").count() == 1
    assert verify_chains()


def test_no_word_waits_or_rests_in_the_clear(job):
    rows = str([*BatchItem.objects.values(), *BatchJob.objects.values()])
    assert BENIGN[:20] not in rows

    run(job)

    stored = b"".join(bytes(i.sealed) for i in BatchItem.objects.all())
    assert BENIGN[:20].encode() not in stored
    assert b"output" not in stored


def test_a_worker_that_dies_loses_no_line_and_doubles_none(job, batcher, monkeypatch):
    """Killed after the seventh line was closed and before it was told."""
    real, answered = running.serve_request, []

    def dying(**given):
        sent = real(**given)
        answered.append(given["request"].id)
        if len(answered) == 7:
            raise SystemExit
        return sent

    monkeypatch.setattr(running, "serve_request", dying)
    with pytest.raises(SystemExit):
        run(job)
    monkeypatch.setattr(running, "serve_request", real)
    partial = results(batcher, job)

    run(job)

    assert len(partial) == 7
    assert InferenceRecord.objects.count() == 45
    assert [line["position"] for line in results(batcher, job)] == list(range(1, 46))
    assert results(batcher, job)[:7] == partial
    assert results(batcher, job, "?after=44") == results(batcher, job)[44:]
    assert BatchJob.objects.get().state == "finished"


def test_lines_of_a_killed_worker_are_taken_over_when_its_lease_ends(job, monkeypatch):
    held = running._claimed(BatchJob.objects.get())
    with_it = held.__enter__()  # and never left: the process is gone
    run(job)
    waiting = BatchItem.objects.filter(state="claimed")
    assert waiting.count() == len(with_it) == running.LINES_A_CLAIM
    assert BatchJob.objects.get().state == "running"

    waiting.update(not_before=timezone.now() - timedelta(seconds=1))
    run(job)

    assert BatchItem.objects.filter(state="done").count() == 45
    assert InferenceRecord.objects.count() == 45
    held.gen.close()


def test_a_ghost_cannot_store_what_another_has_answered(job, monkeypatch):
    real = running.serve_request

    def slow(**given):
        """The lease ends and another worker takes over while this one computes."""
        monkeypatch.setattr(running, "serve_request", real)
        BatchItem.objects.filter(state="claimed").update(
            not_before=timezone.now() - timedelta(seconds=1)
        )
        run(job)
        return real(**given)

    monkeypatch.setattr(running, "serve_request", slow)
    run(job)

    delivered = InferenceRecord.objects.filter(source="model")
    assert delivered.count() == 45
    assert BatchItem.objects.filter(state="done").count() == 45


def test_workers_side_by_side_share_the_lines(job):
    first = running._claimed(BatchJob.objects.get())
    second = running._claimed(BatchJob.objects.get())

    with first as ours, second as theirs:
        assert len(ours) == len(theirs) == running.LINES_A_CLAIM
        assert not {item.pk for item in ours} & {item.pk for item in theirs}

    assert BatchItem.objects.filter(state="waiting", attempts=0).count() == 45


def test_what_may_pass_is_tried_again_and_then_fails(batcher, policy, model, sent):
    """The model has no version in production."""
    made = submit(batcher, lines(text_line(1), text_line(2, CRISIS))).json()["id"]

    for _ in range(running.MOST_ATTEMPTS):
        run(made)
        BatchItem.objects.update(not_before=None)

    first, second = results(batcher, made)
    assert first["state"] == "failed"
    assert first["problem"]["code"] == "model_not_serving"
    assert first["response"]["output"]["source"] == "fixed"
    assert second["response"]["decision"] == "escalate"
    assert Escalation.objects.count() == 1


def test_a_line_that_kills_its_workers_is_given_up(job, batcher):
    BatchItem.objects.filter(position=1).update(attempts=running.MOST_ATTEMPTS)

    run(job)

    first = results(batcher, job)[0]
    assert (first["state"], first["status"]) == ("failed", 500)
    assert first["problem"]["code"] == "attempts_exhausted"
    assert BatchItem.objects.filter(state="done").count() == 44


def test_cancelling_takes_back_what_waits(job, batcher, monkeypatch):
    real, answered = running.serve_request, []

    def cancelling(**given):
        answered.append(1)
        if len(answered) == 3:
            response = batcher.post(f"/api/v1/batches/{job}/cancel", b"")
            assert response.json()["state"] == "cancelled"
        return real(**given)

    monkeypatch.setattr(running, "serve_request", cancelling)
    run(job)

    told = batcher.get(f"/api/v1/batches/{job}").json()
    again = batcher.post(f"/api/v1/batches/{job}/cancel", b"")
    assert told["counts"]["done"] == running.LINES_A_CLAIM
    assert told["counts"]["cancelled"] == 45 - running.LINES_A_CLAIM
    assert sum(told["counts"].values()) == told["size"]
    assert not BatchItem.objects.filter(state="cancelled", sealed__isnull=False)
    assert (again.status_code, again.json()["code"]) == (409, "batch_ended")


def test_a_revoked_key_ends_its_batches(job, batcher, person):
    from apps.accounts.models import ApiKey
    from apps.accounts.roles import Role

    key = ApiKey.objects.get(name="archive")
    revoke_key(actor=actor_for_user(person("cora2", Role.COMPLIANCE)), key=key)

    run(job)

    refused = BatchItem.objects.filter(state="refused", sealed__isnull=True)
    assert refused.count() == 45
    assert {item.status_code for item in refused} == {401}
    assert BatchJob.objects.get().state == "finished"
    assert not InferenceRecord.objects.exists()


def test_a_spent_quota_refuses_the_rest(batcher, served, sent, tier):
    tier.daily_quota = tier.monthly_quota = 2
    tier.save()
    made = submit(batcher, lines(*(text_line(n) for n in range(4)))).json()["id"]

    run(made)

    found = results(batcher, made)
    assert [line["state"] for line in found] == ["done"] * 2 + ["refused"] * 2
    assert found[3]["problem"]["code"] == "quota_exceeded"


def test_compressed_bodies_are_read_and_sent(batcher, served, sent):
    content = gzip.compress(lines(*(text_line(n) for n in range(3))))
    made = submit(batcher, content, Content_Encoding="gzip").json()
    run(made["id"])

    response = batcher.get(made["results"], Accept_Encoding="gzip")

    assert made["size"] == 3
    assert response["Content-Encoding"] == "gzip"
    assert response["Content-Type"] == "application/jsonl"
    assert gzip.decompress(response.getvalue()).count(b"\n") == 3


def test_a_repeated_upload_gives_the_first_job(batcher, served, sent):
    content = lines(text_line(1))
    first = submit(batcher, content, Idempotency_Key="k1")

    again = submit(batcher, content, Idempotency_Key="k1")
    other = submit(batcher, lines(text_line(2)), Idempotency_Key="k1")

    assert again.json()["id"] == first.json()["id"]
    assert other.json()["code"] == "idempotency_key_reused"
    assert BatchJob.objects.count() == 1


REFUSED = {
    "no line": (b"\n \n", PATH, 400, "invalid_body"),
    "nothing readable": (b'{"input": {"text": ""}}\n{x\n', PATH, 422, "invalid_field"),
    "no model": (lines(text_line(1)), "/api/v1/batches", 422, "invalid_field"),
    "too many": (lines(*map(text_line, range(4))), PATH, 413, "batch_too_large"),
    "too large": (b" " * 5000, PATH, 413, "body_too_large"),
    "endless line": (b"x" * 3000, PATH, 400, "invalid_body"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_upload_leaves_nothing(batcher, served, sent, settings, name):
    settings.PE_BATCH_MAX_LINES, settings.PE_BATCH_MAX_BYTES = 3, 4000
    settings.PE_BATCH_MAX_LINE_BYTES = 2000
    content, path, status, code = REFUSED[name]

    response = submit(batcher, content, path)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not BatchJob.objects.exists()
    assert not BatchItem.objects.exists()
    assert sent == []


def test_other_keys_and_scopes_see_nothing(job, batcher, issue):
    scopeless = type(batcher)(issue(name="live", scopes=["inference:predict"])[1])
    other = type(batcher)(issue(name="other", scopes=["inference:batch"])[1])

    assert other.get(f"/api/v1/batches/{job}").status_code == 404
    assert other.get(f"/api/v1/batches/{job}/results").status_code == 404
    assert other.post(f"/api/v1/batches/{job}/cancel", b"").status_code == 404
    assert other.get("/api/v1/batches").json() == {"batches": []}
    assert scopeless.get("/api/v1/batches").status_code == 403
    assert submit(batcher, b"{}", content_type="text/plain").status_code == 415


def test_jobs_are_listed_in_three_queries(batcher, job, django_assert_max_num_queries):
    batcher.get("/api/v1/batches")

    with django_assert_max_num_queries(3):
        listed = batcher.get("/api/v1/batches").json()["batches"]

    assert [one["id"] for one in listed] == [job]


def test_the_sweep_sends_again_what_nobody_works_on(job, sent):
    assert [(name, queue) for name, _, queue in sent] == [
        ("inference.run_batch", "batch")
    ]
    BatchJob.objects.update(touched_at=timezone.now() - timedelta(minutes=5))

    ending.sweep_batches(actor=system_actor(ACTOR))
    ending.sweep_batches(actor=system_actor(ACTOR))

    assert len(sent) == 2


def test_results_are_forgotten_on_time_and_counts_stay(job, batcher):
    run(job)
    before = batcher.get(f"/api/v1/batches/{job}").json()
    BatchJob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    ending.sweep_batches(actor=system_actor(ACTOR))

    gone = batcher.get(f"/api/v1/batches/{job}/results")
    after = batcher.get(f"/api/v1/batches/{job}").json()
    assert (gone.status_code, gone.json()["code"]) == (404, "results_purged")
    assert not BatchItem.objects.exists()
    assert after["counts"] == before["counts"]
    assert after["decisions"] == before["decisions"]


def test_an_upload_that_broke_off_is_swept_away(batcher, db):
    past = timezone.now() - timedelta(hours=2)
    BatchJob.objects.create(
        created_at=past, touched_at=past, expires_at=past,
        api_key_id=BatchJob().pk, key_family_id=BatchJob().pk, model_name="m",
    )  # fmt: skip

    ending.sweep_batches(actor=system_actor(ACTOR))

    assert not BatchJob.objects.exists()


def test_the_command_tells_how_far_a_batch_is(job, capsys):
    run(job)
    call_command("batch_status")
    assert "No batch is open." in capsys.readouterr().out

    call_command("batch_status", job)

    assert "45 done" in capsys.readouterr().out
    assert batches.__doc__


def test_operators_see_how_far_a_batch_is_and_no_line_of_it(job, person):
    from apps.accounts.roles import Role

    client = Client()
    client.force_login(person("oskar", Role.OPERATOR))
    run(job)

    listed = client.get("/admin/inference/batchjob/")
    page = client.get(f"/admin/inference/batchjob/{job}/change/")

    assert job in listed.content.decode()
    assert "45 done" in page.content.decode()
    assert "45 allow" in page.content.decode()
    assert BENIGN not in page.content.decode()
