"""What stops a crew."""

__all__ = ["CrewError"]


class CrewError(Exception):
    """A crew that cannot begin, or that lost a worker; the text is one sentence."""
