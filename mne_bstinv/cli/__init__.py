"""The command line: one module a subcommand, with ``TWINS``, ``add_arguments`` and ``run``.

The module of a subcommand, and what it works with, is imported when that subcommand is asked for.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from mne_bstinv._interruption import noted_interruption
from mne_bstinv._log import to_stderr
from mne_bstinv.cli.streams import clean_streams, path
from mne_bstinv.errors import BstInvError

__all__ = ["help_texts", "main"]

#: Subcommand → the first line of its module's docstring.
_COMMANDS = {
    "compare": "Compare Brainstorm's kernels of a study with MNE-Python's, and say what makes the "
    "difference.",
    "convert": "Convert one file of Brainstorm to one of MNE-Python, or back; names say what files "
    "hold.",
    "demo": "Verify the embedded sample, draw what one kernel makes of it, compare both toolboxes "
    "on it.",
    "explore": "Write a page on which the inverse of a study can be explored: sliders, spectrum, "
    "map.",
    "export": "Write MNE-Python's files as a condition of a Brainstorm protocol, new or existing.",
    "info": "Say what a Brainstorm file, or the protocol that a folder belongs to, holds.",
    "lambda": "Translate the regularisation of one toolbox into that of the other: SNR, Λ and "
    "lambda2.",
    "port": "Convert a whole protocol, or the zip that Brainstorm exports, to files of MNE-Python.",
    "scouts": "Extract scout time series of all source maps of a protocol into one table.",
    "sys-info": "Say what is installed: platform, versions, linear algebra, folders; for a report "
    "of a problem.",
    "verify": "Recompute the kernels below a path, and what was made of them, and compare both.",
}
#: What the process returns.
_EXIT_CODES = (
    "0 success; 1 something differs or failed, and is named; 2 unusable input, nothing was "
    "written; 130 interrupted; 141 nobody reads what is printed any more"
)
#: Exit codes of programs that Ctrl-C (SIGINT) or a closed pipe (SIGPIPE) ended.
_INTERRUPTED, _PIPE_CLOSED = 130, 141
#: Shells whose commands can be completed.
_SHELLS = ("bash", "zsh")
#: Subcommands whose modules have another name: ``lambda`` is a word of Python.
_MODULES = {"lambda": "lambda_", "sys-info": "sys_info"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str | None
        The arguments; ``None`` takes those of the process.

    Returns
    -------
    int
        Exit code: 0 success; 1 something differs or failed, and is named; 2 unusable input, nothing
        was written; 130 interrupted; 141 nobody reads what is printed any more.
    """
    try:
        with noted_interruption():
            return _parsed_and_run(argv)
    except KeyboardInterrupt as error:  # what it says is what was done, and what to do
        with clean_streams():
            print(": ".join(["interrupted", *map(str, error.args)]), file=sys.stderr)
        return _INTERRUPTED


def _parsed_and_run(argv: Sequence[str] | None) -> int:
    parser = _parser()
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        hint = getattr(_module(args.command), "MISPLACED", "")
        command = _commands(parser)[args.command]
        command.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    with clean_streams(quiet=args.quiet):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    try:
        with to_stderr(_level(args)):
            code = int(args.run(args))
            sys.stdout.flush()
            return code
    except BstInvError as error:
        print(f"mne-bstinv {args.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe (head, less) has seen enough: no success, since
        return _PIPE_CLOSED  # nobody knows what the rest would have been
    except OSError as error:  # a folder that cannot be written, a full disk
        told = f"{error.filename}: {error.strerror}." if error.filename else str(error)
        print(f"mne-bstinv {args.command}: {told}", file=sys.stderr)
        return 2


def _level(args: argparse.Namespace) -> int:
    """Return the lowest level of messages that are shown."""
    if args.quiet:
        return logging.ERROR
    return (logging.WARNING, logging.INFO, logging.DEBUG)[min(args.verbose, 2)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mne-bstinv",
        description="The bridge between MNE-Python and Brainstorm.",
        epilog=f"Exit codes: {_EXIT_CODES}.",
    )
    parser.add_argument("--version", action=_Version)
    parser.add_argument(
        "--print-completion",
        action=_Completion,
        metavar="SHELL",
        choices=_SHELLS,
        help=f"print what completes commands in a shell ({', '.join(_SHELLS)}), and exit",
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Command
    )
    for name, summary in _COMMANDS.items():
        commands.add_parser(name, help=summary).set_defaults(name=name)
    return parser


def help_texts() -> dict[str, str]:
    """Collect what ``--help`` prints.

    Returns
    -------
    dict of str to str
        The text by the name of the subcommand; ``""`` is the command itself.
    """
    parser = _parser()
    texts = {"": parser.format_help()}
    for name in _COMMANDS:
        command = _Command(prog=f"mne-bstinv {name}")
        command.set_defaults(name=name)
        command.declare()
        texts[name] = command.format_help()
    return texts


def _module(command: str) -> Any:
    return import_module(f"mne_bstinv.cli.{_MODULES.get(command, command)}")


class _Command(argparse.ArgumentParser):
    """A subcommand, which declares its arguments when it is asked for."""

    def declare(self) -> None:
        """Declare the arguments of the subcommand."""
        module = _module(self.get_default("name"))
        self.description = module.__doc__
        self.epilog = f"In Python: {', '.join(module.TWINS)}."
        module.add_arguments(self)
        how_much = self.add_mutually_exclusive_group()
        how_much.add_argument(
            "-v",
            "--verbose",
            action="count",
            default=0,
            help="say more of what is done; twice: of what failed, too, with tracebacks",
        )
        how_much.add_argument(
            "-q", "--quiet", action="store_true", help="no warnings and no progress bars"
        )
        self.set_defaults(run=module.run)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.declare()
        return super().parse_known_args(args, namespace)


def _commands(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Return the subcommands by their names."""
    return next(a.choices for a in parser._actions if isinstance(a.choices, dict))


class _Completion(argparse.Action):
    """Print the script that completes commands in a shell, and exit."""

    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: Any, *__: object) -> None:
        try:
            import shtab
        except ImportError:
            parser.error("--print-completion needs shtab: pip install 'mne-bstinv[completion]'")
        whole = _parser()
        for command in _commands(whole).values():
            command.declare()
            for action in command._actions:
                if action.type in (Path, path):
                    action.complete = shtab.FILE
        print(shtab.complete(whole, shell))
        parser.exit()


class _Version(argparse.Action):
    """Print the version, which takes time to find, and exit."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        how = "show program's version number and exit"  # as argparse says
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=how)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from mne_bstinv import __version__

        print(f"mne-bstinv {__version__}")
        parser.exit()
