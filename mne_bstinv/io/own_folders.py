"""Names of the folders, and of the subject, that Brainstorm makes of its own accord."""

from __future__ import annotations

__all__ = ["DEFAULT_STUDY", "DEFAULT_SUBJECT", "GROUP", "INTER", "INTRA"]

#: What conditions share: of a subject below its folder, of all subjects below ``data``.
DEFAULT_STUDY = "@default_study"
#: The default anatomy.
DEFAULT_SUBJECT = "@default_subject"
#: Analyses: of the conditions of a subject, and across subjects.
INTRA, INTER = "@intra", "@inter"
#: The subject of analyses across subjects: it has the default anatomy.
GROUP = "Group_analysis"
