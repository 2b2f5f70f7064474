"""The log is as loud as MNE's, in its place, and silenced for the thread that asks for it."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

import mne
import pytest
from info_helpers import eeg, electrode

import mne_bstinv
from mne_bstinv._log import to_stderr, warnings_silenced
from mne_bstinv.io import Channel

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


# as loud as MNE

#: One finding of each level: the head frame is a guess, points are those of the channels.
CHANNELS = eeg(scs=None)


def logged(caplog: pytest.LogCaptureFixture) -> list[int]:
    """Levels of what was heard of the package, each once."""
    return sorted({r.levelno for r in caplog.records if r.name == "mne_bstinv"})


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        (None, [logging.INFO, logging.WARNING]),  # MNE's own level
        ("INFO", [logging.INFO, logging.WARNING]),
        (True, [logging.INFO, logging.WARNING]),
        ("WARNING", [logging.WARNING]),
        (False, [logging.WARNING]),
        ("ERROR", []),
    ],
)
@pytest.mark.parametrize("way", ["argument", "context", "global"])
def test_mnes_level_governs(level, heard, way, caplog):
    before = mne.set_log_level("INFO", return_old_level=True)
    try:
        if way == "argument":
            mne_bstinv.to_info(CHANNELS, sfreq=100.0, verbose=level)
        elif way == "context":
            with mne.utils.use_log_level("INFO" if level is None else level):
                mne_bstinv.to_info(CHANNELS, sfreq=100.0)
        else:
            mne.set_log_level("INFO" if level is None else level)
            mne_bstinv.to_info(CHANNELS, sfreq=100.0)
    finally:
        mne.set_log_level(before)
    assert logged(caplog) == heard


def test_messages_go_where_mnes_go(tmp_path):
    with mne.utils.use_log_level("INFO"), mne.utils.catch_logging() as log:
        mne_bstinv.to_info(CHANNELS, sfreq=100.0)
    assert "channels → Info: assumed: SCS" in log.getvalue()
    with mne.utils.use_log_level("WARNING"), mne.utils.catch_logging() as log:
        mne_bstinv.to_info(CHANNELS, sfreq=100.0)
        assert "derived" not in log.getvalue()
    with mne.utils.catch_logging() as log, to_stderr():
        OURS.warning("of a command")
    assert log.getvalue() == ""


def test_the_package_can_be_quieter_than_mne(caplog):
    with caplog.at_level(logging.ERROR, logger="mne_bstinv"):
        mne_bstinv.to_info(CHANNELS, sfreq=100.0, verbose=True)
    assert caplog.messages == []


def test_without_mne_warnings_are_heard():
    code = """
import logging, sys, mne_bstinv
assert "mne" not in sys.modules
logging.getLogger("mne_bstinv").warning("a warning")
logging.getLogger("mne_bstinv").info("a remark")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == "a warning\n"
    assert run.stdout == ""


def test_one_line_for_all_channels(caplog):
    """A cap of 256 electrodes without positions, and back."""
    channels = eeg(
        channels=tuple(Channel(name=f"E{i}", type="EEG") for i in range(256))
        + tuple(electrode(f"S{i}", [0.1, 0, 0], "Video") for i in range(64))
    )
    info = mne_bstinv.to_info(channels, sfreq=100.0)
    fields = [f.field for f in mne_bstinv.conversion_report(info)]
    assert sorted(fields) == ["Channel.Loc", "Channel.Loc", "Channel.Type"]
    told = [m for m in caplog.messages if "have no position" in m]
    assert len(told) == 1
    assert "E0, E1, E2, E3, E4, E5, E6, E7, E8, E9 and 246 more" in told[0]
    caplog.clear()
    for ch in info["chs"]:
        ch["loc"][:3], ch["coord_frame"] = 0.1, 5
    bare = mne.create_info(info.ch_names, 100.0, info.get_channel_types())
    for ch, other in zip(bare["chs"], info["chs"], strict=True):
        ch["loc"][:3], ch["coord_frame"] = 0.1, other["coord_frame"]
    mne_bstinv.from_info(bare)
    assert len([m for m in caplog.messages if "unknown frame" in m]) == 1
