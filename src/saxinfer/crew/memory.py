"""Memory that is freed stays with the process.

Curves of a batch are large arrays that live for milliseconds. glibc hands each of them
back to the system, and gets it anew, zeroed page by page: a tenth of a fit's time and
more. A process that is ours alone keeps what it has used instead. The largest arrays
still go back: among smaller ones they would leave gaps that nothing fits into.

References:
    mallopt(3), Linux man-pages: M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD.
"""

import ctypes
import platform

__all__ = ["keep_memory"]

# Numbers of glibc's malloc.h, and what they are set to [bytes].
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
KEPT, AHEAD, LARGEST = 2**29, 2**26, 2**25


def keep_memory() -> bool:
    """Lets this process keep the memory that it frees; its results are the same.

    Returns:
        Whether the allocator does so; others than glibc are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    asked = {TRIM_THRESHOLD: KEPT, TOP_PAD: AHEAD, MMAP_THRESHOLD: LARGEST}
    mallopt = ctypes.CDLL(None).mallopt
    return all([mallopt(name, value) == 1 for name, value in asked.items()])
