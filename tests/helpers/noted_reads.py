"""Note which thread reads which file."""

from __future__ import annotations

import functools
import threading

import pytest

from mne_bstinv import io


def note_reads(monkeypatch: pytest.MonkeyPatch, *readers: str) -> dict[str, list[str]]:
    """Files (folder/name) that these readers are asked for from now on, and their threads."""
    found: dict[str, list[str]] = {}
    for name in readers:
        original = getattr(io, name)

        @functools.wraps(original)
        def read(file, original=original):
            thread = threading.current_thread().name
            found.setdefault(f"{file.parent.name}/{file.name}", []).append(thread)
            return original(file)

        monkeypatch.setattr(io, name, read)
    return found
