"""Settings: one base module, everything from the environment, safe when nothing is set.

Debug is off, hosts are empty, secrets are required, cookies are secure. `make run`
writes a .env for one machine; production sets the same variables itself.
"""

import os

# The test settings live in this package and choose their own secrets before they read
# the base module: reading it here would demand real ones from a clean clone.
if os.environ.get("DJANGO_SETTINGS_MODULE") != "pe_platform.settings.test":
    from pe_platform.settings.base import *  # noqa: F403
