"""The tables and sentences of the page, as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from mne_bstinv._versions import versions
from mne_bstinv.conversion import ConversionReport
from mne_bstinv.cross_validation import CrossValidation
from mne_bstinv.cross_validation.numbers import number, percent, share
from mne_bstinv.cross_validation.settings_table import settings_rows
from mne_bstinv.cross_validation.text import (
    attribution_heads,
    attribution_legend,
    attribution_rows,
    factor_text,
)

__all__ = [
    "attribution_html",
    "losses_html",
    "metrics_html",
    "overview_html",
    "paragraphs",
    "parity_html",
    "scouts_html",
    "settings_html",
    "verdict_html",
    "versions_html",
]


def verdict_html(validations: Sequence[CrossValidation]) -> str:
    """Write the verdict of each cross-validation, one paragraph each."""
    return "".join(
        f'<p class="bstinv-verdict {"passed" if v.passed else "failed"}">'
        f"{_mark(v)} {escape(v.verdict)}</p>"
        for v in validations
    )


def overview_html(validations: Mapping[str, CrossValidation]) -> str:
    """Write a table with a row for each cross-validation, by its name in the report."""
    rows = [
        (
            label,
            v.equivalent.parity,
            share(v.twin_difference),
            percent(v.attribution.total),
            share(v.attribution.remainder),
            _mark(v),
        )
        for label, v in validations.items()
    ]
    head = ("kernel", "told the same", "difference told the same", "as set", "unexplained", "")
    return _table(head, rows)


def settings_html(validation: CrossValidation) -> str:
    """Write the settings of both sides next to each other."""
    head = ("setting", "Brainstorm", "MNE, as set", "MNE, told the same")
    return _table(head, settings_rows(validation))


def parity_html(validation: CrossValidation) -> str:
    """Write how far the toolboxes agree when told the same, and by which factor."""
    equivalent = validation.equivalent
    sentences = [f"Class: {equivalent.parity}."]
    sentences += [f"{text}." for text in factor_text(validation.factor)]
    sentences.append(equivalent.reason)
    difference = share(validation.twin_difference)
    sentences.append(f"Relative difference with the operator built directly: {difference}.")
    if validation.public_difference is not None:
        difference = share(validation.public_difference)
        sentences.append(f"With mne.minimum_norm.make_inverse_operator: {difference}.")
    elif equivalent.no_public_call:
        sentences.append(f"make_inverse_operator cannot be told this: {equivalent.no_public_call}")
    return paragraphs([sentence for sentence in sentences if sentence])


def attribution_html(validation: CrossValidation) -> str:
    """Write what each convention adds to the difference, and what that leaves over."""
    path = validation.attribution
    rest = (
        f"Unexplained: {path.remainder_start:.1e} at Brainstorm's end, {path.remainder_end:.1e} at "
        f"MNE's. All numbers are relative to {path.relative_to}'s kernel."
    )
    switched = [
        (s.convention.label, s.convention.brainstorm, s.convention.mne) for s in path.active
    ]
    return (
        _table(attribution_heads(path), attribution_rows(path))
        + f"<p>{escape(' '.join([*attribution_legend(path), rest]))}</p>"
        + _table(("convention", "Brainstorm", "MNE"), switched)
    )


def metrics_html(validation: CrossValidation) -> str:
    """Write every metric, with the settings as they are and told the same."""
    parts = (
        ("MNE as set against Brainstorm", validation.before),
        ("MNE told the same against Brainstorm", validation.after),
    )
    return "".join(
        f"<h6>{escape(title)}</h6>{_scrolling(comparison._repr_html_())}"
        for title, comparison in parts
    )


def scouts_html(validation: CrossValidation) -> str:
    """Write how far the time series of scouts are apart, strongest first; or why not."""
    found = validation.scouts
    if isinstance(found, str):
        return paragraphs([found])
    amplitude = validation.settings.method == "MNE"
    scale, unit = (1e9, " nA·m") if amplitude else (1.0, "")
    peaks = [np.abs(side).max(axis=1) for side in (found.brainstorm, found.mne)]
    rows = [
        (
            found.names[i],
            *(number(scale * peak[i], ".3g") + unit for peak in peaks),
            percent(float(found.differences[i])),
            number(found.correlations[i], ".3f"),
        )
        for i in found.strongest(len(found.names))
    ]
    head = ("scout", "peak, Brainstorm", "peak, MNE", "relative difference", "correlation")
    said = f"Brainstorm: {found.function}. MNE as set: {found.mode}."
    return paragraphs([said]) + _table(head, rows)


def losses_html(validations: Sequence[CrossValidation]) -> str:
    """Write what reading and converting dropped, assumed or derived, each report once."""
    reports: dict[tuple[str, str], ConversionReport] = {}
    for v in validations:
        of_study: Mapping[str, ConversionReport] = getattr(v.study, "reports", {})
        for what, report in [*of_study.items(), *v.reports.items()]:
            reports.setdefault((what, str(report)), report)
    return "".join(
        f"<h6>{escape(what)}</h6>"
        + (_scrolling(report._repr_html_()) if report else f"<p>{escape(text)}</p>")
        for (what, text), report in reports.items()
    )


def paragraphs(sentences: Iterable[str]) -> str:
    """Write one paragraph a sentence; the sentences have no markup."""
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def versions_html() -> str:
    """Write the versions that the numbers depend on."""
    return _table(("package", "version"), list(versions().items()))


def _mark(validation: CrossValidation) -> str:
    return "✓" if validation.passed else "✗"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(text)}</td>' for text in row)}</tr>" for row in rows)
    return _scrolling(f"<table><tr>{heads}</tr>{body}</table>")


def _cell(text: str) -> str:
    """Keep a number and its unit in one line."""
    return escape(re.sub(r"(?<=\d) (?=(?:%|mm)(?!\w))", "\N{NO-BREAK SPACE}", text))


def _scrolling(table: str) -> str:
    """Let a table that is wider than the screen scroll by itself."""
    return f'<div class="bstinv-table" tabindex="0">{table}</div>'
