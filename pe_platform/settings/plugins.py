"""Plug-ins, one line each, and the numbers that bound what they do."""

from __future__ import annotations

from pe_platform.settings import env

# -- approvals: what can be signed for -------------------------------------------------
PE_APPROVAL_SUBJECTS: dict[str, str] = {
    "datasets.datasetversion": "apps.datasets.subjects.DatasetVersionSubject",
    "datasets.datasetgrant": "apps.datasets.grant_subject.DatasetGrantSubject",
    "models_registry.modelversion": "apps.models_registry.subjects.ModelVersionSubject",
    "safety.safetypolicy": "apps.safety.subjects.SafetyPolicySubject",
}

# -- datasets --------------------------------------------------------------------------
PE_DATASET_VALIDATORS = [
    "apps.datasets.validators.schema.SchemaValidator",
    "apps.datasets.validators.duplicates.DuplicateValidator",
    "apps.datasets.validators.identifiers.IdentifierValidator",
    "apps.datasets.validators.hazards.HazardValidator",
    "apps.datasets.validators.balance.BalanceValidator",
    "apps.datasets.validators.licence.LicenceValidator",
]
# SPDX identifiers of licences under which rows may be used.
PE_DATASET_LICENCES = env.words(
    "PE_DATASET_LICENCES", ("CC0-1.0", "CC-BY-4.0", "Apache-2.0", "MIT")
)
PE_DATASET_MAX_ROW_BYTES = env.integer(
    "PE_DATASET_MAX_ROW_BYTES", 1 << 20, minimum=1 << 10, maximum=1 << 26
)
PE_DATASET_MAX_FILE_BYTES = env.integer(
    "PE_DATASET_MAX_FILE_BYTES", 2 << 30, minimum=1 << 10, maximum=1 << 40
)

# How identifiers in rows are hidden from programs with a grant.
PE_DATASET_MASKS = "apps.safety.dataset_masks.PrivacyGateMasks"

# -- gates: in the order of every policy -----------------------------------------------
PE_GATES = [
    "apps.safety.gates.crisis.CrisisGate",
    "apps.safety.gates.toxicity.ToxicityGate",
    "apps.safety.gates.privacy.PrivacyGate",
    "apps.safety.gates.bias.BiasGate",
    "apps.safety.gates.appropriateness.AppropriatenessGate",
    "apps.safety.gates.redaction.RedactionGate",
]
PE_DEFAULT_POLICY = "default"

# -- models, training and evaluation ---------------------------------------------------
PE_TRAINING_RUNNERS = [
    "apps.models_registry.runners.reply_ranker.runner.ReplyRankerRunner",
]
PE_MODEL_ADAPTERS = [
    "apps.models_registry.adapters.reply_ranker.ReplyRankerOnnxAdapter",
]
# A version is a candidate once each of these has reported on it.
PE_REQUIRED_EVALUATORS = ("accuracy", "fairness", "safety")
# A worker that says nothing for a lease loses its run; it speaks every heartbeat.
PE_TRAINING_LEASE_S = env.integer("PE_TRAINING_LEASE_S", 30, minimum=2, maximum=3600)
PE_TRAINING_HEARTBEAT_S = env.integer(
    "PE_TRAINING_HEARTBEAT_S", 5, minimum=1, maximum=600
)
PE_TRAINING_ATTEMPTS = 5
# Memory that loaded models of one process may hold together (MiB).
PE_MODEL_POOL_MIB = env.integer("PE_MODEL_POOL_MIB", 512, minimum=16, maximum=1 << 20)
# How long a process may go on with the policy it read last (s).
PE_POLICY_CACHE_S = 1.0
PE_EVALUATORS = [
    "apps.experiments.evaluators.accuracy.AccuracyEvaluator",
    "apps.experiments.evaluators.fairness.FairnessEvaluator",
    "apps.experiments.evaluators.safety.SafetyEvaluator",
]
# The dataset whose newest frozen version the safety evaluator measures on.
PE_SAFETY_SUITE_DATASET = env.text("PE_SAFETY_SUITE_DATASET", "safety-suite")
