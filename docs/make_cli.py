"""Write the page of the command line from its own help: ``docs/_generated/cli.md``.

The build of the documentation calls :func:`main`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mne_bstinv.cli import help_texts

FOLDER = Path(__file__).parent / "_generated"


def main(folder: Path) -> None:
    """Write one section a command.

    Parameters
    ----------
    folder : Path
        Where to; made if it does not exist.
    """
    os.environ["COLUMNS"] = "96"  # as wide as a page
    os.environ["NO_COLOR"] = "1"
    parts = []
    for name, text in help_texts().items():
        title = f"mne-bstinv {name}" if name else "All commands"
        parts.append(f"## {title}\n\n```text\n{text.rstrip()}\n```\n")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cli.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
