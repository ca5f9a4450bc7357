"""What a model is asked, with identifiers hidden, and what asking it has used."""

from __future__ import annotations

from dataclasses import replace

from apps.inference.contracts import Guard, ServingRequest
from apps.models_registry.contracts import GenerationEnd, Role, TextRequest


def text_request(
    request: ServingRequest, masked_text: str, guard: Guard, deadline_ms: float
) -> TextRequest:
    """The inspected text and the earlier turns, masked.

    A turn that cannot be masked is left out. Roles are told when the caller told them;
    the program's instructions then come first.
    """
    if not request.roles and not request.instructions:
        context, roles = guard.masked_context(request), tuple[Role, ...]()
    else:
        turns = _masked_turns(request, guard)
        context = tuple(text for _, text in turns)
        roles = tuple(role for role, _ in turns)
    return TextRequest(masked_text, context, roles, request.options, deadline_ms)


def _masked_turns(request: ServingRequest, guard: Guard) -> list[tuple[Role, str]]:
    instructions = [(Role.SYSTEM, text) for text in request.instructions]
    spoken = zip(request.roles, request.context, strict=True)
    return [
        (role, masked)
        for role, text in (*instructions, *spoken)
        # One at a time: which were left out can then be told.
        for masked in guard.masked_context(replace(request, context=(text,)))
    ]


def used(
    request: ServingRequest, output_chars: int, end: GenerationEnd
) -> dict[str, int]:
    """Characters in and out, and tokens where the model counts them."""
    tokens = {
        "prompt_tokens": end.prompt_tokens,
        "completion_tokens": end.completion_tokens,
    }
    return {
        "input_chars": len(request.text),
        "output_chars": output_chars,
        **{name: count for name, count in tokens.items() if count is not None},
    }
