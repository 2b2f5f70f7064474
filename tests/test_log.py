"""The log is silenced for the thread that asks for it, and for no longer."""

from __future__ import annotations

import logging
import threading

from mne_bstinv._log import warnings_silenced

OURS = logging.getLogger("mne_bstinv")


def test_warnings_are_silenced_and_errors_are_not(caplog):
    with warnings_silenced():
        OURS.warning("a warning")
        OURS.error("an error")
        logging.getLogger("another").warning("of another")
    OURS.warning("afterwards")
    assert caplog.messages == ["an error", "of another", "afterwards"]


def test_other_loggers_and_nesting(caplog):
    other = logging.getLogger("another")
    with warnings_silenced("another"):
        with warnings_silenced():
            other.warning("inside")
        OURS.warning("still")
    other.warning("afterwards")
    assert caplog.messages == ["afterwards"]


def test_other_threads_are_heard_and_cannot_end_the_silence(caplog):
    started, ended = threading.Event(), threading.Event()

    def work() -> None:
        with warnings_silenced():
            started.set()
            ended.wait()
        OURS.warning("of the thread")

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    OURS.warning("of the other")
    with warnings_silenced():
        ended.set()
        thread.join()
        OURS.warning("silent")
    assert caplog.messages == ["of the other", "of the thread"]
