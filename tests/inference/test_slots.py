"""How many replies are written at once: exact, given back, and no bar to a crisis."""

from __future__ import annotations

import uuid

import pytest

from apps.inference.errors import EveryWorkerBusy, TooManyGenerations
from apps.inference.slots import generation_slot

CRISIS = "I am going to kill myself tonight."
ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def few(settings) -> None:
    settings.PE_GENERATIONS_A_KEY = 1
    settings.PE_GENERATIONS_AT_ONCE = 2


def test_a_key_and_the_machine_have_so_many_slots(few):
    third = uuid.UUID(int=3)
    with generation_slot(ONE):
        with pytest.raises(TooManyGenerations), generation_slot(ONE):
            pass
        with (
            generation_slot(OTHER),
            pytest.raises(EveryWorkerBusy),
            generation_slot(third),
        ):
            pass
        with generation_slot(third):
            pass


def test_a_slot_is_given_back_when_its_holder_fails(few):
    with pytest.raises(RuntimeError), generation_slot(ONE):
        raise RuntimeError

    with generation_slot(ONE):
        pass


@pytest.mark.django_db
@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_too_many_is_refused_with_a_time_to_come_back(
    few, caller, llm, chat_server, issue, stream
):
    family_id = _family_of(caller)
    with generation_slot(family_id):
        of_key = caller.chat(stream=stream)
    with generation_slot(ONE), generation_slot(OTHER):
        of_machine = caller.chat(stream=stream)
        crisis = caller.chat(CRISIS, stream=stream)

    assert (of_key.status_code, of_key.json()["error"]["code"]) == (
        429, "too_many_generations",
    )  # fmt: skip
    assert (of_machine.status_code, of_machine.json()["error"]["code"]) == (503, "busy")
    assert of_key["Retry-After"] == of_machine["Retry-After"] == "1"
    assert of_machine.json()["pe"]["text"]
    assert crisis.status_code == 200
    assert b"content_filter" in crisis.content
    assert chat_server.seen == []


@pytest.mark.django_db
def test_a_finished_stream_gives_its_slot_back(few, caller, llm):
    for _ in range(3):
        response = caller.chat(stream=True)

        assert b"[DONE]" in b"".join(response)


def _family_of(caller) -> uuid.UUID:
    from apps.accounts.keys import authenticate_key

    return authenticate_key(caller.raw).family_id
