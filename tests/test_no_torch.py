"""Torch enters only in child processes: the server and the command line stay small and start at once."""

from __future__ import annotations

import subprocess
import sys

from efficiency import paths

TORCH_FREE = (
    "efficiency.ceiling",
    "efficiency.condition",
    "efficiency.machine",
    "efficiency.health",
    "efficiency.workloads",
    "efficiency.techniques",
    "efficiency.readme",
    "efficiency.study",
    "efficiency.check",
    "efficiency.estimate",
    *(
        f"efficiency.{folder}.{file.stem}"
        for folder in ("analysis", "claims", "recipes", "report", "results")
        for file in sorted((paths.PROJECT / "efficiency" / folder).glob("[a-z]*.py"))
    ),
    "efficiency.sample_charts",
    "efficiency.speedup_chart",
    "efficiency.trade_off_chart",
    "efficiency.claims_chart",
    "efficiency.compare_chart",
    "efficiency.engine.ceilings",
    "efficiency.engine.conductor",
    "efficiency.engine.job",
    "efficiency.engine.jobs",
    "efficiency.cli",
)
SCRIPT = f"""
import importlib, sys
for name in {TORCH_FREE!r}:
    importlib.import_module(name)
    assert "torch" not in sys.modules, name
from efficiency import check, study
from efficiency.machine import this_machine
for preset in study.PRESETS:
    check.check(study.plan_preset(preset, this_machine()), this_machine())
    assert "torch" not in sys.modules, f"checking the preset {{preset}}"
"""


def test_declaring_planning_and_storing_takes_no_torch():
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr.strip().splitlines()[-1]
