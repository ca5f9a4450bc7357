"""Each of the 18 HIPAA identifiers, in sentences, through the gate as it is served."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.safety import assembly
from apps.safety.contracts import Stage
from apps.safety.gates.identifiers import gazetteer
from apps.safety.gates.privacy import PrivacyGate
from apps.safety.hipaa import FINDERS, Example, SafeHarborKind, safe_harbor
from apps.safety.masking import mask
from apps.safety.policy import default_policy
from tests.safety.support import said

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gates" / "hipaa.md"
FOLDER = Path(gazetteer.__file__).parent
CASES = [(kind, one) for kind in safe_harbor() for one in kind.examples]


@pytest.mark.parametrize(
    ("kind", "example"),
    CASES,
    ids=[f"{kind.letter}-{one.value}" for kind, one in CASES],
)
def test_the_identifier_is_masked_as_its_kind(
    kind: SafeHarborKind, example: Example
) -> None:
    gate = PrivacyGate(assembly.gate_kit())
    thresholds = default_policy().thresholds("privacy", Stage.INPUT)

    verdict = gate.inspect(said(example.text), thresholds)

    delivered = mask(example.text, verdict.spans)
    parts = [part for part in re.findall(r"\w+", example.value) if len(part) > 1]
    left = [part for part in parts if re.search(rf"\b{part}\b", delivered)]
    assert left == []
    assert {span.type for span in verdict.spans} & set(kind.kinds)


def test_there_are_18_with_several_examples_each() -> None:
    assert len(safe_harbor()) == 18
    assert all(len(kind.examples) >= 3 for kind in safe_harbor())


def test_every_finder_named_is_there() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")}

    assert set(FINDERS) - {"tagger"} <= modules


def test_the_page_is_what_the_code_generates() -> None:
    out = io.StringIO()

    call_command("hipaa_identifiers", stdout=out)

    assert PAGE.read_text("utf-8") == out.getvalue(), (
        "Write the page again: manage.py hipaa_identifiers > docs/gates/hipaa.md"
    )
