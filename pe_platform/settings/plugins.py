"""Plug-ins, one line each, and the numbers that bound what they do."""

from __future__ import annotations

from pe_platform.settings import env

# -- approvals: what can be signed for -------------------------------------------------
PE_APPROVAL_SUBJECTS: dict[str, str] = {
    "datasets.datasetversion": "apps.datasets.subjects.DatasetVersionSubject",
    "datasets.datasetgrant": "apps.datasets.grant_subject.DatasetGrantSubject",
    "models_registry.modelversion": "apps.models_registry.subjects.ModelVersionSubject",
    "safety.safetypolicy": "apps.safety.subjects.SafetyPolicySubject",
    "experiments.rollout": "apps.experiments.subjects.RolloutSubject",
    "experiments.promotionpolicy": "apps.experiments.subjects.PromotionPolicySubject",
    "experiments.acceptedrisk": "apps.experiments.subjects.AcceptedRiskSubject",
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
# Second judges by name, as JSON: {"guard": {"class": "apps.safety.judges...", ...}}.
# They speak only where the policy in force gives them a seat; see docs/gates/judges.md.
PE_JUDGES = env.json_object("PE_JUDGES")
# Bearer token for remote judges.
PE_JUDGE_API_KEY = env.text("PE_JUDGE_API_KEY")

# -- models, training and evaluation ---------------------------------------------------
PE_TRAINING_RUNNERS = [
    "apps.models_registry.runners.reply_ranker.runner.ReplyRankerRunner",
    "apps.models_registry.runners.llm_remote.runner.LlmRemoteRunner",
    "apps.models_registry.runners.bundle.runner.BundleRunner",
    "apps.models_registry.runners.text_classifier.runner.TextClassifierRunner",
]
PE_MODEL_ADAPTERS = [
    "apps.models_registry.adapters.reply_ranker.ReplyRankerOnnxAdapter",
    "apps.models_registry.adapters.llm_remote.LlmRemoteAdapter",
    "apps.models_registry.adapters.text_classifier_onnx.TextClassifierOnnxAdapter",
    "apps.models_registry.adapters.text_classifier_torch.TextClassifierTorchAdapter",
    "apps.models_registry.adapters.text_classifier_tflite.TextClassifierTfliteAdapter",
    "apps.models_registry.adapters.remote_tensor.RemoteTensorAdapter",
]
# Networks that remote models may be in beside the public internet, such as
# 10.1.0.0/16 or 127.0.0.1/32; an endpoint at any other private, link-local or loopback
# address is refused, and plain http works in these networks alone.
PE_REMOTE_NETWORKS = env.networks("PE_REMOTE_NETWORKS")
# Model servers on private networks or over plain http: host:port,host:port
PE_REMOTE_ALLOWED_HOSTS = env.words("PE_REMOTE_ALLOWED_HOSTS")
# Bearer tokens of model servers, by the name an endpoint.json gives: name:token,...
PE_REMOTE_TOKENS = env.named_secrets("PE_REMOTE_TOKENS")
# Folders a manifest may start from, by name and digest; nothing is ever fetched.
PE_BASE_MODELS_DIR = env.text("PE_BASE_MODELS_DIR")
# A version is a candidate once each of these has reported on it.
PE_REQUIRED_EVALUATORS = ("accuracy", "fairness", "safety")
# May refuse a version for what its reports say, before it is submitted or promoted.
PE_PROMOTION_RULE = "apps.experiments.promotion.gatekeeper.PolicyRule"
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
    "apps.experiments.evaluators.calibration.CalibrationEvaluator",
    "apps.experiments.evaluators.latency.LatencyEvaluator",
]
# The dataset whose newest frozen version the safety evaluator measures on.
PE_SAFETY_SUITE_DATASET = env.text("PE_SAFETY_SUITE_DATASET", "safety-suite")
