"""Memory that is freed stays with the process."""

import platform
import subprocess
import sys

import pytest

# Faults of pages of a process that makes and frees 40 arrays of 16 MiB.
FAULTS = """
import resource, sys
import numpy as np
from saxinfer.crew.memory import keep_memory
if sys.argv[1] == "keep":
    assert keep_memory()
np.ones(2**21)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(40):
    np.ones(2**21)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Page faults of a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
def test_pages_are_asked_for_once() -> None:
    # 16 MiB are 4,096 pages of 4 KiB, or 8 large ones.
    assert faults("keep") < 0.2 * faults("leave")
