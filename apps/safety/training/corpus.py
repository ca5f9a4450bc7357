"""Reading the labelled folder: which file speaks about which head, and how loudly.

Weights follow the folder's README: gold crisis 3, synthetic 1, weak 0.3; Davidson down
(dialect bias); toxic spans are never read as a classifier's text. Raises InvalidInput
naming file and line for rows that are not what the README promises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.core.errors import InvalidInput
from apps.safety.training.examples import Example

# A row of a source file: JSON of a shape each source chose for itself.
Row = Mapping[str, Any]
Labels = dict[str, int]

TOXIC_HEADS = ("toxic", "hate", "threat", "sexual", "insult")
_ABOUT_SELF_HARM = re.compile(
    r"suicid|kill(?:ing|ed)? (?:my|your|him|her|them)sel|\bkms\b|\bkys\b|self.?harm"
    r"|end (?:my|it)|want(?:ed)? to die|\bcut(?:ting)? my|overdos",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Source:
    """A file, how its rows become labels, and the weight of one row."""

    path: str
    read: Callable[[Row], Labels]
    weight: float = 1.0
    gold: bool = False

    @property
    def name(self) -> str:
        return Path(self.path).stem


def _crisis(row: Row) -> Labels:
    labels = row["labels"]
    risk = labels["risk"]
    return {
        "crisis": int(labels["self_harm"]),
        "crisis_high": int(risk in ("high", "imminent")),
    }


def _crisis_weak(row: Row) -> Labels:
    """Keyword labels miss passive ideation, so low risk says nothing here."""
    return {} if row["labels"]["risk"] == "low" else _crisis(row)


def _toxic(row: Row) -> Labels:
    labels = {h: int(row["labels"][h]) for h in TOXIC_HEADS if h in row["labels"]}
    if "threat" in labels:
        labels["violence"] = labels["threat"]
    if not _ABOUT_SELF_HARM.search(row["text"]) and len(row["text"]) % 3 == 0:
        labels |= {"crisis": 0, "crisis_high": 0}
    return labels


def _calm(row: Row) -> Labels:
    """General talk with a toxicity label is also evidence of no threat."""
    labels = _toxic(row)
    if not labels["toxic"]:
        labels |= {"threat": 0, "sexual": 0, "insult": 0, "hate": 0, "violence": 0}
    return labels


def _stereotype(row: Row) -> Labels:
    return {"stereotype": int(row["labels"].get("stereotype", 0))}


def _reply(row: Row) -> Labels:
    return {"inappropriate": 1 - int(row["labels"]["appropriate"])}


def _answer(row: Row) -> Labels:
    return _reply(row) | {"crisis": 0, "crisis_high": 0, "violence": 0, "toxic": 0}


SOURCES: tuple[Source, ...] = (
    Source("crisis/cssrs_suicidewatch_human.jsonl", _crisis, 3.0, gold=True),
    Source("crisis/cssrs_postlevel.jsonl", _crisis, 1.0, gold=True),
    Source("crisis/counselchat_questions_weak.jsonl", _crisis_weak, 0.3),
    Source("crisis/goemotions_negatives_weak.jsonl", _crisis, 0.3),
    Source("crisis/diasafety_contexts_weak.jsonl", _crisis_weak, 0.3),
    Source("crisis/hh_user_turns_weak.jsonl", _crisis_weak, 0.3),
    Source("crisis/synthetic_crisis_chat.jsonl", _crisis, 1.0),
    Source("toxicity/davidson2017.jsonl", _toxic, 0.3),
    Source("toxicity/edos_train.jsonl", _toxic, 0.7),
    Source("toxicity/hatemojibuild.jsonl", _toxic, 1.0),
    Source("toxicity/convabuse.jsonl", _toxic, 1.0),
    Source("toxicity/stormfront_vicomtech.jsonl", _toxic, 1.0),
    Source("toxicity/toxigen_safenlp.jsonl", _toxic, 1.0),
    Source("toxicity/implicit_hate_safenlp.jsonl", _toxic, 0.5),
    Source("toxicity/wikitalk_context_toxicity.jsonl", _calm, 1.0),
    Source("toxicity/wikipedia_toxicity_conversationai.jsonl", _calm, 1.0),
    Source("bias/redditbias.jsonl", _stereotype, 1.0),
    Source("bias/stereoset_dev_subset.jsonl", _stereotype, 1.0),
    Source("bias/toxigen_bias_view.jsonl", _stereotype, 1.0),
    Source("bias/edos_bias_view.jsonl", _stereotype, 0.7),
    Source("bias/seegull_tuples.jsonl", _stereotype, 0.3),
    Source("bias/winobias_counterfactual_probe.jsonl", _stereotype, 0.3),
    Source("appropriateness/diasafety.jsonl", _reply, 1.0),
    Source("appropriateness/counselchat_answers.jsonl", _answer, 0.3),
    Source("appropriateness/safetext.jsonl", _reply, 1.0),
    Source("appropriateness/hh_harmless_pairs_weak.jsonl", _reply, 0.3),
)


def _doubts(source: Source, labels: Labels) -> dict[str, float]:
    """Lower weights where a file's label says little about a head."""
    doubts = {}
    if not source.path.startswith("crisis/"):
        doubts = {"crisis": 0.5, "crisis_high": 0.5}
    if source.name == "edos_train" and not labels["toxic"]:
        # Only sexism was labelled: other rudeness stands among the negatives.
        doubts["toxic"] = 0.5
    return doubts


def _example(source: Source, row: Row) -> Example:
    labels = source.read(row)
    return Example(
        text=row["text"],
        labels=labels,
        source=source.name,
        context=tuple(row.get("context") or ()),
        weight=source.weight,
        dev=row["split"] == "dev",
        group=str(row["labels"].get("group") or row["labels"].get("category") or ""),
        gold=source.gold,
        weights=_doubts(source, labels),
    )


def read_source(folder: Path, source: Source) -> Iterator[Example]:
    """Examples of one file, in file order."""
    path = folder / source.path
    try:
        lines = path.open(encoding="utf-8")
    except FileNotFoundError as error:
        raise InvalidInput(f"Training data lacks {source.path}.") from error
    with lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield _example(source, json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InvalidInput(
                    f"{source.path} line {number}: expected one JSON object with text, "
                    f"labels and split, found {type(error).__name__}."
                ) from error


def data_folder(root: Path) -> Path:
    """The folder holding crisis/, toxicity/ and the rest, at ``root`` or under it."""
    return root / "gates" if (root / "gates").is_dir() else root
