"""A child that ends when its parent does, however the parent ended.

Without this a killed parent leaves children that hold its port, its database or a
lease. Linux only; elsewhere a killed parent's children are for a person to stop.
"""

from __future__ import annotations

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
# Loaded here, not after a fork, where loading could wait for a lock for ever.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent's thread that forked us ends."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
