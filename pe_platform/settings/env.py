"""Typed readers of the environment: the only place that looks at ``os.environ``.

A reader that refuses names the variable and the values it accepts. A secret has no
default: a missing one stops the process, it is never replaced by a guessable value.
"""

from __future__ import annotations

import json
import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_ENV_LINE = re.compile(r"\s*(#.*|(export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=[^\x00]*)?$")


def load_env_file(path: Path) -> None:
    """Read ``KEY=value`` lines; variables already set win.

    ImproperlyConfigured for a file that cannot be read or holds another kind of line.
    """
    if not path.is_file():
        return
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{path} cannot be read as text.") from error
    for number, line in enumerate(lines, start=1):
        if not _ENV_LINE.match(line):
            # Never the line itself: it may be half a secret.
            raise ImproperlyConfigured(
                f"{path}, line {number}: expected NAME=value, a # comment or nothing."
            )
    environ.Env.read_env(str(path), overwrite=False)


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def secret(name: str) -> str:
    """A secret of at least 32 characters; ImproperlyConfigured when absent or short."""
    value = text(name)
    if len(value) < 32:
        raise ImproperlyConfigured(
            f"{name} is {'too short' if value else 'not set'}: a random value of at "
            "least 32 characters is required. `make run` writes one into .env."
        )
    return value


def named_secrets(name: str) -> dict[str, str]:
    """``id:secret,id:secret`` as a dictionary; each of at least 32 characters."""
    pairs = [pair.partition(":") for pair in words(name)]
    if any(not key or len(value) < 32 for key, _, value in pairs):
        raise ImproperlyConfigured(
            f"{name} is a list id:secret,id:secret with secrets of 32 characters."
        )
    return {key: value for key, _, value in pairs}


def boolean(name: str, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE | _FALSE:
        return value in _TRUE
    accepted = ", ".join(sorted(_TRUE | _FALSE))
    raise ImproperlyConfigured(f"{name}={value!r} is not one of {accepted}.")


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError as error:
        message = f"{name}={value!r} is not a whole number."
        raise ImproperlyConfigured(message) from error
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name}={number} is outside {minimum}..{maximum}.")
    return number


def choice(name: str, default: str, accepted: tuple[str, ...]) -> str:
    value = text(name) or default
    if value not in accepted:
        raise ImproperlyConfigured(
            f"{name}={value!r} is not one of {', '.join(accepted)}."
        )
    return value


def address(name: str) -> str:
    """``host:port``, or an empty string when nothing is set."""
    value = text(name)
    if not value:
        return ""
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ImproperlyConfigured(
            f"{name}={value!r} is not host:port such as 0.0.0.0:9100."
        )
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Comma-separated values without blanks."""
    value = text(name)
    if not value:
        return list(default)
    return [word.strip() for word in value.split(",") if word.strip()]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Comma-separated networks in CIDR form."""
    found = []
    for word in words(name):
        try:
            found.append(ip_network(word))
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name}={word!r} is not a network such as 10.1.0.0/16."
            ) from error
    return found


def json_object(name: str) -> dict[str, dict[str, object]]:
    """A JSON object of objects; empty when unset."""
    value = text(name)
    try:
        found = json.loads(value) if value else {}
    except json.JSONDecodeError as error:
        raise ImproperlyConfigured(f"{name} is not JSON: {error.msg}") from error
    if not isinstance(found, dict) or not all(
        isinstance(one, dict) for one in found.values()
    ):
        raise ImproperlyConfigured(f"{name} must be a JSON object of objects")
    return found


def database(name: str, default: str) -> dict[str, object]:
    """A database URL as Django's dictionary."""
    value = text(name) or default
    refusal = f"{name} is not a database URL such as postgres://user@host/name."
    if "://" not in value:
        raise ImproperlyConfigured(refusal)
    try:
        return dict(environ.Env.db_url_config(value))
    except (environ.ImproperlyConfigured, ValueError) as error:
        raise ImproperlyConfigured(refusal) from error
