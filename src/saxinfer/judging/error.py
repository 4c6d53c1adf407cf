"""What is raised when a calibration cannot be made."""

__all__ = ["CalibrationError"]


class CalibrationError(Exception):
    """Wrong use, or a method that does not answer as agreed; one sentence."""
