"""What a structure is made of, as far as its parameters speak of it."""

from dataclasses import dataclass

__all__ = ["Phase"]


@dataclass(frozen=True)
class Phase:
    """One phase of a structure.

    The values are those of :meth:`saxinfer.structures.base.Structure.phase_values`;
    where a word is empty, the model does not say it.

    Attributes:
        name: What it is called.
        fraction: Of what its fraction is taken.
        contrast: What its density is counted from, and in what unit.
        length: Which length it has [nm].
    """

    name: str
    fraction: str = ""
    contrast: str = ""
    length: str = ""
