"""The command line: the same verbs as the pages, a file a verb or a few that belong together.

Exit codes: 0 done, 1 the study failed, 2 bad usage, with a sentence that names the option and the mend. A verb that has
others says so in its help.
"""

from __future__ import annotations

import errno
import io
import sys

from efficiency import console
from efficiency.cli import (  # noqa: F401 - each registers its verbs, in the order of these lines
    artefact,
    cache,
    claims,
    compare,
    drift,
    layers,
    lists,
    machine,
    recipe,
    recommend,
    run,
    studies,
    train,
)
from efficiency.cli.app import app
from efficiency.errors import BadRequest, EfficiencyError, StoreError


def main() -> None:
    """Run the command line; errors that a user can cause end in one sentence."""
    # Standard error does so anyway: what an encoding does not have must end no command.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except EfficiencyError as error:
        console.refuse(error)
        sys.exit(2 if isinstance(error, BadRequest | StoreError) else 1)
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
        console.silence_results()
        console.refuse(EfficiencyError(f"Standard output takes no more ({error.strerror}); send it elsewhere."))
        sys.exit(1)
