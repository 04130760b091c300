"""Data sets of the Hugging Face Hub by their name, through its own library.

Only the command line comes here: the service asks no other machine for anything, and takes no name from its clients.
Since version 4 the library runs no code of a data set.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import httpx

from layerloom.data.dataset import DataError
from layerloom.data.parse import refuse
from layerloom.schema.problems import ProblemCode

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)

REACH_S = 10


def download(name: str, config: str, split: str, target: Path) -> None:
    """Write one split of a data set into ``target`` as Parquet.

    Raises:
        DataError: the library is not installed, or the data set cannot be had.
    """
    if not NAME.fullmatch(name) or Path(name).exists():
        raise refuse(f"{name!r} is no name of the Hub, as in stanfordnlp/imdb. Add a folder by `layerloom data add`.")
    try:
        import datasets
    except ImportError:
        raise DataError(
            ProblemCode.PACKAGE_MISSING,
            "Data sets of the Hub are read by Hugging Face's library: pip install 'layerloom[hub]'",
            package="datasets",
        ) from None
    _require_reachable(name)
    try:
        found = datasets.load_dataset(name, config or None, split=split)
        found.to_parquet(target)
    except Exception as error:  # of the library, its network and its formats, which share no class
        told = (str(error).splitlines() or [""])[0][:300]
        raise DataError(
            ProblemCode.DATASET_UNAVAILABLE,
            f"{name} (split {split}) could not be had from the Hub: {told or type(error).__name__}",
            dataset=name,
        ) from error


def _require_reachable(name: str) -> None:
    """The library itself tries for half a minute, and then says that it couldn't reach the data set.

    Raises:
        DataError: nobody answers where the Hub is, and the library was not told to look into its own cache alone.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return
    hub = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    try:
        httpx.head(hub, timeout=REACH_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DataError(
            ProblemCode.DATASET_UNAVAILABLE,
            f"{name} could not be had: {hub} is not reached from here ({error}). Where there is a network, keep it by "
            f'`datasets.load_dataset("{name}").save_to_disk("folder")`, bring the folder here, and add it by '
            "`layerloom data add folder`. Of what was downloaded here before, set HF_HUB_OFFLINE=1.",
            dataset=name,
        ) from error
