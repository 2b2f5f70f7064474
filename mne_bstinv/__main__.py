"""``python -m mne_bstinv``."""

import sys

from mne_bstinv.cli import main

if __name__ == "__main__":
    sys.exit(main())
