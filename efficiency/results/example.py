"""Makes the example that is shipped: `make example`.

Runs three models with one technique of every kind on this machine, in a folder of its own, and writes
`data/example/study.json.gz`. Nothing is written unless the study came out done.
"""

from __future__ import annotations

import gzip
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from efficiency import paths
from efficiency.errors import EfficiencyError
from efficiency.results import documents, schema

BUDGET_S = 900
TECHNIQUES = (
    "dynamic-int8", "int8-lstm", "static-int8", "qat-int8", "int8-dynamic", "bf16-weights", "amp-bf16", "channels-last",
    "optimize-for-inference", "torch-compile", "pt2e-static-int8", "onnxruntime", "onnxruntime-dynamic-int8",
    "onnxruntime-static-int8", "openvino", "openvino-int8", "fast-path", "inference-mode",
)  # fmt: skip
COMBINATIONS = (
    "static-int8+inference-mode", "channels-last+inference-mode", "dynamic-int8+optimize-for-inference",
    "static-int8+optimize-for-inference", "bf16-weights+torch-compile", "int8-dynamic+torch-compile",
)  # fmt: skip
COMMAND = shlex.join([
    "python", "-m", "efficiency", "run", "--preset", "quick", "--name", "small models, every kind of technique",
    *(word for key in TECHNIQUES for word in ("--technique", key)),
    *(word for keys in COMBINATIONS for word in ("--combine", keys)),
    "--budget", str(BUDGET_S),
])  # fmt: skip


def make(target: Path) -> None:
    """Runs the study and writes its document; raises `EfficiencyError` where there is none to write."""
    with tempfile.TemporaryDirectory(prefix="efficiency-example-") as folder:
        home, exported = Path(folder) / "home", Path(folder) / "study.json"
        environment = {
            **os.environ,
            "EFFICIENCY_HOME": str(home),
            "EFFICIENCY_DB": f"sqlite:///{home / 'efficiency.db'}",
        }
        arguments = [sys.executable, "-m", *shlex.split(COMMAND)[2:], "--json", str(exported)]
        code = subprocess.run(arguments, cwd=paths.PROJECT, env=environment).returncode
        if code != 0:
            raise EfficiencyError(f"The study ended with exit code {code}; see above, mend it and run this again.")
        document = documents.read_file(exported)
    document["study"]["command"] = COMMAND  # without the temporary file's name
    if schema.parse(document).study.status != "done":
        raise EfficiencyError("The study did not finish; run this again.")
    target.parent.mkdir(parents=True, exist_ok=True)
    # No time stamp, and compact: the same study gives the same bytes, and git keeps each version.
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    unfinished = target.with_suffix(".part")
    unfinished.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    unfinished.replace(target)


if __name__ == "__main__":
    try:
        make(paths.EXAMPLE)
    except EfficiencyError as error:
        sys.exit(str(error))
    print(f"Wrote {paths.EXAMPLE}.")
