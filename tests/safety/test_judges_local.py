"""Folders of weights as judges, and a checkpoint made into one; all tiny, made here."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    PreTrainedTokenizerFast,
)

from apps.core.digests import digest_bytes
from apps.safety.judges.local import FolderTextJudge, FolderTokenJudge
from tests.safety.support import said

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello", "ada", "you", "fool", "there"]
CLASSES = ["toxicity", "insult"]


def config(**more: Any) -> BertConfig:
    return BertConfig(
        vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=8, max_position_embeddings=32, **more,
    )  # fmt: skip


def save_tokenizer(folder: Path) -> None:
    plain = Tokenizer(WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    plain.pre_tokenizer = Whitespace()
    plain.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]",
        cls_token="[CLS]", sep_token="[SEP]",
    ).save_pretrained(folder)  # fmt: skip


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    config().save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def model() -> BertForSequenceClassification:
    torch.manual_seed(1)
    return BertForSequenceClassification(config(num_labels=2))


def checkpoint(tmp_path: Path, **changed: Any) -> tuple[Path, str]:
    content = {
        "config": {"dataset": {"args": {"classes": CLASSES}}},
        "state_dict": model().state_dict(),
        **changed,
    }
    out = io.BytesIO()
    torch.save(content, out)
    path = tmp_path / "toxic.ckpt"
    path.write_bytes(out.getvalue())
    return path, digest_bytes(out.getvalue())


def converted(base: Path, tmp_path: Path, path: Path, digest: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(
        "convert_detoxify", checkpoint=path, digest=digest, base=base,
        output=tmp_path / "made", stdout=out, stderr=io.StringIO(),
    )  # fmt: skip
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_a_converted_checkpoint_judges_as_the_original_would(
    base: Path, tmp_path: Path
) -> None:
    options = converted(base, tmp_path, *checkpoint(tmp_path))["detoxify"]

    found = FolderTextJudge("detoxify", options).judge(said("hello you fool"))

    ids = torch.tensor([[2, 4, 6, 7, 3]])
    with torch.inference_mode():
        expected = model().eval()(ids).logits.sigmoid().max().item()
    assert found.scores["toxicity"] == pytest.approx(expected, abs=1e-5)
    assert (
        sorted(path.suffix for path in (tmp_path / "made").iterdir()).count(
            ".safetensors"
        )
        == 1
    )


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('code ran')",))


def test_a_checkpoint_that_would_run_code_is_refused(
    base: Path, tmp_path: Path
) -> None:
    path, digest = checkpoint(tmp_path, extra=Evil())

    with pytest.raises(CommandError, match="more than tensors and plain values"):
        converted(base, tmp_path, path, digest)
    assert not (tmp_path / "made").exists()


def test_other_bytes_than_the_digest_names_are_refused(
    base: Path, tmp_path: Path
) -> None:
    path, _ = checkpoint(tmp_path)

    with pytest.raises(CommandError, match="not of the given digest"):
        converted(base, tmp_path, path, "sha256:" + "0" * 64)


@pytest.mark.parametrize("change", ["missing", "left over", "shape"])
def test_keys_that_do_not_match_are_refused_not_made_up(
    base: Path, tmp_path: Path, change: str
) -> None:
    state = dict(model().state_dict())
    if change == "missing":
        del state["classifier.weight"]
    elif change == "left over":
        state["more.weight"] = torch.zeros(1)
    else:
        state["classifier.weight"] = torch.zeros(3, 8)
    path, digest = checkpoint(tmp_path, state_dict=state)

    with pytest.raises(CommandError):
        converted(base, tmp_path, path, digest)


def tokens_folder(tmp_path: Path) -> dict[str, Any]:
    """A model that takes the word ``ada`` for a name, wherever it stands."""
    labels = {0: "O", 1: "B-PER"}
    made = BertForTokenClassification(config(id2label=labels, num_labels=2))
    with torch.no_grad():
        for parameter in made.bert.encoder.parameters():
            parameter.zero_()
        made.bert.encoder.layer[0].output.LayerNorm.weight.fill_(1.0)
        made.bert.encoder.layer[0].attention.output.LayerNorm.weight.fill_(1.0)
        made.bert.embeddings.position_embeddings.weight.zero_()
        made.bert.embeddings.token_type_embeddings.weight.zero_()
        made.bert.embeddings.word_embeddings.weight.zero_()
        made.bert.embeddings.word_embeddings.weight[:, 0] = -1.0
        made.bert.embeddings.word_embeddings.weight[5, 0] = 1.0
        made.classifier.weight.zero_()
        made.classifier.weight[1, 0] = 9.0
        made.classifier.bias.zero_()
    folder = tmp_path / "tokens"
    made.save_pretrained(folder)
    save_tokenizer(folder)
    digest = digest_bytes((folder / "model.safetensors").read_bytes())
    return {"folder": str(folder), "digest": digest, "labels": {"NAME": ["PER"]}}


def test_tokens_become_spans_of_the_text_in_every_window(tmp_path: Path) -> None:
    judge = FolderTokenJudge("names", tokens_folder(tmp_path))
    text = "hello ada " + "there " * 60 + "ada"

    found = judge.judge(said(text))

    assert [text[one.start : one.end] for one in found.spans] == ["ada", "ada"]
    assert {one.type for one in found.spans} == {"NAME"}
    assert found.scores["privacy"] > 0.9


@pytest.mark.parametrize("text", ["", "\ud800 ada", "\x00", "😀 ada", "a" * 5000])
def test_any_text_is_judged(tmp_path: Path, text: str) -> None:
    judge = FolderTokenJudge("names", tokens_folder(tmp_path))

    found = judge.judge(said(text))

    assert all(text[one.start : one.end] == "ada" for one in found.spans)


def test_a_folder_with_code_other_weights_or_other_labels_is_refused(
    tmp_path: Path,
) -> None:
    options = tokens_folder(tmp_path)
    folder = Path(options["folder"])

    for changed in ({"digest": "sha256:0"}, {"folder": str(tmp_path)}, {"labels": {}}):
        with pytest.raises(ImproperlyConfigured):
            FolderTokenJudge("names", {**options, **changed})
    (folder / "modeling.py").write_text("raise SystemExit")
    with pytest.raises(ImproperlyConfigured, match="code of its own"):
        FolderTokenJudge("names", options)
