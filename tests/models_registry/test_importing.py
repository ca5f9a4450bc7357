"""Models from elsewhere: verified files, a manifest, a run that tries them."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from apps.core.errors import InvalidInput
from apps.models_registry import serving
from apps.models_registry.contracts import TextRequest
from apps.models_registry.errors import ManifestInvalid
from apps.models_registry.models import Artifact, ModelVersion, TrainingRun
from apps.models_registry.selectors import as_servable, lineage_of
from apps.models_registry.services import Bundle, create_manifest, import_bundle
from apps.models_registry.training import run_training
from tests.models_registry import bundles

pytestmark = pytest.mark.django_db
ADAPTER = "text_classifier_onnx"


@pytest.fixture
def folder(tmp_path):
    for name, content in bundles.onnx_bundle().items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "README.md").write_text("left alone")
    return tmp_path


def bundle(messages, **changes) -> Bundle:
    return Bundle(
        **{
            "model_name": "support-reply",
            "adapter": ADAPTER,
            "files": bundles.onnx_bundle(),
            "messages_digest": messages.digest,
            "code_revision": "test",
            **changes,
        }
    )


def test_a_folder_becomes_a_version_with_its_lineage(
    operator, messages, model, folder, capsys
):
    call_command(
        "import_model", "support-reply", str(folder), "--adapter", ADAPTER,
        "--messages", messages.digest, "--as", "olga",
    )  # fmt: skip
    version = run_training(capsys.readouterr().out.strip())

    found = lineage_of(version)
    assert version.adapter == ADAPTER
    assert version.state == ModelVersion.State.DRAFT
    assert version.signature["labels"] == list(bundles.LABELS)
    assert set(found.artifacts) == {"model.onnx", "tokenizer.json", "classifier.json"}
    assert found.datasets == {"messages": messages.digest}
    assert version.run.metrics.get(name="messages_tried").value > 0
    with serving.loaded(as_servable(version)) as adapter:
        assert adapter.predict([TextRequest("i sleep badly")])[0].labels


def test_files_that_do_not_load_never_become_a_version(operator, messages, model):
    files = {**bundles.onnx_bundle(), "model.onnx": b"no graph"}
    run = import_bundle(actor=operator, bundle=bundle(messages, files=files))

    with pytest.raises(Exception, match="no graph that loads"):
        run_training(str(run.pk))

    run.refresh_from_db()
    assert (run.state, run.failure_code) == ("failed", "artifact_damaged")
    assert not ModelVersion.objects.exists()


BAD_SETTINGS = {
    "labels missing": b"{}",
    "one label": b'{"labels": ["a"]}',
    "unknown member": b'{"labels": ["a", "b"], "code": "x"}',
    "no json": b"\xff",
    "another number of labels": b'{"labels": ["a", "b"]}',
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_settings_that_do_not_fit_are_refused(operator, messages, model, name):
    files = {**bundles.onnx_bundle(), "classifier.json": BAD_SETTINGS[name]}
    run = import_bundle(actor=operator, bundle=bundle(messages, files=files))

    with pytest.raises(Exception, match=r"classifier\.json|could not answer"):
        run_training(str(run.pk))

    assert TrainingRun.objects.get().state == "failed"


def test_other_files_and_unknown_adapters_are_refused(operator, messages, model):
    more = {**bundles.onnx_bundle(), "evil.pkl": b""}

    with pytest.raises(InvalidInput, match="exactly these files"):
        import_bundle(actor=operator, bundle=bundle(messages, files=more))
    with pytest.raises(InvalidInput, match="no model adapter"):
        import_bundle(actor=operator, bundle=bundle(messages, adapter="pickle"))

    assert not Artifact.objects.filter(path__contains="evil").exists()
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize(
    "chosen", [{}, {"adapter": ADAPTER}, {"adapter": ADAPTER, "model.onnx": 3}]
)
def test_a_manifest_that_names_no_files_is_refused(
    operator, document, messages, chosen
):
    changed = {
        **document,
        "runner": {"name": "bundle", "version": "1"},
        "datasets": {"messages": messages.digest},
        "hyperparameters": chosen,
    }

    with pytest.raises(ManifestInvalid):
        create_manifest(actor=operator, document=changed)


def test_a_folder_without_the_files_is_refused(operator, messages, model, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command(
            "import_model", "support-reply", str(tmp_path), "--adapter", ADAPTER,
            "--messages", messages.digest, "--as", "olga",
        )  # fmt: skip
