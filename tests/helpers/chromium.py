"""A page in a real browser, and what it leaves in its document."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--dump-dom",
]  # fmt: skip


def find_browser() -> str | None:
    """Return the first browser that is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def heard_in(browser: str, page: Path, width: int, *, budget: int) -> Any:
    """Load a page for so many virtual ms and return the ``data-heard`` of its document."""
    command = [
        browser, *OPTIONS, f"--virtual-time-budget={budget}", f"--window-size={width},900",
        f"--user-data-dir={page.with_name(f'profile{width}')}", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'data-heard="([^"]*)"', done.stdout)
    assert found, f"the page was not loaded: {done.stderr[-300:]}"
    return json.loads(html.unescape(found.group(1)))
