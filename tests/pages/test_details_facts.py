"""In the drawer: what share of the text is padding, and how the APIs of a variant stand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import synthetic
from said import said
from streamlit.testing.v1 import AppTest

from efficiency.results.store import Store

Visit = Callable[..., AppTest]
PADDING = f"{synthetic.PADDING_PCT:.0f} % of the timed tokens are padding."


def opened(visit: Visit, store: Store, workload: str, variant: str) -> AppTest:
    id = synthetic.fill(store)
    row = store.rows([id]).query("variant == @variant and workload == @workload").iloc[0]
    return visit(study=id, row=str(row["row_id"]))


@pytest.mark.parametrize(
    ("workload", "variant", "times"),
    [
        ("transformer-encoder", "fast-path", 2),
        ("lstm-classifier", "dynamic-int8", 1),
        ("vision-small-cnn", "qat-int8", 0),
    ],
)
def test_padding_is_said_of_text_and_again_where_it_can_be_skipped(
    visit: Visit, store: Store, workload: str, variant: str, times: int
) -> None:
    text = said(opened(visit, store, workload, variant))
    assert text.count(PADDING) == times
    assert ("It can skip padding" in text) == (variant == "fast-path")


def test_the_status_of_each_api_is_said_outside_what_is_folded(visit: Visit, store: Store) -> None:
    at = opened(visit, store, "vision-small-cnn", "static-int8+inference-mode")
    (line,) = (text.value.replace("\\", "") for text in at.caption if "The API of" in text.value)
    assert line.startswith("The API of Static INT8 is deprecated; its successor here is pt2e-static-int8 (torchao's")
    assert line.endswith("The API of Inference mode is stable.")
    assert not any("The API of" in text.value for folded in at.expander for text in folded.caption)
