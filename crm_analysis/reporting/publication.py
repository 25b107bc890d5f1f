"""
Where a run's files go: built in a folder of its own, put in place at once, the earlier run removed last.

What stands in the files belongs in :mod:`crm_analysis.reporting.build`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from crm_analysis.errors import ParamsError


class Publication:
    """
    The folder of one run, ``<out>/<suite>/<as_of>/``, and the one it is built in.

    Parameters
    ----------
    out : pathlib.Path
        The folder of all reports.
    suite : str
        The suite's name.
    as_of : datetime.date
        The last day known.

    Attributes
    ----------
    final : pathlib.Path
        Where readers look.
    partial : pathlib.Path
        Where the run is built.
    """

    def __init__(self, out: Path, suite: str, as_of: date) -> None:
        home = out / suite
        self.final = home / str(as_of)
        self.partial = home / f".{as_of}.partial"
        self._aside = home / f".{as_of}.earlier"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """
        Hold the suite's folder, so that no second run builds in it at the same time.

        Yields
        ------
        None
            While held.

        Raises
        ------
        ParamsError
            The folder cannot be written, or another run holds it.
        """
        home = self.final.parent
        try:
            home.mkdir(parents=True, exist_ok=True)
            handle = os.open(home, os.O_RDONLY)
        except OSError as error:
            raise _unwritable(home, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise ParamsError(f"Another run is writing to {home}. Wait for it, or choose another --out.") from error
        try:
            self._mend()
            yield
        finally:
            os.close(handle)

    def begin(self, *, resume: bool, keep: bool) -> None:
        """
        Make the folder to build in.

        Parameters
        ----------
        resume : bool
            Go on with what an interrupted run left.
        keep : bool
            Start from the reports of the earlier run.

        Raises
        ------
        ParamsError
            The folder cannot be written.
        """
        try:
            if self.partial.exists() and not resume:
                shutil.rmtree(self.partial)
            if not self.partial.exists() and keep and self.final.exists():
                shutil.copytree(self.final, self.partial)
            self.partial.mkdir(exist_ok=True)
            probe = self.partial / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise _unwritable(self.partial.parent, error) from error

    def publish(self) -> None:
        """Put the finished folder in place: the earlier run is moved aside first and removed last."""
        if self.final.exists():
            self.final.rename(self._aside)
        self.partial.rename(self.final)
        shutil.rmtree(self._aside, ignore_errors=True)

    def discard(self) -> None:
        """Remove what was built; the earlier run stays as it is."""
        shutil.rmtree(self.partial, ignore_errors=True)

    def _mend(self) -> None:
        """Undo what a run that died while publishing left behind."""
        if self._aside.exists() and not self.final.exists():
            self._aside.rename(self.final)
        shutil.rmtree(self._aside, ignore_errors=True)


def _unwritable(folder: Path, error: OSError) -> ParamsError:
    return ParamsError(f"--out: {folder} cannot be written ({error.strerror}). Choose another folder.")
