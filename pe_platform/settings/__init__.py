"""Settings: one base module, everything from the environment, safe when nothing is set.

Debug is off, hosts are empty, secrets are required, cookies are secure. `make run`
writes a .env for one machine; production sets the same variables itself.
"""

from pe_platform.settings.base import *  # noqa: F403
