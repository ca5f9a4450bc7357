"""Reading rollouts: their digest, where traffic goes, and what each arm has shown.

Arms are read from the recorded requests themselves: a request counts for the arm and
step that its record names, and a participant by their first request in the step, so
that one who writes often weighs no more than one who writes once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import (
    Case,
    CharField,
    Count,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, RowNumber
from django.utils import timezone

from apps.core.digests import digest_json
from apps.core.errors import NotFound
from apps.experiments.models import Rollout, RolloutArm, ShadowComparison
from apps.experiments.rollouts.assignment import reason_of
from apps.experiments.rollouts.guards import (
    ArmTotals,
    Findings,
    ShadowTotals,
    examine,
    waits_for,
)
from apps.experiments.rollouts.plan import CONTROL, Plan, parse_plan
from apps.experiments.rollouts.sequential import Moments
from apps.inference.models import InferenceRecord
from apps.models_registry.selectors import as_uuid

ROLLOUT_LABEL = "experiments.rollout"
REFUSING = ("block", "replace", "escalate")


def rollout_by_id(rollout_id: str) -> Rollout:
    """With its model, author and arms; NotFound when there is none."""
    found = _rollouts().filter(pk=as_uuid(rollout_id)).first()
    if found is None:
        raise NotFound(f"There is no rollout {rollout_id}.")
    return found


def running_rollouts() -> QuerySet[Rollout]:
    return _rollouts().filter(state=Rollout.State.RUNNING)


def _rollouts() -> QuerySet[Rollout]:
    return Rollout.objects.select_related("model", "author").prefetch_related(
        "arms__version"
    )


def plan_of(rollout: Rollout) -> Plan:
    return parse_plan(rollout.plan)


def arm_named(rollout: Rollout, name: str) -> RolloutArm:
    """NotFound when the rollout has no such candidate."""
    for arm in rollout.arms.all():
        if arm.name == name:
            return arm
    raise NotFound(f"The rollout has no arm {name!r}.")


def rollout_digest(rollout: Rollout) -> str:
    """What is signed for: the plan, and every version by its digest."""
    return digest_json(
        {
            "plan": rollout.plan,
            "salt": rollout.salt,
            "arms": {arm.name: arm.version_digest for arm in rollout.arms.all()},
        }
    )


# -- what arms have shown --------------------------------------------------------------
def findings_of(rollout: Rollout) -> Findings:
    """The present step, judged by everything recorded in it."""
    plan = plan_of(rollout)
    step = plan.steps[rollout.step]
    totals = {arm: _totals(rollout, arm, plan.slow_ms) for arm in (CONTROL, *plan.arms)}
    shadows = {arm: _shadow_totals(rollout, arm) for arm in step.shadow}
    return examine(plan, rollout.step, totals, shadows)


def minutes_in_step(rollout: Rollout, now: datetime | None = None) -> float:
    """How long the present step has lasted; 0 before the start."""
    if rollout.step_started_at is None:
        return 0.0
    end = rollout.ended_at or now or timezone.now()
    return max(0.0, (end - rollout.step_started_at).total_seconds() / 60.0)


def status_of(rollout: Rollout) -> dict[str, object]:
    """Where a rollout stands, as a JSON document: what it shows, what it waits for.

    An ended rollout shows the evidence it was ended with; a stopped one has none, and
    shows what was recorded until then.
    """
    minutes = minutes_in_step(rollout)
    shown: dict[str, object] = {
        "rollout": str(rollout.pk),
        "model": rollout.model.name,
        "state": rollout.state,
        "step": f"{rollout.step + 1} of {len(plan_of(rollout).steps)}",
        "minutes_in_step": round(minutes, 1),
        "end_reason": rollout.end_reason,
    }
    if rollout.ended_at is not None:
        kept = rollout.evidence or findings_of(rollout).as_dict()
        return {**shown, "findings": kept}
    findings = findings_of(rollout)
    return {
        **shown,
        "breaches": list(findings.breaches),
        "waits_for": list(waits_for(plan_of(rollout), findings, minutes)),
        "findings": findings.as_dict(),
    }


def records_of(rollout: Rollout, arm: str) -> QuerySet[InferenceRecord]:
    """The closed requests of an arm in the present step."""
    return InferenceRecord.objects.filter(
        model_name=rollout.model.name,
        created_at__gte=rollout.step_started_at or rollout.created_at,
        router_reason=reason_of(str(rollout.pk), rollout.step, arm),
    )


def _totals(rollout: Rollout, arm: str, slow_ms: float) -> ArmTotals:
    records = records_of(rollout, arm)
    predict_ms = Coalesce(
        Cast(KeyTextTransform("predict_ms", "timings"), FloatField()), Value(0.0)
    )
    found = (
        _first_of_each_unit(records)
        .annotate(predict_ms=predict_ms)
        .annotate(
            is_escalation=_flag(decision="escalate"),
            is_block=_flag(decision__in=("block", "replace")),
            is_redaction=_flag(verdicts__output__redaction__decision="mask"),
            is_error=_flag(decision="unavailable"),
            is_slow=_flag(predict_ms__gt=slow_ms),
            squared_ms=ExpressionWrapper(
                F("predict_ms") * F("predict_ms"), output_field=FloatField()
            ),
        )
        .aggregate(
            units=Count("pk"),
            escalations=Sum("is_escalation"),
            blocks=Sum("is_block"),
            redactions=Sum("is_redaction"),
            errors=Sum("is_error"),
            slow=Sum("is_slow"),
            total_ms=Sum("predict_ms"),
            squares=Sum("squared_ms"),
        )
    )
    units = found.pop("units")
    total_ms, squares = found.pop("total_ms") or 0.0, found.pop("squares") or 0.0
    return ArmTotals(
        requests=records.count(),
        units=units,
        events={guard: events or 0 for guard, events in found.items()},
        latency=Moments(units, total_ms, squares),
    )


def _first_of_each_unit(
    records: QuerySet[InferenceRecord],
) -> QuerySet[InferenceRecord]:
    """A participant's first request; every request that names no participant."""
    unit = Case(
        When(participant_digest="", then=Cast("id", CharField())),
        default=F("participant_digest"),
    )
    place = Window(
        RowNumber(),
        partition_by=[F("key_family_id"), F("unit")],
        order_by=[F("created_at").asc(), F("id").asc()],
    )
    return records.annotate(unit=unit).annotate(place=place).filter(place=1)


def _flag(**condition: object) -> Case:
    return Case(
        When(Q(**condition), then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )


def _shadow_totals(rollout: Rollout, arm: str) -> ShadowTotals:
    refused = Q(shadow_decision__in=REFUSING)
    served = Q(served_decision__in=REFUSING)
    found = ShadowComparison.objects.filter(
        rollout=rollout, step=rollout.step, arm=arm
    ).aggregate(
        compared=Count("pk"),
        same_reply=Count("pk", filter=Q(is_same_reply=True)),
        shadow_refused=Count("pk", filter=refused & ~served),
        served_refused=Count("pk", filter=served & ~refused),
        failed=Count("pk", filter=Q(shadow_decision="unavailable")),
    )
    return ShadowTotals(**found)


# -- where traffic goes ----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Traffic:
    """The running rollout of a model, as the router needs it."""

    rollout_id: str
    salt: str
    step: int
    plan: Plan
    versions: dict[str, str]
    control_id: str


def traffic_of(model_name: str) -> Traffic | None:
    """None while no rollout of this model runs."""
    rollout = running_rollouts().filter(model__name=model_name).first()
    if rollout is None:
        return None
    versions = {arm.name: str(arm.version_id) for arm in rollout.arms.all()}
    control_id = versions.pop(CONTROL)
    return Traffic(
        str(rollout.pk), rollout.salt, rollout.step, plan_of(rollout), versions,
        control_id,
    )  # fmt: skip


# -- preview ---------------------------------------------------------------------------
def preview_of(rollout: Rollout) -> dict[str, object]:
    """What a rollout would touch, from the last seven days' requests of its model."""
    since = timezone.now() - timedelta(days=7)
    week = InferenceRecord.objects.filter(
        model_name=rollout.model.name, created_at__gte=since
    ).aggregate(
        requests=Count("pk"),
        participants=Count("participant_digest", distinct=True),
        callers=Count("key_family_id", distinct=True),
    )
    plan = plan_of(rollout)
    return {
        "model": rollout.model.name,
        "arms": [
            {
                "arm": arm.name,
                "version": arm.version.number,
                "digest": arm.version_digest,
            }
            for arm in rollout.arms.all()
        ],
        "last_seven_days": week,
        "steps": [
            {
                "step": number,
                "shadow": ", ".join(step.shadow) or "none",
                **{arm: f"{step.share(arm):.1%}" for arm in sorted(plan.arms)},
                "requests_a_day": round(
                    week["requests"] / 7 * (1.0 - step.share(CONTROL))
                ),
                "least_minutes": step.minutes,
                "least_units": step.units,
            }
            for number, step in enumerate(plan.steps)
        ],
        "guards": dict(plan.guards),
        "slow_ms": plan.slow_ms,
        "false_alarms": plan.false_alarms,
        "served_from_cache_s": settings.PE_SERVING_CACHE_S,
    }
