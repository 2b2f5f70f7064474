"""How many processes work on the conditions of a protocol."""

from __future__ import annotations

from mne_bstinv.errors import OptionError

__all__ = ["n_workers"]


def n_workers(n_jobs: int | None) -> int:
    """Return the number of conditions at a time that is asked for, refusing what is no number.

    −1 stands for one a core, None for what ``joblib.parallel_config`` says, else 1.
    """
    if n_jobs == 1:
        return 1
    if n_jobs is not None and not (isinstance(n_jobs, int) and (n_jobs == -1 or n_jobs >= 1)):
        raise OptionError(
            "n_jobs must be a positive number of conditions, or -1 for one a core; found "
            f"{n_jobs!r}."
        )
    from joblib import effective_n_jobs

    return int(effective_n_jobs(n_jobs))
