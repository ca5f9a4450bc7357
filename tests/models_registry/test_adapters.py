"""Adapters and their pool: order kept, failures wrapped, nothing unloaded in use."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from django.conf import settings as django_settings
from safetensors.torch import load as load_tensors

from apps.core.errors import InvalidInput
from apps.models_registry import families, serving
from apps.models_registry.adapters.base import GuardedAdapter
from apps.models_registry.adapters.pool import AdapterPool
from apps.models_registry.artifacts import open_verified
from apps.models_registry.contracts import ServableVersion, TextRequest
from apps.models_registry.errors import ArtifactDamaged, PredictionFailed
from apps.models_registry.models import Artifact
from apps.models_registry.selectors import as_servable

TEXTS = (
    "I lie awake until three", "", "my boss shouts", "\ud800 \x00", "thank you " * 400,
)  # fmt: skip


@pytest.fixture
def servable(trained) -> ServableVersion:
    return as_servable(trained)


@pytest.mark.django_db
def test_a_batch_answers_in_order_as_one_by_one(servable):
    adapter = serving.load_adapter(servable)

    together = adapter.predict([TextRequest(text) for text in TEXTS])
    alone = [adapter.predict([TextRequest(text)])[0] for text in TEXTS]

    assert [p.reply_id for p in together] == [p.reply_id for p in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.labels == pytest.approx(other.labels, abs=1e-5)
    assert adapter.predict([]) == []


@pytest.mark.django_db
def test_onnx_answers_as_torch_does(trained):
    import torch

    from apps.models_registry.adapters.onnx_session import OnnxSession
    from apps.models_registry.runners.reply_ranker.network import ReplyRanker

    artifacts = {n: open_verified(d).content for n, d in trained.artifacts.items()}
    weights = load_tensors(artifacts["model.safetensors"])
    network = ReplyRanker(
        buckets=weights["embedding.weight"].shape[0],
        dimension=weights["embedding.weight"].shape[1],
        categories=weights["category.weight"].shape[0],
        reply_ids=weights["reply_ids"],
        dropout=0.0,
    )
    network.load_state_dict(weights)
    ids = np.random.default_rng(5).integers(0, 256, size=(9, 40), dtype=np.int64)

    with torch.no_grad():
        categories, scores = network.eval()(torch.from_numpy(ids))
    found = OnnxSession(artifacts["model.onnx"]).run({"ids": ids})

    expected = torch.softmax(categories, dim=-1).numpy()
    np.testing.assert_allclose(found["categories"], expected, atol=1e-5)
    np.testing.assert_allclose(found["scores"], scores.numpy(), atol=1e-4)


@pytest.mark.django_db
def test_unloading_twice_is_fine_and_ends_answering(servable):
    adapter = serving.load_adapter(servable)
    assert adapter.memory_bytes > 0
    assert len(adapter.signature()["labels"]) == 8
    adapter.unload()
    adapter.unload()

    with pytest.raises(PredictionFailed) as raised:
        adapter.predict([TextRequest("hello")])

    assert raised.value.__cause__ is not None
    assert adapter.memory_bytes == 0


@pytest.mark.django_db
def test_a_version_whose_bytes_changed_is_not_loaded(servable, media):
    artifact = Artifact.objects.get(pk=servable.artifacts["model.onnx"])
    path = media / artifact.path
    path.write_bytes(path.read_bytes()[:-1] + b"!")

    with pytest.raises(ArtifactDamaged):
        serving.warm(servable)

    assert serving.process_pool().loaded_digests() == ()


@pytest.mark.django_db
def test_a_version_without_its_files_is_not_loaded(servable):
    from dataclasses import replace

    with pytest.raises(ArtifactDamaged, match=r"no artifact featuriser\.json"):
        serving.load_adapter(replace(servable, artifacts={}))


@pytest.mark.django_db
def test_the_pool_loads_a_version_once(servable):
    with serving.loaded(servable) as first, serving.loaded(servable) as second:
        assert first is second

    assert serving.process_pool().loaded_digests() == (servable.digest,)


def test_serving_imports_no_training_library():
    code = (
        "import django, sys; django.setup();"
        "import apps.models_registry.serving;"
        "import apps.models_registry.adapters.reply_ranker;"
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=django_settings.BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "pe_platform.settings.test", "PATH": ""},
        check=False,
    )

    assert done.returncode == 0


def test_unknown_plug_ins_are_refused_by_name():
    with pytest.raises(InvalidInput, match="reply_ranker_onnx"):
        families.adapter_named("tarot")
    with pytest.raises(InvalidInput, match="reply_ranker"):
        families.runner_named("tarot")


class Fake(GuardedAdapter):
    """Holds ten bytes and remembers what was done to it."""

    name = "fake"

    def __init__(self, answers=()):
        self.answers = answers
        self.unloaded = 0

    def load(self, artifacts, *, version_digest): ...

    def _predict(self, batch):
        return list(self.answers)

    def signature(self):
        return {}

    def unload(self):
        self.unloaded += 1

    @property
    def memory_bytes(self):
        return 10


def test_an_adapter_that_loses_an_answer_fails():
    with pytest.raises(PredictionFailed, match="0 answers to 1"):
        Fake().predict([TextRequest("x")])


def test_the_least_recently_used_goes_first():
    pool, made = AdapterPool(max_bytes=20), {}
    for digest in ("a", "b", "a", "c"):
        with pool.use(digest, lambda digest=digest: made.setdefault(digest, Fake())):
            pass

    assert pool.loaded_digests() == ("a", "c")
    assert made["b"].unloaded == 1


def test_an_adapter_in_use_is_not_unloaded():
    pool, busy = AdapterPool(max_bytes=10), Fake()

    with pool.use("busy", lambda: busy):
        with pool.use("other", Fake):
            pass
        assert busy.unloaded == 0
        pool.clear()
        assert busy.unloaded == 0

    pool.clear()
    assert busy.unloaded == 1
    assert pool.loaded_digests() == ()


def test_threads_wait_for_one_loading():
    pool, loads, gate = AdapterPool(max_bytes=100), [], threading.Barrier(4)

    def load():
        loads.append(1)
        return Fake()

    def use(_):
        gate.wait()
        with pool.use("one", load) as adapter:
            return adapter

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(use, range(4)))

    assert len(loads) == 1
    assert len({id(adapter) for adapter in found}) == 1


def test_a_loading_that_fails_is_tried_again():
    pool = AdapterPool(max_bytes=100)

    def fail():
        raise ArtifactDamaged("gone")

    with pytest.raises(ArtifactDamaged), pool.use("one", fail):
        pass
    with pool.use("one", Fake) as adapter:
        assert adapter.unloaded == 0
