"""How far a batch is, and what came of its lines so far."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson
from django.db.models import Count, QuerySet

from apps.accounts.contracts import KeyFacts
from apps.core.errors import NotFound
from apps.inference.errors import ResultsPurged
from apps.inference.models import BatchItem, BatchJob
from apps.inference.sealing import unseal

State = BatchItem.State
JOBS_LISTED = 50
ROWS_A_READ = 500


def jobs_of_key(caller: KeyFacts) -> QuerySet[BatchJob]:
    """The accepted jobs of this line of keys, newest first."""
    return BatchJob.objects.filter(key_family_id=caller.family_id).exclude(
        state=BatchJob.State.RECEIVING
    )


def job_of_key(job_id: uuid.UUID, caller: KeyFacts) -> BatchJob:
    """The job, when this line of keys submitted it; NotFound otherwise."""
    found = jobs_of_key(caller).filter(pk=job_id).first()
    if found is None:
        raise NotFound("This key has submitted no batch with that id.")
    return found


@dataclass(frozen=True, slots=True)
class Tally:
    """Lines by state, every state named: they add up to the job's size. Answered lines
    by what the gates decided."""

    counts: dict[str, int]
    decisions: dict[str, int]


def tally_of(job: BatchJob) -> Tally:
    return tallies_of([job])[job.pk]


def tallies_of(jobs: Sequence[BatchJob]) -> dict[uuid.UUID, Tally]:
    """The tally of each job, in one query."""
    found = {job.pk: Tally(dict.fromkeys(State.values, 0), {}) for job in jobs}
    rows = BatchItem.objects.filter(job__in=jobs).order_by()
    counted = rows.values_list("job_id", "state", "decision")
    for job_id, state, decision, count in counted.annotate(count=Count("pk")):
        tally = found[job_id]
        tally.counts[state] += count
        if decision:
            tally.decisions[decision] = count
    return found | {job.pk: Tally(**job.tally) for job in jobs if job.tally}


def results_of(job: BatchJob, after: int) -> Iterator[bytes]:
    """JSON lines of every closed line behind a position, in order.

    Raises ResultsPurged, before the first line, once the results are past their time.
    """
    if job.tally is not None:
        raise ResultsPurged("The results of this batch are past their time.")
    return _result_lines(job, after)


def _result_lines(job: BatchJob, after: int) -> Iterator[bytes]:
    closed = job.items.filter(position__gt=after).exclude(
        state__in=BatchItem.OPEN_STATES
    )
    for item in closed.order_by("position").iterator(chunk_size=ROWS_A_READ):
        yield orjson.dumps(_result(item)) + b"\n"


def _result(item: BatchItem) -> dict[str, object]:
    body = orjson.loads(unseal(bytes(item.sealed), item.pk)) if item.sealed else None
    line: dict[str, object] = {
        "position": item.position,
        "id": item.custom_id or None,
        "state": item.state,
        "status": item.status_code,
        "response": body,
    }
    if item.problem_code:
        line["problem"] = {"code": item.problem_code, "detail": item.detail or None}
    return line


def render_job(job: BatchJob) -> dict[str, object]:
    """What a program is told about a job."""
    return render_jobs([job])[0]


def render_jobs(jobs: Iterable[BatchJob]) -> list[dict[str, object]]:
    listed = list(jobs)
    tallies = tallies_of(listed)
    return [_rendered(job, tallies[job.pk]) for job in listed]


def _rendered(job: BatchJob, tally: Tally) -> dict[str, object]:
    left = tally.counts[State.WAITING] + tally.counts[State.CLAIMED]
    finished = job.finished_at
    return {
        "id": str(job.pk),
        "state": job.state,
        "model": job.model_name,
        "size": job.size,
        "counts": tally.counts,
        "decisions": tally.decisions,
        "progress": round(1 - left / job.size, 4) if job.size else 0.0,
        "created_at": job.created_at.isoformat(),
        "finished_at": finished.isoformat() if finished else None,
        "expires_at": job.expires_at.isoformat(),
        "results": f"/api/v1/batches/{job.pk}/results",
    }
