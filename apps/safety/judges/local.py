"""Folders of weights on this machine as judges: text or token classification.

Detoxify is one of them once ``manage.py convert_detoxify`` has made it safetensors.
A BERT-sized model takes some hundred milliseconds a text on one core: give it the role
``recorded`` unless a person may wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from apps.core.errors import PlatformError
from apps.safety.contracts import Inspection, Span
from apps.safety.judges.contracts import Judge, Judgement
from apps.safety.runtime.folder import FolderModel, Kind


class _FolderJudge(Judge):
    """Options: ``folder``, ``digest`` (of model.safetensors), ``labels``."""

    kind: Kind

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.name = name
        self._labels = _labels(name, options)
        digest = str(options.get("digest", ""))
        try:
            self._model = FolderModel(
                Path(str(options.get("folder", ""))), digest, self.kind
            )
        except (PlatformError, OSError, ValueError) as error:
            raise ImproperlyConfigured(f"Judge {name}: {error}") from error
        self.version = f"{self.kind}-1+{digest.removeprefix('sha256:')[:8]}"


class FolderTextJudge(_FolderJudge):
    """``labels`` gives for each gate the labels that speak for it."""

    kind: Kind = "text"

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        super().__init__(name, options)
        unknown = {one for many in self._labels.values() for one in many}
        unknown -= set(self._model.labels)
        if unknown:
            raise ImproperlyConfigured(
                f"Judge {name}: the model has no label {', '.join(sorted(unknown))}; "
                f"it has {', '.join(self._model.labels)}."
            )
        self.gates = frozenset(self._labels)

    def judge(self, inspection: Inspection) -> Judgement:
        chances = self._model.chances(inspection.text)
        return Judgement(
            {
                gate: max(chances[label] for label in labels)
                for gate, labels in self._labels.items()
            }
        )


class FolderTokenJudge(_FolderJudge):
    """``labels`` gives for each kind of identifier (such as NAME) the model's labels.

    It speaks about ``privacy`` and ``redaction``, and its finds can be masked.
    ``least`` is the probability from which a token counts (0.5).
    """

    kind: Kind = "tokens"
    gates = frozenset({"privacy", "redaction"})

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        super().__init__(name, options)
        self._least = float(options.get("least", 0.5))
        self._kinds = {
            label: kind for kind, labels in self._labels.items() for label in labels
        }

    def judge(self, inspection: Inspection) -> Judgement:
        found = [
            (find, self._kinds[find.label])
            for find in self._model.finds(inspection.text, self._least)
            if find.label in self._kinds
        ]
        score = max((find.chance for find, _ in found), default=0.0)
        spans = tuple(Span(find.start, find.end, kind) for find, kind in found)
        return Judgement(dict.fromkeys(sorted(self.gates), score), spans)


def _labels(name: str, options: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    given = options.get("labels")
    if not isinstance(given, Mapping) or not given:
        raise ImproperlyConfigured(
            f"Judge {name}: labels must name the model's labels."
        )
    return {str(key): tuple(map(str, labels)) for key, labels in given.items()}
