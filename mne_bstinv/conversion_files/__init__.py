"""One file of one toolbox ⇄ a file of the other: its kind, its companions and the way."""

from mne_bstinv.conversion_files.convert import ConvertedFile, convert_file

__all__ = ["ConvertedFile", "convert_file"]
