"""Keys of data at rest: which wrapper holds them, and where subject keys lie."""

from __future__ import annotations

from pe_platform.settings import env
from pe_platform.settings.paths import PE_STATE_DIR

# What lies sealed: rotation goes through each of these.
PE_SEALED_STORES = [
    "apps.inference.sealed_stores.KeptTextStore",
    "apps.inference.sealed_stores.OutcomeStore",
    "apps.inference.sealed_stores.BatchLineStore",
    "apps.models_registry.sealed_stores.EndpointSecretStore",
    "apps.accounts.sealed_stores.AuthenticatorStore",
    "apps.safety.sealed_stores.CaseTextStore",
    "apps.safety.sealed_stores.SpooledCaseStore",
]
# What is kept of participants: shown on request, removed on erasure. Words come before
# the rows that say whose they are.
PE_PERSONAL_HOLDINGS = [
    "apps.compliance.holdings.KeptTexts",
    "apps.compliance.holdings.CaseTexts",
    "apps.compliance.holdings.StoredOutcomes",
    "apps.compliance.holdings.BatchLines",
    "apps.compliance.holdings.RequestRecords",
    "apps.compliance.holdings.Cases",
]
# Where the key-encryption key comes from; one line makes another kind exist.
PE_KEY_WRAPPERS = [
    "apps.core.keys.wrapping.EnvironmentKeys",
    "apps.core.keys.wrapping.FileKeys",
]
PE_KEY_WRAPPER = env.choice("PE_KEY_WRAPPER", "environment", ("environment", "file"))
# environment: the current key, its id, and keys that must still open (id:key,id:key).
PE_DATA_KEY = env.secret("PE_DATA_KEY") if PE_KEY_WRAPPER == "environment" else ""
PE_DATA_KEY_ID = env.text("PE_DATA_KEY_ID", "data-1")
PE_DATA_OLD_KEYS = env.named_secrets("PE_DATA_OLD_KEYS")
# file: lines id:secret, the first one current.
PE_DATA_KEY_FILE = env.text("PE_DATA_KEY_FILE")
# One wrapped key a person, outside the database and outside its backups, on a volume
# that all machines share. Losing it loses everything that people's keys sealed.
PE_SUBJECT_KEY_DIR = env.text("PE_SUBJECT_KEY_DIR") or str(PE_STATE_DIR / "keys")
