"""Download of the public data set of the default study."""

from __future__ import annotations

import shutil
from pathlib import Path

from analysis.base.errors import InputError

KAGGLE = "imakash3011/customer-personality-analysis"
FILE = "marketing_campaign.csv"


def fetch_default(root: Path) -> Path:
    """Download ``data/marketing_campaign.csv``; no account is needed.

    Raises
    ------
    InputError
        Where it cannot be fetched, with how to place it by hand.
    """
    target = root / "data" / FILE
    if target.is_file():
        return target
    by_hand = f"By hand: download the data set {KAGGLE} from Kaggle and put {FILE} into data/."
    try:
        import kagglehub
    except ImportError:
        raise InputError(
            "kagglehub is not installed.",
            "It downloads the file without an account: pip install kagglehub",
            by_hand,
        ) from None
    try:
        folder = Path(kagglehub.dataset_download(KAGGLE))
    except Exception as error:  # whatever kagglehub and its transport raise, the way out is the same
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(
            f"Kaggle did not deliver {FILE}: {reason}",
            "make site also works without the file, on synthetic data.",
            by_hand,
        ) from None
    file = next(folder.rglob(FILE), None)
    if file is None:
        raise InputError(f"The data set from Kaggle does not contain {FILE}.", hint=by_hand)
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(file, target)
    return target
