"""Translate the regularisation of one toolbox into that of the other: SNR, Λ and lambda2."""

from __future__ import annotations

import argparse
import json
import math
import sys
from typing import Any

from mne_bstinv.cli.effects import refuse_unless
from mne_bstinv.errors import OptionError
from mne_bstinv.inverse import regularization as rules

__all__ = ["TWINS", "add_arguments", "run", "translate"]

#: What does the same in Python.
TWINS = ("mne_bstinv.inverse.lambda2_from_brainstorm_snr",)

#: Amplitude SNRs outside of these are nobody's choice: a unit is wrong.
_POSSIBLE_SNR = (1e-3, 1e3)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--snr", type=float, help="signal-to-noise ratio, see --scale")
    given.add_argument("--lambda2", type=float, help="MNE's lambda2, instead of an SNR")
    given.add_argument(
        "--rms",
        type=float,
        metavar="nA·m",
        help="Brainstorm's RMS source amplitude in nA·m (SnrRms in files and in Python is in A·m, "
        "1e9 times smaller); needs --trace",
    )
    parser.add_argument(
        "--scale",
        choices=rules.SNR_SCALES,
        help="what --snr is a ratio of (default: amplitude, which both toolboxes mean)",
    )
    parser.add_argument("--channels", type=int, required=True, help="channels of the inverse, n")
    parser.add_argument("--rank", type=int, required=True, help="rank of their noise covariance, r")
    parser.add_argument(
        "--trace",
        type=float,
        help="trace t of L L' in (A·m)^-2, for numbers of Brainstorm's Λ (InverseResult.s2.sum())",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(args: argparse.Namespace) -> int:
    """Translate, print and return 0."""
    refuse_unless(args.snr is not None, "--snr", {"--scale": args.scale is not None})
    scale = args.scale or "amplitude"
    try:
        numbers = translate(
            snr=None if args.snr is None else rules.convert_snr(args.snr, scale),
            lambda2=args.lambda2,
            rms=None if args.rms is None else 1e-9 * args.rms,
            n_channels=args.channels,
            rank=args.rank,
            trace=args.trace,
        )
    except (OverflowError, ZeroDivisionError) as error:
        raise OptionError(
            "The squares of these numbers are beyond double precision: is the scale (--scale) or "
            "the unit (nA·m for --rms) another one?"
        ) from error
    print(json.dumps(numbers, indent=1) if args.json else "\n".join(_lines(numbers, args.rms)))
    if args.rms is not None:
        _warn_of_unit(args.rms, numbers["snr_amplitude"])
    return 0


def _warn_of_unit(rms: float, snr: float) -> None:
    low, high = _POSSIBLE_SNR
    if not low <= snr <= high:
        print(
            f"warning: --rms {rms:g} nA·m is {1e-9 * rms:g} A·m and gives SNR {snr:.2g}: is that "
            "in nA·m, and --trace in (A·m)⁻²? SnrRms is in A·m: multiply it by 1e9.",
            file=sys.stderr,
        )


def translate(
    *,
    snr: float | None = None,
    lambda2: float | None = None,
    rms: float | None = None,
    n_channels: int,
    rank: int,
    trace: float | None = None,
) -> dict[str, Any]:
    """Translate one way to state the regularisation into all the others.

    It is said by one of ``snr`` (the same number for both toolboxes), ``lambda2`` (MNE's λ²:
    the SNR is 1/λ, as MNE reads it) and ``rms`` (Brainstorm's source amplitude in A·m: the
    kernel's own SNR follows). n channels have a noise covariance of rank r; t = trace(L L') in
    (A·m)⁻² is needed with ``rms``, else for Λ as a number, which is None without it.
    """
    given = [n for n, v in (("snr", snr), ("lambda2", lambda2), ("rms", rms)) if v is not None]
    if len(given) != 1:
        raise OptionError(
            f"Give one of snr, lambda2 and rms, found {' and '.join(given) or 'none of them'}."
        )
    if rms is not None:
        if not (math.isfinite(rms) and rms > 0):
            raise OptionError(
                f"The RMS source amplitude must be above 0, found {1e9 * rms:g} nA·m."
            )
        if trace is None:
            raise OptionError(
                "An RMS source amplitude says nothing of the SNR without the trace of L L': give "
                "--trace (the sum of InverseResult.s2)."
            )
        matched = rules.lambda2_from_prior(rules.lambda_from_rms(rms), trace, rank)
        snr = rules.snr_from_lambda2(matched, rank, n_channels)
    elif lambda2 is not None:
        snr = rules.snr_from_lambda2(lambda2)
    assert snr is not None  # one of the three was given
    naive = rules.lambda2_from_snr(snr)
    right = rules.lambda2_from_brainstorm_snr(snr, rank, n_channels)
    prior = None if trace is None else rules.lambda_from_trace(snr, trace, n_channels)
    from_mne = None if trace is None else rules.prior_from_lambda2(naive, trace, rank)
    return {
        "n_channels": n_channels,
        "rank": rank,
        "trace": trace,
        "snr_amplitude": snr,
        "snr_power": rules.convert_snr(snr, "amplitude", "power"),
        "snr_db": rules.convert_snr(snr, "amplitude", "dB"),
        "brainstorm_lambda": prior,
        "brainstorm_lambda_times_trace": snr**2 * n_channels,
        "mne_lambda2": naive,
        "mne_lambda2_for_brainstorm_kernel": right,
        "mne_snr_for_brainstorm_kernel": rules.snr_from_lambda2(right),
        "brainstorm_snr_for_mne_kernel": rules.snr_from_lambda2(naive, rank, n_channels),
        "brainstorm_lambda_for_mne_kernel": from_mne,
        "factor_naive_to_right": naive / right,
    }


def _lines(numbers: dict[str, Any], rms: float | None = None) -> list[str]:
    """Write all numbers; ``rms`` in nA·m if it is what was given."""
    n, r, snr = numbers["n_channels"], numbers["rank"], numbers["snr_amplitude"]
    given = [] if rms is None else [f"RMS source amplitude {rms:.6g} nA·m = {1e-9 * rms:.6g} A·m:"]
    return [
        *given,
        f"SNR {snr:.6g} in amplitude = {numbers['snr_power']:.6g} in power = "
        f"{numbers['snr_db']:.4g} dB; {n} channels, noise covariance of rank {r}",
        "",
        "The same SNR, as each toolbox reads it",
        f"  Brainstorm   Λ = SNR² n / t   = {_prior(numbers, 'brainstorm_lambda', n * snr**2)}",
        f"  MNE          λ² = 1 / SNR²    = {numbers['mne_lambda2']:.6g}",
        "",
        "The same kernel",
        f"  To get Brainstorm's kernel (of SNR {snr:.6g}) with MNE: lambda2 = (r/n) / SNR² = "
        f"{numbers['mne_lambda2_for_brainstorm_kernel']:.6g}"
        f"   (1/λ = {numbers['mne_snr_for_brainstorm_kernel']:.6g})",
        f"  To get MNE's kernel (of λ² {numbers['mne_lambda2']:.6g}) with Brainstorm: "
        f"SnrFixed = √((r/n) / λ²) = {numbers['brainstorm_snr_for_mne_kernel']:.6g}"
        f"   (Λ = {_prior(numbers, 'brainstorm_lambda_for_mne_kernel', r * snr**2)})",
        "",
        f"λ² = 1 / SNR² in place of the lambda2 for Brainstorm's kernel is too large by the factor "
        f"n/r = {numbers['factor_naive_to_right']:.6g}",
        "t is the trace of L L', L the whitened, weighted lead field"
        + ("." if numbers["trace"] is None else f": {numbers['trace']:.6g} (A·m)⁻² as given."),
    ]


def _prior(numbers: dict[str, Any], key: str, times_trace: float) -> str:
    if numbers[key] is None:
        return f"{times_trace:.6g} / t"
    return f"{numbers[key]:.6g} (A·m)², RMS {1e9 * numbers[key] ** 0.5:.4g} nA·m"
