"""The command line: one module a subcommand, each with ``add_arguments`` and ``run``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from mne_bstinv._log import to_stderr
from mne_bstinv.cli import (
    compare,
    convert,
    demo,
    export,
    info,
    lambda_,
    port,
    scouts,
    sys_info,
    verify,
)
from mne_bstinv.errors import BstInvError

__all__ = ["main"]

_COMMANDS = {
    "compare": compare,
    "convert": convert,
    "demo": demo,
    "export": export,
    "info": info,
    "lambda": lambda_,
    "port": port,
    "scouts": scouts,
    "sys-info": sys_info,
    "verify": verify,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str | None
        The arguments; ``None`` takes those of the process.

    Returns
    -------
    int
        Exit code: 0 success; 1 something differs or failed; 2 unusable input.
    """
    parser = _parser()
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        hint = getattr(_COMMANDS[args.command], "MISPLACED", "")
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    try:
        with to_stderr():
            return int(args.run(args))
    except BstInvError as error:
        print(f"mne-bstinv {args.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe (head, less) has seen enough
        sys.stderr.close()
        return 0
    except OSError as error:  # a folder that cannot be written, a full disk
        print(f"mne-bstinv {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mne-bstinv", description="The bridge between MNE-Python and Brainstorm."
    )
    parser.add_argument("--version", action="version", version=f"mne-bstinv {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in _COMMANDS.items():
        summary = (module.__doc__ or "").splitlines()[0]
        command = commands.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _version() -> str:
    from mne_bstinv import __version__

    return __version__
