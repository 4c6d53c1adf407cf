"""Libraries of simulated curves, labelled, on disk, and of any length.

``make_library`` makes what a :class:`Recipe` says, ``open_library`` reads it. A library
that was stopped in any way is finished by making it again with ``resume``; it is then
what it would have been, to the last bit.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from saxinfer.crew import Crew, CrewError, Team
from saxinfer.library.block import computed
from saxinfer.library.error import LibraryError
from saxinfer.library.recipe import Box, Recipe
from saxinfer.library.rehearsal import rehearse
from saxinfer.library.store import Store, open_library, refuse_existing

__all__ = ["Box", "LibraryError", "Recipe", "make_library", "open_library"]


def make_library(
    recipe: Recipe,
    folder: Path,
    crew: Crew | None = None,
    *,
    resume: bool = False,
    command: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Makes a library.

    Args:
        recipe: What it holds.
        folder: Where it goes.
        crew: Who works it out; a process a core if None. A program that calls this
            needs the usual ``if __name__ == "__main__":``.
        resume: Whether to finish what is there.
        command: What made it, for its attributes.
        progress: Told how many curves are done, of how many.

    Returns:
        Number of curves that were made; those that were there are not counted.

    Raises:
        LibraryError: If it cannot be made, or not be finished. What was done is kept.
    """
    if not (resume and folder.exists()):
        refuse_existing(folder)
        rehearse(recipe)
    with (
        _ready(crew or Crew()) as team,
        Store.opened(folder, recipe, resume=resume, command=command) as store,
    ):
        before = done = store.curves
        missing = store.missing
        try:
            if progress is not None:
                progress(done, recipe.count)
            with closing(team(partial(computed, recipe), missing)) as blocks:
                for block in blocks:
                    store.write(block)
                    done += recipe.held(block.number)
                    if progress is not None:
                        progress(done, recipe.count)
            store.finish()
        except (CrewError, LibraryError, OSError) as error:
            raise LibraryError(_stopped(error, folder, done, recipe)) from error
    return done - before


@contextmanager
def _ready(crew: Crew) -> Iterator[Team]:
    """The crew; that there is none is a reason why there is no library."""
    try:
        with crew.ready() as team:
            yield team
    except CrewError as error:
        raise LibraryError(str(error)) from None


def _stopped(error: Exception, folder: Path, done: int, recipe: Recipe) -> str:
    """What happened, what is kept, and what to do."""
    reason = str(error)
    if isinstance(error, OSError):
        cause = (error.strerror or str(error)).lower()
        reason = f"{folder}: cannot be written: {cause}."
    return (
        f"{reason} {done:,} of {recipe.count:,} curves are kept; finish the library "
        "with --resume."
    )
