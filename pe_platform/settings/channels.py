"""How people are told of a crisis, and what is kept while they are on their way."""

from __future__ import annotations

from pe_platform.settings import env
from pe_platform.settings.paths import PE_STATE_DIR

# A channel that lacks its settings is not used; check safety.W001 says so.
PE_NOTIFICATION_CHANNELS = [
    "apps.safety.channels.mail.MailChannel",
    "apps.safety.channels.webhook.WebhookChannel",
    "apps.safety.channels.log.LogChannel",
]
# Tries for each notice of a rung; the waits are 15, 30, 60 and 120 s.
PE_NOTIFICATION_ATTEMPTS = env.integer(
    "PE_NOTIFICATION_ATTEMPTS", 5, minimum=1, maximum=10
)
PE_NOTIFICATION_BACKOFF_S = 15
# Usernames in order: on call, next responder. Without them everyone is told at once.
PE_ON_CALL = env.words("PE_ON_CALL")
# Where people reach the admin; links in notices start with it.
PE_PUBLIC_URL = env.text("PE_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")

# -- webhook: https, or http to this machine -------------------------------------------
PE_ESCALATION_WEBHOOK_URL = env.text("PE_ESCALATION_WEBHOOK_URL")
PE_ESCALATION_WEBHOOK_SECRET = env.text("PE_ESCALATION_WEBHOOK_SECRET")

# -- e-mail ----------------------------------------------------------------------------
EMAIL_HOST = env.text("PE_SMTP_HOST")
EMAIL_PORT = env.integer("PE_SMTP_PORT", 587, minimum=1, maximum=65535)
EMAIL_HOST_USER = env.text("PE_SMTP_USER")
EMAIL_HOST_PASSWORD = env.text("PE_SMTP_PASSWORD")
_encryption = env.choice("PE_SMTP_ENCRYPTION", "starttls", ("starttls", "tls", "none"))
EMAIL_USE_TLS = _encryption == "starttls"
EMAIL_USE_SSL = _encryption == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("PE_MAIL_FROM", "crisis-desk@localhost")
PE_MAIL_IS_CONFIGURED = bool(EMAIL_HOST)

# -- what is kept of a case ------------------------------------------------------------
# Days that the sealed text of a case is kept for break-glass reading; 0 keeps none.
PE_ESCALATION_TEXT_DAYS = env.integer(
    "PE_ESCALATION_TEXT_DAYS", 30, minimum=0, maximum=3650
)
# Cases that the database could not take wait here, sealed. Give it a durable volume.
PE_ESCALATION_SPOOL = PE_STATE_DIR / "escalations"
# A helpline that nobody verified for so many days raises an alert.
PE_CONTACT_STALE_DAYS = env.integer(
    "PE_CONTACT_STALE_DAYS", 180, minimum=1, maximum=3650
)
