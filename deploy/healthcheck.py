"""What HEALTHCHECK runs: is the process behind PE_BIND alive? Exit 0 or 1.

Standard library only, and no settings: it starts in a tenth of a second and works in
an image without curl. It asks /livez: an instance whose database is away is alive, and
killing it would not bring the database back. ``--ready`` asks /readyz; ``--worker``
asks the port on which a Celery worker serves its metrics.
"""

from __future__ import annotations

import http.client
import os
import sys

TIMEOUT_S = 4.0


def main(arguments: list[str]) -> int:
    """0 when the instance answers 200."""
    variable = "PE_WORKER_METRICS_BIND" if "--worker" in arguments else "PE_BIND"
    host, _, port = os.environ.get(variable, "127.0.0.1:8000").rpartition(":")
    address = "127.0.0.1" if host in ("", "0.0.0.0", "[::]") else host.strip("[]")
    path = "/readyz" if "--ready" in arguments else "/livez"
    name = os.environ.get("PE_ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    asked = http.client.HTTPConnection(address, int(port), timeout=TIMEOUT_S)
    try:
        asked.request("GET", path, headers={"Host": name})
        return 0 if asked.getresponse().status == http.client.OK else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        asked.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
