"""An endpoint as a version records it: what is signed for, and no secret.

The same rules read a training manifest's ``hyperparameters`` and the artifact
``endpoint.json``, which is written from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import httpx

from apps.core.errors import InvalidInput

ENDPOINT_FILE = "endpoint.json"
SECRET_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
TOKEN_FIELDS = ("max_tokens", "max_completion_tokens")
MOST_PROMPT_CHARS = 8000
# Inclusive bounds of each number.
BOUNDS: dict[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "max_tokens": (1, 32_768),
    "connect_timeout_s": (0.05, 10),
    "read_timeout_s": (0.05, 10),
    "attempts": (1, 5),
    "parallel": (1, 16),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``base_url`` is what comes before ``/chat/completions``, such as
    ``https://llm.example.org/v1``.

    ``model`` is the endpoint's own name for it; ``secret`` the name of a stored secret,
    or empty. ``read_timeout_s`` bounds the wait for each piece, not the whole answer.
    """

    base_url: str
    model: str
    system_prompt: str = ""
    secret: str = ""
    temperature: float = 0.2
    top_p: float = 1.0
    max_tokens: int = 512
    token_limit_field: str = "max_tokens"  # noqa: S105 - a field's name
    connect_timeout_s: float = 2.0
    read_timeout_s: float = 10.0
    attempts: int = 2
    parallel: int = 4

    @property
    def origin(self) -> str:
        """Scheme, host and port: where a secret may be sent."""
        return origin_of(self.base_url)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def parse_endpoint(given: Mapping[str, object]) -> Endpoint:
    """The endpoint; InvalidInput names the field that does not fit."""
    known = {field.name: field for field in fields(Endpoint)}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InvalidInput(
            f"An endpoint has no field {unknown[0]!r}; it has {', '.join(known)}."
        )
    for name, value in given.items():
        if name in BOUNDS:
            _check_number(name, value, is_whole=known[name].type == "int")
        elif not isinstance(value, str):
            raise InvalidInput(f"{name} has to be a string.")
    # mypy: each value was checked against its field's type above.
    endpoint = Endpoint(**{"base_url": "", "model": "", **given})  # type: ignore[arg-type]
    _check_words(endpoint)
    origin_of(endpoint.base_url)
    return endpoint


def _check_number(name: str, value: object, *, is_whole: bool) -> None:
    low, high = BOUNDS[name]
    kinds = int if is_whole else (int, float)
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # type: ignore[operator]
        kind = "a whole number" if is_whole else "a number"
        raise InvalidInput(f"{name} has to be {kind} from {low:g} to {high:g}.")


def _check_words(endpoint: Endpoint) -> None:
    if not endpoint.model.strip():
        raise InvalidInput("model has to be the endpoint's own name of the model.")
    if endpoint.secret and not SECRET_NAME.fullmatch(endpoint.secret):
        raise InvalidInput(
            "secret is the name of a stored secret (a-z, 0-9, - and _), never the "
            "secret itself."
        )
    if endpoint.token_limit_field not in TOKEN_FIELDS:
        raise InvalidInput(f"token_limit_field is one of {', '.join(TOKEN_FIELDS)}.")
    if len(endpoint.system_prompt) > MOST_PROMPT_CHARS:
        raise InvalidInput(
            f"system_prompt may hold {MOST_PROMPT_CHARS} characters at most."
        )


def origin_of(url: str) -> str:
    """``https://host:port`` of a URL; InvalidInput for what an endpoint cannot be."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidInput("base_url is not a URL.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidInput("base_url has to start with https:// or http:// and a host.")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise InvalidInput("base_url may hold no user, password, query or fragment.")
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    return f"{parsed.scheme}://{host}:{port}"
