"""The battery that every format passes: order, errors, unloading, deadline, cancel."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from apps.models_registry import serving
from apps.models_registry.adapters.remote_tensor import RemoteTensorAdapter
from apps.models_registry.adapters.text_classifier_onnx import (
    OnnxLogits,
    TextClassifierOnnxAdapter,
)
from apps.models_registry.adapters.text_classifier_tflite import (
    TextClassifierTfliteAdapter,
)
from apps.models_registry.adapters.text_classifier_torch import (
    TextClassifierTorchAdapter,
)
from apps.models_registry.artifacts import store_artifact
from apps.models_registry.contracts import ModelAdapter, ServableVersion, TextRequest
from apps.models_registry.errors import (
    ArtifactDamaged,
    DeadlinePassed,
    PredictionFailed,
)
from apps.models_registry.models import Artifact
from tests.models_registry import bundles
from tests.models_registry.model_server import ModelServer

TEXTS = ("i sleep badly", "", "rain", "\ud800 \x00", "i fear the exam " * 50, "tea")
# Long enough for a loaded machine, far below "for ever".
SOON_S = 8.0


class OnnxFormat:
    adapter = TextClassifierOnnxAdapter

    def __init__(self) -> None:
        self.files = bundles.onnx_bundle()
        self.host = ""

    def is_busy(self, adapter: ModelAdapter) -> bool:
        return bool(adapter._backend._session._running)

    def close(self) -> None:
        """Nothing runs beside the adapter."""

    @contextmanager
    def hanging(self, adapter: ModelAdapter) -> Iterator[None]:
        """In the block a prediction does not end by itself."""
        backend = adapter._backend
        adapter._backend = OnnxLogits(bundles.graph(endless=True), adapter._settings)
        yield
        adapter._backend = adapter._backend and backend


class TorchFormat:
    adapter = TextClassifierTorchAdapter

    def __init__(self) -> None:
        self.files = bundles.torch_bundle()
        self.host = ""

    def is_busy(self, adapter: ModelAdapter) -> bool:
        return adapter._backend._worker._lock.locked()

    def close(self) -> None:
        """The worker ends with its adapter."""

    @contextmanager
    def hanging(self, adapter: ModelAdapter) -> Iterator[None]:
        bundles.freeze_worker(adapter)
        yield


class TfliteFormat(TorchFormat):
    adapter = TextClassifierTfliteAdapter

    def __init__(self) -> None:
        self.files = bundles.tflite_bundle()
        self.host = ""


class RemoteFormat:
    adapter = RemoteTensorAdapter

    def __init__(self) -> None:
        self.server = ModelServer()
        self.host = self.server.host
        self.files = {"endpoint.json": self.server.endpoint()}

    @contextmanager
    def hanging(self, adapter: ModelAdapter) -> Iterator[None]:
        self.server.go.clear()
        yield
        self.server.go.set()

    def is_busy(self, adapter: ModelAdapter) -> bool:
        return self.server.busy > 0

    def close(self) -> None:
        self.server.close()


FORMATS = {
    "onnx": OnnxFormat,
    "torch": TorchFormat,
    "tflite": TfliteFormat,
    "remote": RemoteFormat,
}


@pytest.fixture(scope="module", params=list(FORMATS))
def form(request):
    made = FORMATS[request.param]()
    with override_settings(PE_REMOTE_ALLOWED_HOSTS=[made.host]):
        yield made
    made.close()


@pytest.fixture(scope="module")
def shared(form) -> Iterator[ModelAdapter]:
    """One loaded adapter for the tests that leave it as it was."""
    adapter = load(form)
    yield adapter
    adapter.unload()


def load(form) -> ModelAdapter:
    adapter = form.adapter()
    adapter.load(bundles.held(form.files), version_digest="v1")
    return adapter


def ask(*texts: str, **more) -> list[TextRequest]:
    return [TextRequest(text, **more) for text in texts]


def test_a_batch_answers_in_order_as_one_by_one(shared):
    together = shared.predict(ask(*TEXTS))
    alone = [shared.predict(ask(text))[0] for text in TEXTS]

    assert [p.text for p in together] == [p.text for p in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.labels == pytest.approx(other.labels, abs=1e-4)
        assert sum(one.labels.values()) == pytest.approx(1)
        assert one.text == max(one.labels, key=one.labels.get)
        assert one.model_version_digest == "v1"
    assert shared.predict([]) == []


def test_threads_get_their_own_answers(shared):
    expected = {text: shared.predict(ask(text))[0].labels for text in TEXTS}

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda t: shared.predict(ask(t))[0], TEXTS * 10))

    for text, one in zip(TEXTS * 10, found, strict=True):
        assert one.labels == pytest.approx(expected[text], abs=1e-4)


def test_it_says_what_it_takes_and_holds(shared):
    assert shared.memory_bytes > 0
    assert set(shared.signature()["labels"]) == set(bundles.LABELS)
    assert shared.signature()["input"] == "TextRequest"


def test_a_deadline_that_has_passed_is_kept(shared):
    with pytest.raises(DeadlinePassed):
        shared.predict(ask("rain", deadline_ms=-1.0))


def test_a_late_prediction_ends_and_the_next_one_is_answered(form, shared):
    with form.hanging(shared):
        began = time.monotonic()
        with pytest.raises(DeadlinePassed):
            shared.predict(ask("rain", deadline_ms=300.0))

    assert time.monotonic() - began < SOON_S
    assert shared.predict(ask("rain", deadline_ms=60_000.0))[0].labels


def test_unloading_ends_what_runs_and_may_be_repeated(form):
    adapter, raised = load(form), []

    def predict() -> None:
        try:
            adapter.predict(ask("rain"))
        except PredictionFailed as error:
            raised.append(error)

    with form.hanging(adapter):
        thread = threading.Thread(target=predict)
        thread.start()
        while not form.is_busy(adapter):
            time.sleep(0.01)
        adapter.unload()
        thread.join(SOON_S)
        adapter.unload()

    assert not thread.is_alive()
    assert raised
    assert adapter.memory_bytes == 0
    with pytest.raises(PredictionFailed) as after:
        adapter.predict(ask("rain"))
    assert after.value.__cause__ is not None


@pytest.mark.django_db
def test_only_verified_bytes_are_loaded(form, media):
    stored = {
        name: store_artifact([content], "json").digest
        for name, content in form.files.items()
    }
    version = ServableVersion(
        "1", "m", 1, "approved", "sha256:v", form.adapter.name, stored, {}
    )
    path = media / Artifact.objects.get(pk=stored[form.adapter.files[0]]).path
    path.write_bytes(path.read_bytes() + b" ")

    with pytest.raises(ArtifactDamaged):
        serving.load_adapter(version)


def test_tflite_answers_as_onnx_does():
    adapters = [load(OnnxFormat()), load(TfliteFormat())]

    found = [adapter.predict(ask(*TEXTS)) for adapter in adapters]
    for adapter in adapters:
        adapter.unload()

    for one, other in zip(*found, strict=True):
        assert one.labels == pytest.approx(other.labels, abs=1e-4)


TORCH_REFUSED = {
    "code of its own": {"auto_map": {"AutoModel": "evil.Model"}},
    "another architecture": {"architectures": ["GPT2LMHeadModel"]},
    "two": {"architectures": ["BertForSequenceClassification"] * 2},
    "another type": {"model_type": "evil"},
}


@pytest.mark.parametrize("name", TORCH_REFUSED)
def test_an_architecture_that_is_not_allowed_starts_no_process(name):
    config = {"model_type": "bert", "architectures": ["BertForSequenceClassification"]}
    files = {
        "model.safetensors": b"",
        "config.json": json.dumps(config | TORCH_REFUSED[name]).encode(),
        "tokenizer.json": bundles.tokenizer(),
        "classifier.json": bundles.settings(),
    }

    with pytest.raises(ArtifactDamaged, match="bundle is refused"):
        TextClassifierTorchAdapter().load(bundles.held(files), version_digest="v")


def test_a_worker_refuses_files_that_do_not_load():
    files = bundles.held({**bundles.tflite_bundle(), "model.tflite": b"no model"})

    with pytest.raises(ArtifactDamaged, match="does not load: ValueError"):
        TextClassifierTfliteAdapter().load(files, version_digest="v")


def test_a_worker_that_died_is_replaced_and_knows_no_secret():
    adapter = load(TfliteFormat())
    process = adapter._backend._worker._process
    names = {
        line.partition(b"=")[0]
        for line in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    }
    process.kill()
    process.wait()

    answered = adapter.predict(ask("rain", deadline_ms=60_000.0))
    adapter.unload()

    assert answered[0].labels
    assert not {name for name in names if name.startswith((b"PE_", b"DATABASE"))}


def test_a_process_that_serves_these_formats_imports_no_torch():
    code = (
        "import django, sys; django.setup();"
        "from apps.models_registry.families import adapter_named as made;"
        "made('text_classifier_torch'), made('text_classifier_tflite');"
        "made('text_classifier_onnx'), made('remote_tensor');"
        "sys.exit(bool({'torch', 'transformers', 'ai_edge_litert'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "pe_platform.settings.test", "PATH": ""},
        check=False,
    )

    assert done.returncode == 0
