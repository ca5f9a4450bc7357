"""Settings readers, the local .env, and what check --deploy says."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from pe_platform import checks
from pe_platform.local_env import SECRETS, ensure_local_env
from pe_platform.settings import env

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bare(monkeypatch, tmp_path):
    for name in (*SECRETS, "PE_ENVIRONMENT", "PE_ENV_FILE", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_missing_secret_stops_the_process(monkeypatch):
    monkeypatch.delenv("PE_AUDIT_KEY", raising=False)

    with pytest.raises(ImproperlyConfigured, match="PE_AUDIT_KEY is not set"):
        env.secret("PE_AUDIT_KEY")


def test_a_short_secret_is_refused_without_being_printed(monkeypatch):
    monkeypatch.setenv("PE_AUDIT_KEY", "hunter2")

    with pytest.raises(ImproperlyConfigured, match="too short") as refused:
        env.secret("PE_AUDIT_KEY")

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("ON", True), ("no", False), ("", True)]
)
def test_booleans_take_few_spellings(monkeypatch, value, expected):
    monkeypatch.setenv("PE_X", value)

    assert env.boolean("PE_X", True) is expected


@pytest.mark.parametrize(
    "read",
    [
        lambda: env.boolean("PE_X", False),
        lambda: env.integer("PE_X", 1, minimum=0, maximum=9),
        lambda: env.choice("PE_X", "a", ("a", "b")),
        lambda: env.database("PE_X", ""),
    ],
)
def test_a_reader_that_refuses_names_the_variable(monkeypatch, read):
    monkeypatch.setenv("PE_X", "maybe")

    with pytest.raises(ImproperlyConfigured, match="PE_X"):
        read()


def test_integers_have_bounds(monkeypatch):
    monkeypatch.setenv("PE_X", "10")

    with pytest.raises(ImproperlyConfigured, match=r"outside 0\.\.9"):
        env.integer("PE_X", 1, minimum=0, maximum=9)


def test_words_drop_blanks(monkeypatch):
    monkeypatch.setenv("PE_X", " a, ,b ")

    assert env.words("PE_X") == ["a", "b"]


def test_first_start_writes_random_secrets_for_the_owner_only(bare):
    assert ensure_local_env(bare)

    path = bare / ".env"
    values = dict(
        line.split("=", 1)
        for line in path.read_text().splitlines()
        if not line.startswith("#")
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len({values[name] for name in SECRETS}) == len(SECRETS)
    assert all(len(values[name]) >= 32 for name in SECRETS)


def test_a_second_start_keeps_the_secrets(bare):
    ensure_local_env(bare)
    before = (bare / ".env").read_text()

    assert not ensure_local_env(bare)
    assert (bare / ".env").read_text() == before


def test_no_secrets_are_invented_in_production(bare, monkeypatch):
    monkeypatch.setenv("PE_ENVIRONMENT", "production")

    assert not ensure_local_env(bare)
    assert not (bare / ".env").exists()


def test_production_without_secrets_does_not_start(tmp_path):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PE_")
    }
    environment |= {
        "PE_ENVIRONMENT": "production",
        "PE_ENV_FILE": os.devnull,
        "PE_STATE_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "pe_platform.settings",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode != 0
    assert "PE_SECRET_KEY is not set" in done.stderr


def _deploy_check(tmp_path, **more):
    environment = os.environ | {
        "PE_ENVIRONMENT": "production",
        "PE_ENV_FILE": os.devnull,
        "PE_ALLOWED_HOSTS": "platform.example.org",
        "PE_STATE_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "pe_platform.settings",
        "DATABASE_URL": "",
    }
    environment |= {
        name: f"{index}-Zq8vN3xK7pLw2RtY5uBm9Hc4Jd6Fg1Sa0Ee{name}-aA1bB2cC3dD4eE5"
        for index, name in enumerate(SECRETS)
    }
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env=environment | more, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_check_deploy_is_clean_under_production_settings(tmp_path):
    done = _deploy_check(tmp_path, PE_SMTP_HOST="mail.example.org")

    assert done.returncode == 0, done.stderr


def test_check_deploy_warns_when_nobody_would_hear_of_a_crisis(tmp_path):
    done = _deploy_check(tmp_path, PE_SMTP_HOST="", PE_ESCALATION_WEBHOOK_URL="")

    assert done.returncode != 0
    assert "safety.W001" in done.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PE_STAFF_MFA": "optional"}, "PE_STAFF_MFA=optional is for"),
        ({"PE_OIDC_ISSUER": "https://id.example.org"}, "PE_OIDC_CLIENT_ID"),
    ],
)
def test_production_refuses_weak_or_half_set_identity(tmp_path, changed, said):
    done = _deploy_check(tmp_path, **changed)

    assert done.returncode != 0
    assert said in done.stderr


def test_checks_refuse_open_hosts_and_shared_secrets(settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.PE_AUDIT_KEY = settings.SECRET_KEY

    found = [
        *checks.check_hosts(),
        *checks.check_secrets_differ(),
        *checks.check_environment(),
    ]

    assert [one.id for one in found] == [
        "platform.E001",
        "platform.E002",
        "platform.W001",
    ]


def test_checks_accept_good_settings(settings):
    settings.ALLOWED_HOSTS = ["platform.example.org"]
    settings.IS_PRODUCTION = True

    assert checks.check_hosts() == []
    assert checks.check_secrets_differ() == []
    assert checks.check_environment() == []


def test_a_local_file_from_before_data_keys_gets_one_and_keeps_the_rest(bare):
    ensure_local_env(bare)
    path = bare / ".env"
    lines = path.read_text().splitlines()
    older = [line for line in lines if not line.startswith("PE_DATA_KEY=")]
    path.write_text("\n".join(older) + "\n")

    ensure_local_env(bare)
    once = path.read_text()
    ensure_local_env(bare)

    assert once.splitlines()[:-1] == older
    assert once.splitlines()[-1].startswith("PE_DATA_KEY=")
    assert path.read_text() == once


def test_a_production_file_gets_no_invented_key(bare):
    path = bare / ".env"
    path.write_text("PE_ENVIRONMENT=production\n")

    ensure_local_env(bare)

    assert path.read_text() == "PE_ENVIRONMENT=production\n"
