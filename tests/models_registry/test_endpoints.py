"""Endpoints as versions, and their secrets: recorded, sealed, bound to one origin."""

from __future__ import annotations

import io
import json
import sys
from ipaddress import ip_address, ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.urls import reverse

from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.core.errors import IntegrityFailure, InvalidInput, NotPermitted
from apps.models_registry import services
from apps.models_registry.adapters.remote.addresses import is_allowed
from apps.models_registry.adapters.remote.endpoint import origin_of, parse_endpoint
from apps.models_registry.artifacts import open_verified
from apps.models_registry.contracts import TextRequest
from apps.models_registry.errors import ManifestInvalid, SecretMissing
from apps.models_registry.models import EndpointSecret
from apps.models_registry.secrets import endpoint_secret
from apps.models_registry.selectors import as_servable
from apps.models_registry.serving import load_adapter
from apps.models_registry.training import run_training
from pe_platform.settings import env
from tests.models_registry import stages

SECRET = "sk-0123456789-abcdef"
URL = "https://llm.example.org/v1"
ENDPOINT = {"base_url": URL, "model": "tiny", "secret": "llm-key", "temperature": 0.5}


@pytest.fixture
def registered(operator, messages):
    """A draft version of an endpoint, through manifest and run."""
    services.register_model(
        actor=operator, name="companion", task="support_reply", description="Writes."
    )
    manifest = services.create_manifest(actor=operator, document=document(messages))
    run = services.queue_run(actor=operator, manifest_id=str(manifest.pk))
    return run_training(str(run.pk))


def document(messages, **changes):
    return stages.manifest_document(
        "",
        "",
        model="companion",
        runner={"name": "llm_remote", "version": "1"},
        datasets={"messages": messages.digest},
        hyperparameters={**ENDPOINT, **changes},
    )


def store(operator, name="llm-key", url=URL, secret=SECRET):
    return services.set_endpoint_secret(
        actor=operator, name=name, base_url=url, secret=secret
    )


@pytest.mark.django_db
def test_an_endpoint_becomes_a_version_with_a_card_and_no_secret(registered, operator):
    store(operator)
    content = open_verified(registered.artifacts["endpoint.json"]).content
    kept = json.loads(content)

    adapter = load_adapter(as_servable(registered))

    assert registered.adapter == adapter.name == "llm_remote"
    assert (kept["base_url"], kept["secret"]) == (URL, "llm-key")
    assert "https://llm.example.org:443" in registered.card
    assert SECRET not in content.decode() + registered.card
    adapter.unload()


@pytest.mark.django_db
def test_a_version_whose_secret_nobody_set_asks_nothing(registered):
    adapter = load_adapter(as_servable(registered))

    with pytest.raises(SecretMissing):
        adapter.predict([TextRequest("I slept badly.")])

    adapter.unload()


@pytest.mark.django_db
def test_a_manifest_of_a_wrong_endpoint_is_refused(operator, messages, registered):
    with pytest.raises(ManifestInvalid, match="temperature"):
        services.create_manifest(
            actor=operator, document=document(messages, temperature=3.0)
        )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"base_url": "ftp://x/v1"}, "base_url"),
        ({"base_url": "https://user:pass@x/v1"}, "base_url"),
        ({"base_url": "https://x/v1?key=1"}, "base_url"),
        ({"base_url": "https:///v1"}, "base_url"),
        ({"model": " "}, "model"),
        ({"secret": "sk-Not A Name"}, "secret"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"read_timeout_s": 60}, "read_timeout_s"),
        ({"token_limit_field": "tokens"}, "token_limit_field"),
        ({"system_prompt": "x" * 9000}, "system_prompt"),
        ({"system_prompt": 5}, "system_prompt"),
        ({"api_key": "x"}, "api_key"),
    ],
)
def test_an_endpoint_that_does_not_fit_is_refused_by_field(change, what):
    with pytest.raises(InvalidInput, match=what):
        parse_endpoint({**ENDPOINT, **change})


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (URL, "https://llm.example.org:443"),
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080"),
        ("https://[2001:db8::1]/v1", "https://[2001:db8::1]:443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, origin):
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1",
        "64:ff9b::a00:1", "2002:a00:1::1",
    ],
)  # fmt: skip
def test_addresses_inside_networks_are_refused_until_allowed(address):
    found = ip_address(address)
    everything = [ip_network("0.0.0.0/0"), ip_network("::/0")]

    assert not is_allowed(found, [], is_plain=False)
    assert is_allowed(found, everything, is_plain=True)


def test_public_addresses_are_called_with_tls_alone():
    assert is_allowed(ip_address("8.8.8.8"), [], is_plain=False)
    assert not is_allowed(ip_address("8.8.8.8"), [], is_plain=True)


def test_networks_are_read_from_settings_or_refused(monkeypatch):
    monkeypatch.setenv("PE_TEST_NETS", "10.1.0.0/16, ::1/128")
    assert env.networks("PE_TEST_NETS") == [
        ip_network("10.1.0.0/16"), ip_network("::1/128"),
    ]  # fmt: skip
    monkeypatch.setenv("PE_TEST_NETS", "localhost")
    with pytest.raises(ImproperlyConfigured, match="PE_TEST_NETS"):
        env.networks("PE_TEST_NETS")


@pytest.mark.django_db
def test_a_secret_is_sealed_and_audited_without_its_value(operator):
    row = store(operator)

    entry = AuditEntry.objects.get(event="models_registry.endpoint_secret_set")
    assert endpoint_secret("llm-key", origin_of(URL)) == SECRET
    assert SECRET.encode() not in bytes(row.sealed)
    assert SECRET not in str(entry.details) + str(row)
    assert entry.details["origin"] == "https://llm.example.org:443"


@pytest.mark.django_db
def test_a_secret_is_for_one_origin_alone(operator):
    store(operator)

    with pytest.raises(SecretMissing):
        endpoint_secret("llm-key", "https://elsewhere.example.org:443")


@pytest.mark.django_db
def test_a_secret_whose_row_was_pointed_elsewhere_does_not_open(operator):
    store(operator)
    elsewhere = "https://elsewhere.example.org:443"
    EndpointSecret.objects.update(origin=elsewhere)

    with pytest.raises(IntegrityFailure):
        endpoint_secret("llm-key", elsewhere)


@pytest.mark.django_db
def test_a_new_secret_takes_the_place_of_the_old(operator):
    store(operator)
    store(operator, secret="sk-another-0123456789")

    assert EndpointSecret.objects.count() == 1
    assert endpoint_secret("llm-key", origin_of(URL)) == "sk-another-0123456789"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [{"name": "No Name"}, {"secret": "a b"}, {"secret": ""}, {"url": "x"}]
)
def test_what_is_no_secret_is_refused_without_being_quoted(operator, change):
    with pytest.raises(InvalidInput) as refused:
        store(operator, **change)

    assert SECRET not in refused.value.message


@pytest.mark.django_db
def test_only_who_may_sets_a_secret(acting):
    with pytest.raises(NotPermitted):
        store(acting("rita", Role.REVIEWER))


@pytest.mark.django_db
def test_the_command_reads_the_secret_from_its_input(operator, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(SECRET + "\n"))
    said = io.StringIO()

    call_command("set_endpoint_secret", "llm-key", URL, "--as", "olga", stdout=said)

    assert endpoint_secret("llm-key", origin_of(URL)) == SECRET
    assert said.getvalue().strip() == "llm-key for https://llm.example.org:443"
    with pytest.raises(CommandError):
        call_command("set_endpoint_secret", "llm-key", URL, "--as", "nobody")


@pytest.mark.django_db
def test_the_screen_takes_a_secret_and_never_shows_it(client, person):
    client.force_login(person("oscar", Role.OPERATOR))
    form = {"name": "llm-key", "base_url": URL, "secret": SECRET}

    added = client.post(reverse("admin:models_registry_endpointsecret_add"), form)
    row = EndpointSecret.objects.get()
    page = client.get(
        reverse("admin:models_registry_endpointsecret_change", args=[row.pk])
    )
    listed = client.get(reverse("admin:models_registry_endpointsecret_changelist"))

    assert added.status_code == 302
    for shown in (page, listed):
        assert shown.status_code == 200
        assert b"https://llm.example.org:443" in shown.content
        assert SECRET.encode() not in shown.content
        assert bytes(row.sealed).hex().encode() not in shown.content
