"""What makes a library impossible, or stops one before it is complete."""

__all__ = ["LibraryError"]


class LibraryError(Exception):
    """A library that cannot be made, finished or read; the text is one sentence."""
