"""The runner on transformers: the same bytes whatever happened, served as ONNX."""

from __future__ import annotations

import numpy as np
import pytest

from apps.core.digests import digest_bytes
from apps.core.errors import IntegrityFailure, InvalidInput, Unavailable
from apps.models_registry import services, training
from apps.models_registry.contracts import TextRequest, TrainingJob
from apps.models_registry.errors import LeaseLost
from apps.models_registry.families import adapter_named, runner_named
from apps.models_registry.models import TrainingRun
from apps.models_registry.selectors import as_servable
from apps.models_registry.serving import load_adapter
from tests.models_registry import stages

QUICK = {
    "epochs": 2, "batch_size": 8, "layers": 1, "hidden": 16, "heads": 2,
    "max_tokens": 48, "learning_rate": 0.003, "checkpoint_every": 5, "log_every": 4,
}  # fmt: skip
TEXTS = {"sleep": "I lie awake all night", "work": "my boss shouts at me daily"}


def rows():
    for number in range(24):
        for category, text in TEXTS.items():
            split = "dev" if number % 6 == 5 else "train"
            yield {"text": f"{text} {number}", "category": category, "split": split}


class MemoryLog:
    def __init__(self, lost_at: int = 0) -> None:
        self.points: dict[int, dict[str, float]] = {}
        self.kept: dict[int, bytes] = {}
        self.lost_at = lost_at

    def metrics(self, step, values) -> None:
        if step == self.lost_at:
            raise LeaseLost("gone")
        self.points[step] = dict(values)

    def checkpoint(self, step, content) -> None:
        self.kept[step] = content


def run(log=None, resume=None, seed=7, device="cpu", **chosen):
    runner = runner_named("text_classifier")
    job = TrainingJob(
        manifest={"hyperparameters": {**QUICK, **chosen}, "seed": seed},
        datasets={"messages": rows},
        device=device,
        resume=resume,
    )
    return runner.run(job, log or MemoryLog())


@pytest.fixture(scope="module")
def whole():
    """One undisturbed training: its outcome and its log."""
    log = MemoryLog()
    return run(log), log


def digests(outcome):
    return {name: digest_bytes(one.content) for name, one in outcome.artifacts.items()}


def test_a_training_leaves_weights_graph_tokenizer_and_labels(whole):
    outcome, log = whole

    assert sorted(outcome.artifacts) == [
        "classifier.json", "model.onnx", "model.safetensors", "tokenizer.json",
    ]  # fmt: skip
    assert outcome.last_step == 10
    assert sorted(log.points) == [4, 8, 10]
    assert sorted(log.kept) == [5]
    assert set(log.points[10]) == {"train_loss", "dev_accuracy", "dev_loss"}
    assert log.points[10]["train_loss"] < log.points[4]["train_loss"]


@pytest.mark.parametrize("every", [1, 3, 5])
def test_a_run_resumed_at_any_checkpoint_ends_the_same(whole, every):
    outcome, log = whole
    first = MemoryLog()
    run(first, checkpoint_every=every)

    for step in sorted(first.kept)[::2]:
        second = MemoryLog()
        resumed = run(second, resume=first.kept[step], checkpoint_every=every)

        assert digests(resumed) == digests(outcome)
        assert second.points == {n: v for n, v in log.points.items() if n > step}


def test_another_seed_gives_another_model_and_refuses_the_checkpoint(whole):
    outcome, log = whole

    assert (
        digests(run(seed=8))["model.safetensors"]
        != (digests(outcome)["model.safetensors"])
    )
    with pytest.raises(IntegrityFailure):
        run(resume=log.kept[5], seed=8)


def test_a_worker_that_lost_its_run_stops_at_its_next_write():
    log = MemoryLog(lost_at=4)

    with pytest.raises(LeaseLost):
        run(log)

    assert log.kept == {}


class Stored:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.digest = digest_bytes(content)


@pytest.fixture
def served():
    adapter = adapter_named("text_classifier_onnx")
    learnt = run(epochs=10, learning_rate=0.01)
    stored = {name: Stored(one.content) for name, one in learnt.artifacts.items()}
    adapter.load({n: stored[n] for n in adapter.files}, version_digest="sha256:v")
    yield adapter
    adapter.unload()


def test_the_graph_answers_alone_as_in_a_batch(served):
    texts = [*TEXTS.values(), "\U0001f499 é " * 60, "x"]

    together = served.predict([TextRequest(text) for text in texts])
    alone = [served.predict([TextRequest(text)])[0] for text in texts]

    for one, other in zip(together, alone, strict=True):
        assert sum(one.labels.values()) == pytest.approx(1.0, abs=1e-5)
        assert np.allclose(
            list(one.labels.values()), list(other.labels.values()), atol=1e-5
        )
    assert max(together[0].labels, key=together[0].labels.get) == "sleep"
    assert max(together[1].labels, key=together[1].labels.get) == "work"
    assert served.predict([]) == []
    assert served.memory_bytes > 0


def test_an_unloaded_classifier_answers_nothing():
    with pytest.raises(Unavailable):
        adapter_named("text_classifier_onnx").predict([TextRequest("x")])


@pytest.mark.parametrize(
    "chosen",
    [
        {"colour": 1}, {"epochs": 0}, {"epochs": 1.5}, {"base": 3},
        {"hidden": 10, "heads": 4}, {"base": "tiny"}, {"learning_rate": True},
    ],
    ids=str,
)  # fmt: skip
def test_hyper_parameters_that_cannot_be_used_are_refused(chosen):
    with pytest.raises(InvalidInput):
        runner_named("text_classifier").check(chosen)


def test_datasets_that_do_not_fit_are_refused():
    runner = runner_named("text_classifier")
    for given in (
        [{"text": "a", "category": "x", "split": "train"}],
        [{"text": "a", "split": "train"}],
        [*rows(), {"text": "a", "category": "new", "split": "dev"}],
    ):
        job = TrainingJob(
            {"hyperparameters": QUICK, "seed": 1}, {"messages": lambda g=given: iter(g)}
        )
        with pytest.raises(InvalidInput):
            runner.run(job, MemoryLog())


def test_a_device_that_is_not_there_is_said():
    import torch

    if torch.cuda.is_available():
        assert run(device="cuda").last_step == 10
    else:
        with pytest.raises(Unavailable):
            run(device="cuda")


def test_a_base_model_is_read_by_name_and_digest(whole, tmp_path, settings):
    from apps.models_registry.runners.text_classifier.bases import (
        base_digest,
        base_of,
    )
    from apps.models_registry.runners.text_classifier.hyperparameters import (
        parse_hyperparameters,
    )

    folder = tmp_path / "tiny"
    made = base_of(parse_hyperparameters(QUICK), 2)
    made.network.save_pretrained(folder)
    made.tokenizer.save(str(folder / "tokenizer.json"))
    settings.PE_BASE_MODELS_DIR = str(tmp_path)
    named = {"base": "tiny", "base_digest": base_digest(folder)}

    outcome = run(**named)

    assert digests(outcome) == digests(run(**named))
    assert "base model tiny" in outcome.summary
    with pytest.raises(IntegrityFailure):
        run(base="tiny", base_digest="sha256:" + "0" * 64)
    for name in ("absent", "../tiny"):
        with pytest.raises(InvalidInput):
            run(base=name, base_digest=named["base_digest"])
    settings.PE_BASE_MODELS_DIR = ""
    with pytest.raises(InvalidInput, match="PE_BASE_MODELS_DIR"):
        run(**named)


class Killed(BaseException):
    """Stands for a process that is gone: nothing catches it."""


@pytest.mark.django_db
def test_a_run_through_the_queue_killed_and_retaken_makes_the_same_version(
    operator, messages, model, monkeypatch
):
    document = stages.manifest_document(
        messages.digest,
        "",
        runner={"name": "text_classifier", "version": "1"},
        datasets={"messages": messages.digest},
        hyperparameters=QUICK,
    )
    manifest = services.create_manifest(actor=operator, document=document)
    first, second = (
        services.queue_run(actor=operator, manifest_id=str(manifest.pk))
        for _ in range(2)
    )
    undisturbed = training.run_training(str(first.pk))
    record = training.LeasedLog.checkpoint

    def record_then_die(self, step, content):
        record(self, step, content)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(training.LeasedLog, "checkpoint", record_then_die)
        with pytest.raises(Killed):
            training.run_training(str(second.pk))
    TrainingRun.objects.filter(pk=second.pk).update(lease_expires_at=second.created_at)

    retaken = training.run_training(str(second.pk))

    assert retaken.artifacts == undisturbed.artifacts
    assert stages.numbers(second) == stages.numbers(first)
    adapter = load_adapter(as_servable(retaken))
    assert len(adapter.predict([TextRequest("hello")])[0].labels) > 2
