"""Where files lie: what is shipped, what the user's data are, what the project writes."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SHIPPED_CHECKPOINTS = PROJECT / "data" / "checkpoints"
EXAMPLE = PROJECT / "data" / "example" / "study.json.gz"


def home() -> Path:
    """Folder for all the project writes: `EFFICIENCY_HOME`, or `data/` beside the code."""
    return Path(os.environ.get("EFFICIENCY_HOME") or PROJECT / "data").expanduser().resolve()


def environment() -> dict[str, str]:
    """This process's, for one that it starts: the package is not installed, and is found there where it was here."""
    search = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": search}


def user_data() -> Path | None:
    """Folder of data sets that is only read: `EFFICIENCY_DATA`, if set."""
    value = os.environ.get("EFFICIENCY_DATA")
    return Path(value).expanduser().resolve() if value else None
