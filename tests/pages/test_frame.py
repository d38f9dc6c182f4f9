"""The frame is the same however a page is reached, and nothing that a page imports brings torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import opened
import pytest

from efficiency import paths
from efficiency.ui.frame import PAGES


@pytest.mark.parametrize("page", PAGES)
def test_page_file_as_the_very_first_request(home: Path, page: str) -> None:
    """Streamlit runs the page's file without `app.py` then; AppTest does the same on a switch."""
    alone = opened.app().switch_page(f"pages/{page}.py").run()
    assert not alone.exception
    through_app = opened.app().run().switch_page(f"pages/{page}.py").run()
    logo, other_logo = (at.get("logo") for at in (alone, through_app))
    assert len(logo) == len(other_logo)
    ids, other_ids = ({e.proto.id for e in (*at.button, *at.file_uploader)} for at in (alone, through_app))
    assert ids or page in ("compare", "decide", "explore"), "They have nothing to choose from before there are studies."
    assert ids == other_ids, "Otherwise the first click after a deep link would be lost."


TORCH_FREE = """
import sys
from streamlit.testing.v1 import AppTest
from efficiency.ui.frame import PAGES
at = AppTest.from_file("app.py", default_timeout=60).run()
for page in PAGES:
    at.switch_page(f"pages/{page}.py").run()
    assert not at.exception, at.exception
import efficiency.trade_off_chart, efficiency.engine.jobs, efficiency.results.documents
print(sorted(name for name in sys.modules if name.partition(".")[0] in {"torch", "torchvision", "torchao"}))
"""


def test_pages_leave_torch_out(home: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(paths.PROJECT)}
    done = subprocess.run(
        [sys.executable, "-c", TORCH_FREE], cwd=paths.PROJECT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_server_listens_here_only_and_shows_no_tracebacks() -> None:
    import tomllib

    config = tomllib.loads((paths.PROJECT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["maxUploadSize"] <= 50
    assert config["client"]["showErrorDetails"] == "none"
    assert config["browser"]["gatherUsageStats"] is False
