"""The real parts: what is loaded, remembered, and done when something is missing."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from apps.inference import parts, routing, warming
from apps.inference.contracts import FixedText
from apps.inference.guard import PolicyGuard
from apps.inference.remembering import ENTRIES_KEPT, Remembered
from apps.models_registry import serving
from apps.safety.assembly import runner_for
from apps.safety.contracts import Decision
from apps.safety.policy import default_policy
from tests.inference.doubles import asking


@pytest.fixture
def guard(gates_warm):
    return PolicyGuard(runner_for(default_policy()), is_in_force=True)


def test_a_server_loads_gates_and_models_before_it_is_asked(served):
    assert warming.warm_serving() == ["support-reply@1"]

    assert serving.process_pool().loaded_digests()


def test_a_model_that_cannot_be_loaded_is_left_out(served, media):
    for path in media.rglob("*"):
        if path.is_file():
            path.unlink()
    serving.process_pool.cache_clear()

    assert warming.warm_serving() == []


def test_a_server_starts_without_its_database(gates_warm, monkeypatch):
    def down(*_: object) -> list[str]:
        raise OperationalError("down")

    monkeypatch.setattr(warming, "_names_in_production", down)
    monkeypatch.setattr(parts, "policy_in_force", down)
    monkeypatch.setattr(warming, "policy_or_shipped", lambda: (default_policy(), False))

    assert warming.warm_serving() == []


def test_fixed_texts_need_no_database(monkeypatch):
    def down(*_: object) -> None:
        raise OperationalError("down")

    monkeypatch.setattr(parts, "policy_in_force", down)

    fixed = parts.fixed_text(FixedText.UNAVAILABLE, "en-US")

    assert "988" in fixed.text
    assert fixed.contacts


def test_guards_are_kept_by_policy_and_never_mixed(gates_warm):
    in_force = parts.ready_guard(default_policy(), True)
    stand_in = parts.ready_guard(default_policy(), False)

    assert parts.ready_guard(default_policy(), True) is in_force
    assert in_force.policy is not None
    assert stand_in.policy is None


def test_earlier_turns_reach_the_model_masked(guard):
    asked = asking(context=("Write to ada@example.org.", "I slept badly."))

    masked = guard.masked_context(asked)

    assert "ada@example.org" not in masked[0]
    assert masked[1] == "I slept badly."


def test_an_earlier_turn_that_cannot_be_masked_is_left_out(guard):
    asked = asking(context=("今日は疲れています。電話は", "I slept badly."))

    assert guard.masked_context(asked) == ("I slept badly.",)


def test_the_sweep_finds_what_stands_in_a_label(guard):
    clean, found = guard.sweep(("sleep", "ada@example.org"), "en")

    assert clean.decision is Decision.ALLOW
    assert found.decision is not Decision.ALLOW


def test_a_label_is_swept_once_for_each_locale(guard):
    first = guard.sweep(("sleep",), "en")

    assert guard.sweep(("sleep",), "en")[0] is first[0]
    assert guard.sweep(("sleep",), "en-GB")[0] is not first[0]


def test_what_is_remembered_is_read_once(settings):
    settings.PE_SERVING_CACHE_S = 60.0
    read: list[int] = []
    memory: Remembered[int] = Remembered()

    def count() -> int:
        read.append(1)
        return len(read)

    assert [memory.get("a", count), memory.get("a", count)] == [1, 1]
    assert memory.get("b", count) == 2


def test_a_failure_to_read_is_not_remembered(settings):
    settings.PE_SERVING_CACHE_S = 60.0
    memory: Remembered[int] = Remembered()

    def fail() -> int:
        raise OperationalError("down")

    with pytest.raises(OperationalError):
        memory.get("a", fail)
    assert memory.get("a", lambda: 3) == 3


def test_memory_does_not_grow_without_end(settings):
    settings.PE_SERVING_CACHE_S = 60.0
    memory: Remembered[int] = Remembered()

    for number in range(ENTRIES_KEPT + 5):
        memory.get(number, lambda: 0)

    assert len(memory._kept) <= ENTRIES_KEPT


@pytest.mark.parametrize("path", ["no.such.Router", "uuid.uuid4", "uuid.UUID"])
def test_a_router_that_is_none_is_refused(settings, path):
    settings.PE_ROUTER = path

    with pytest.raises(ImproperlyConfigured):
        routing.current_router()
