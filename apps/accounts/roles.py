"""Roles as code: what each kind of person and each part of the platform may do.

`manage.py sync_roles` makes the database agree with this file; nobody edits groups by
hand. A permission is a Django name, ``app_label.codename``.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    CLINICIAN = "clinician"
    COMPLIANCE = "compliance_officer"
    RESPONDER = "responder"


# Every role may look; what it may do beyond that is listed by verb.
VIEW_MODELS = (
    "datasets.dataset", "datasets.datasetversion", "datasets.validationreport",
    "datasets.validationfinding", "datasets.datasetgrant",
    "models_registry.registeredmodel", "models_registry.modelversion",
    "models_registry.trainingmanifest", "models_registry.trainingrun",
    "models_registry.metricpoint", "models_registry.checkpoint",
    "models_registry.artifact", "models_registry.evaluationreport",
    "models_registry.modelalias", "models_registry.aliaschange",
    "models_registry.endpointsecret",
    "safety.safetypolicy",
    "approvals.approvalrequest", "approvals.signoff",
    "experiments.rollout", "experiments.rolloutarm", "experiments.shadowcomparison",
    "experiments.sweep", "experiments.trial",
    "experiments.promotionpolicy", "experiments.acceptedrisk",
)  # fmt: skip
VIEW = frozenset(
    f"{label.split('.')[0]}.view_{label.split('.')[1]}" for label in VIEW_MODELS
)
ESCALATION_DESK = frozenset(
    {
        "safety.view_escalation",
        "safety.view_escalationstep",
        "safety.view_notificationattempt",
        "safety.read_escalationtext",
        "safety.acknowledge_escalation",
        "safety.reassign_escalation",
        "safety.resolve_escalation",
    }
)
# Whoever may sign for a rollout may also stop it.
SIGN = frozenset({"approvals.sign_approvalrequest", "experiments.stop_rollout"})

ROLE_PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.OPERATOR: VIEW
    | {
        "datasets.add_dataset",
        "datasets.add_datasetversion",
        "datasets.ingest_datasetversion",
        "datasets.validate_datasetversion",
        "datasets.submit_datasetversion",
        "datasets.freeze_datasetversion",
        "datasets.retire_datasetversion",
        "datasets.add_datasetgrant",
        "datasets.revoke_datasetgrant",
        "models_registry.add_registeredmodel",
        "models_registry.add_trainingmanifest",
        "models_registry.queue_trainingrun",
        "models_registry.cancel_trainingrun",
        "models_registry.evaluate_modelversion",
        "models_registry.submit_modelversion",
        "models_registry.promote_modelversion",
        "models_registry.rollback_modelalias",
        "models_registry.retire_modelversion",
        "models_registry.set_endpointsecret",
        "safety.add_safetypolicy",
        "safety.submit_safetypolicy",
        "inference.view_batchjob",
        "accounts.view_apikey",
        "accounts.add_apikey",
        "accounts.rotate_apikey",
        "accounts.revoke_apikey",
        "accounts.view_tier",
        "approvals.withdraw_approvalrequest",
        "experiments.add_promotionpolicy",
        "experiments.add_sweep",
        "experiments.cancel_sweep",
        "experiments.add_rollout",
        "experiments.submit_rollout",
        "experiments.start_rollout",
        "experiments.step_rollout",
        "experiments.stop_rollout",
    },
    Role.REVIEWER: VIEW | SIGN,
    Role.CLINICIAN: VIEW
    | SIGN
    | ESCALATION_DESK
    | {
        "safety.add_safetypolicy",
        "safety.submit_safetypolicy",
        "experiments.add_promotionpolicy",
        "experiments.add_acceptedrisk",
        "inference.view_inferencerecord",
        "inference.replay_inferencerecord",
        "inference.read_kepttext",
        "safety.report_escalation",
        "safety.view_judgedisagreement",
        "safety.review_judgedisagreement",
    },
    Role.COMPLIANCE: VIEW
    | SIGN
    | {
        "audit.view_auditentry",
        "audit.verify_auditentry",
        "experiments.add_promotionpolicy",
        "experiments.add_acceptedrisk",
        "datasets.revoke_datasetgrant",
        "datasets.trace_datasetgrant",
        "compliance.view_subjectrequest",
        "compliance.add_subjectrequest",
        "compliance.verify_subjectrequest",
        "compliance.fulfil_subjectrequest",
        "compliance.view_keyrotation",
        "compliance.view_evidencebundle",
        "compliance.export_evidencebundle",
        "audit.export_auditentry",
        "accounts.view_user",
        "accounts.add_user",
        "accounts.change_user",
        "accounts.view_apikey",
        "accounts.revoke_apikey",
        "accounts.view_tier",
        "accounts.change_tier",
        "safety.view_escalation",
        "safety.view_escalationstep",
        "safety.view_notificationattempt",
        "safety.report_escalation",
        "safety.view_judgedisagreement",
        "safety.export_judgedisagreement",
        "inference.view_inferencerecord",
        "inference.replay_inferencerecord",
    },
    Role.RESPONDER: ESCALATION_DESK,
}

# Parts of the platform that act without a person at the keyboard.
SYSTEM_PERMISSIONS: dict[str, frozenset[str]] = {
    # What `make run` and operators at the shell need to bring people in.
    "bootstrap": frozenset(
        {
            "accounts.add_user",
            "accounts.change_user",
            "accounts.sync_roles",
            "accounts.sync_tiers",
        }
    ),
    "inference": frozenset({"safety.open_escalation"}),
    "batch": frozenset({"inference.run_batchjob"}),
    "escalation": frozenset({"safety.sweep_escalation"}),
    "reporting": frozenset(
        {"safety.report_escalation", "safety.export_judgedisagreement"}
    ),
    "trainer": frozenset(
        {"models_registry.run_trainingrun", "models_registry.add_modelversion"}
    ),
    "evaluator": frozenset({"models_registry.evaluate_modelversion"}),
    "sweeps": frozenset({"experiments.advance_sweep"}),
    "rollouts": frozenset({"experiments.watch_rollout"}),
    "shadow": frozenset({"experiments.add_shadowcomparison"}),
    "maintenance": frozenset(
        {
            "audit.checkpoint_auditentry",
            "audit.verify_auditentry",
            "approvals.expire_approvalrequest",
            "compliance.rotate_keys",
            "compliance.repeat_subjectrequest",
        }
    ),
}
