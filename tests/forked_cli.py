"""Many commands from one start: the program is imported once, and every command is a process forked from there.

Reads {"arguments", "environment", "out", "err"} from standard input, JSON and one a line, and prints the exit code of
each when it has ended. Each has its own environment, output and exit code, as if it had been started by itself.
"""

import json
import os
import signal
import sys
import traceback

import efficiency.analysis.compare
import efficiency.analysis.notes
import efficiency.decisions
import efficiency.engine.job
import efficiency.recipes.bundle
import efficiency.report.html
import efficiency.results.documents  # noqa: F401 - what the commands import when they are run
from efficiency.cli import main

HUNG_S = 240


def run(command: dict) -> None:
    """In the forked process: never returns."""
    code = 0
    try:
        signal.alarm(HUNG_S)
        os.environ.clear()
        os.environ.update(command["environment"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for stream, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(command[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        sys.argv = ["efficiency", *command["arguments"]]
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


for line in sys.stdin:
    if not (child := os.fork()):
        run(json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
