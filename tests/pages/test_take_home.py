"""The drawer of a row: its recipe to copy, and the zip that a click makes."""

from __future__ import annotations

from collections.abc import Callable

import synthetic
from said import said
from streamlit.testing.v1 import AppTest

from efficiency import recipes
from efficiency.results.store import Store

Visit = Callable[..., AppTest]


def test_the_recipe_is_there_to_copy_and_a_click_makes_the_zip(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    row = store.rows([id]).query("variant == 'inference-mode' and workload == 'vision-small-cnn'").iloc[0]
    at = visit(study=id, row=str(row["row_id"]))
    (code,) = at.code
    assert code.value == recipes.wanted(row.to_dict(), store.study(id)).script.rstrip()
    at.button(key="make-bundle").click().run()
    assert not at.exception
    assert not at.error
    row_id, content = at.session_state["bundle"]
    assert row_id == row["row_id"]
    assert content.startswith(b"PK")
    labels = [button.proto.label for button in at.get("download_button")]
    assert f"Script, weights and rows, {len(content) / 1e6:.1f} MB" in labels


def test_what_does_not_apply_has_its_reason_and_no_recipe(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    row = store.rows([id]).query("status == 'not-applicable'").iloc[0]
    at = visit(study=id, row=str(row["row_id"]))
    assert not at.code
    assert "Copy this" not in said(at)
