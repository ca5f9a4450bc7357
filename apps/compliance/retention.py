"""What is kept, where and how long: one table, and a person's holdings among it.

``OTHER`` lists what belongs to no participant. A test compares the tables named here
with those that exist, so that a new one cannot be kept without a line.
"""

from __future__ import annotations

from django.conf import settings

from apps.compliance.contracts import Holding, Kept
from apps.core.plugins import load_family

FOREVER, NOTHING = "without end", "nothing"
HEADINGS = ("What", "Where", "Holds", "How long", "Ended by", "On erasure", "Why")
OTHER: tuple[Kept, ...] = (
    Kept(
        name="Audit log",
        tables=("audit.auditentry", "audit.auditchain", "file PE_CHECKPOINT_FILE"),
        holds="Who did what to which thing, digests, reasons that staff gave",
        period=FOREVER,
        ends_by=NOTHING,
        erasure="kept: it names nobody who is not staff, and the chain must verify",
        why="evidence",
    ),
    Kept(
        name="People's keys",
        tables=("folder PE_SUBJECT_KEY_DIR",),
        holds="One wrapped key a participant; ids of destroyed keys",
        period="until erasure",
        ends_by="manage.py subject_erase",
        erasure="overwritten and removed; the id of the key stays",
        why="what was sealed opens with nothing else",
    ),
    Kept(
        name="Requests of data subjects, rotations, exports of evidence",
        tables=(
            "compliance.subjectrequest",
            "compliance.keyrotation",
            "compliance.evidencebundle",
        ),
        holds="Kind, a digest that names the participant, dates, certificates",
        period=FOREVER,
        ends_by=NOTHING,
        erasure="kept: the proof that it was done",
        why="accountability",
    ),
    Kept(
        name="Datasets",
        tables=(
            "datasets.dataset",
            "datasets.datasetversion",
            "datasets.datasetgrant",
            "datasets.validationreport",
            "datasets.validationfinding",
            "folder MEDIA_ROOT",
        ),
        holds="Rows as they were ingested, in files that are not sealed; reports "
        "without values",
        period=FOREVER,
        ends_by=NOTHING,
        erasure="not reached: rows do not say whose they are",
        why="a model is evidence only with the data it was trained on",
    ),
    Kept(
        name="Models and their evidence",
        tables=(
            "models_registry.aliaschange", "models_registry.artifact",
            "models_registry.checkpoint", "models_registry.evaluationreport",
            "models_registry.manifestdataset", "models_registry.metricpoint",
            "models_registry.modelalias", "models_registry.modelversion",
            "models_registry.registeredmodel", "models_registry.trainingmanifest",
            "models_registry.trainingrun", "models_registry.endpointsecret",
            "experiments.sweep", "experiments.trial", "experiments.rollout",
            "experiments.rolloutarm", "experiments.promotionpolicy",
            "experiments.acceptedrisk",
        ),
        holds="Versions, manifests, runs, reports, rollouts, who promoted what; sealed "
        "secrets of model endpoints",
        period=FOREVER,
        ends_by=NOTHING,
        erasure="not reached: nothing in it is linked to a participant",
        why="governed rows are never deleted",
    ),
    Kept(
        name="Comparisons of answers",
        tables=(
            "experiments.shadowcomparison", "safety.judgedisagreement",
            "inference.batchjob",
        ),
        holds="Decisions, scores, times and counts, a keyed digest of the text; no "
        "words and no name of a participant",
        period=FOREVER,
        ends_by=NOTHING,
        erasure="kept: it names nobody",
        why="evidence of how versions and judges differ, and that counts add up",
    ),
    Kept(
        name="Approvals and policies",
        tables=(
            "approvals.approvalrequest", "approvals.signoff", "safety.safetypolicy",
        ),
        holds="What was signed by whom and why",
        period=FOREVER,
        ends_by=NOTHING,
        erasure="not about participants",
        why="evidence",
    ),
    Kept(
        name="Staff, keys of programs, permissions",
        tables=(
            "accounts.user", "accounts.user_groups", "accounts.user_user_permissions",
            "accounts.apikey", "accounts.tier", "accounts.quotausage", "auth.group",
            "accounts.authenticator", "accounts.recoverycode",
            "auth.group_permissions", "auth.permission", "admin.logentry",
            "guardian.groupobjectpermission", "guardian.userobjectpermission",
            "contenttypes.contenttype",
        ),
        holds="Names and e-mail addresses of staff, hashes of passwords and keys, "
        "sealed second factors",
        period="without end; people are deactivated, not deleted",
        ends_by=NOTHING,
        erasure="not about participants",
        why="an entry in the log must be traceable to a person",
    ),
    Kept(
        name="Sign-in attempts and sessions",
        tables=(
            "axes.accessattempt", "axes.accessattemptexpiration",
            "axes.accessfailurelog", "axes.accesslog", "sessions.session",
        ),
        holds="Names and network addresses of who tried to sign in as staff",
        period="sessions 8 hours; attempts without end",
        ends_by="manage.py clearsessions, manage.py axes_reset_logs",
        erasure="not about participants",
        why="to lock out who guesses passwords",
    ),
    Kept(
        name="Timetable of tasks",
        tables=(
            "django_celery_beat.clockedschedule", "django_celery_beat.crontabschedule",
            "django_celery_beat.intervalschedule", "django_celery_beat.periodictask",
            "django_celery_beat.periodictasks", "django_celery_beat.solarschedule",
        ),
        holds="Names of tasks and when they run",
        period=FOREVER,
        ends_by=NOTHING,
        erasure="not about participants",
        why="operation",
    ),
)  # fmt: skip


def holdings() -> dict[str, Holding]:
    """What is kept of participants, by name, in the order of the settings."""
    kinds = load_family(settings.PE_PERSONAL_HOLDINGS, Holding)  # type: ignore[type-abstract]
    return {name: kind() for name, kind in kinds.items()}


def retention_table() -> tuple[Kept, ...]:
    """Everything that is kept: participants' data first."""
    return (*(one.kept for one in holdings().values()), *OTHER)


def as_markdown() -> str:
    """The table as docs/compliance/retention.md shows it."""
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        f"| {' | '.join('---' for _ in HEADINGS)} |",
    ]
    for kept in retention_table():
        where = ", ".join(f"`{table}`" for table in kept.tables)
        cells = (
            kept.name, where, kept.holds, kept.period, kept.ends_by, kept.erasure,
            kept.why,
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
