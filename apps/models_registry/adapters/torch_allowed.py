"""Which architectures a bundle of safetensors may declare: encoders that classify.

A name on this list is code of the transformers package. Anything that would bring code
of its own is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

ALLOWED: dict[str, str] = {
    "BertForSequenceClassification": "bert",
    "DistilBertForSequenceClassification": "distilbert",
    "RobertaForSequenceClassification": "roberta",
    "XLMRobertaForSequenceClassification": "xlm-roberta",
    "ElectraForSequenceClassification": "electra",
    "AlbertForSequenceClassification": "albert",
    "DebertaV2ForSequenceClassification": "deberta-v2",
    "MPNetForSequenceClassification": "mpnet",
    "ModernBertForSequenceClassification": "modernbert",
}


def check_config(config: Mapping[str, object]) -> None:
    """ValueError unless a config.json declares one allowed architecture and no code."""
    declared = config.get("architectures")
    if not isinstance(declared, list) or len(declared) != 1:
        raise ValueError("config.json has to declare exactly one architecture")
    if declared[0] not in ALLOWED or config.get("model_type") != ALLOWED[declared[0]]:
        raise ValueError(
            "config.json declares an architecture that is not allowed; allowed are: "
            + ", ".join(ALLOWED)
        )
    brings_code = [key for key in ("auto_map", "custom_pipelines") if key in config]
    if brings_code:
        raise ValueError(f"config.json has {brings_code[0]}, which names code to run")
