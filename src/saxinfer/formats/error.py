"""The one error that a file which is no readable curve raises."""

__all__ = ["FormatError"]


class FormatError(ValueError):
    """A file cannot be read as scattering curves; the sentence says why.

    The sentence starts with the name of the file, says what was found in it, and
    what to do where something can be done.

    Example:
        >>> raise FormatError("beam.tif: is a detector image (TIFF).")
        Traceback (most recent call last):
        ...
        saxinfer.formats.error.FormatError: beam.tif: is a detector image (TIFF).
    """
