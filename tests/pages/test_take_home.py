"""The drawer of a row: its recipe to copy, and the zip that a click makes."""

from __future__ import annotations

from collections.abc import Callable

import synthetic
from said import said
from streamlit.testing.v1 import AppTest

from efficiency import recipes
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import plan_preset

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
    of, content = at.session_state["bundle"]
    assert of == (id, row["row_id"])
    assert content.startswith(b"PK")
    labels = [button.proto.label for button in at.get("download_button")]
    assert f"Script, weights and rows, {len(content) / 1e6:.1f} MB" in labels


def test_a_row_of_training_has_a_script_that_trains(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store, plan_preset("quick", this_machine(), phase="training"))
    row = store.rows([id]).query("variant == 'amp-bf16' and status == 'done'").iloc[0]
    at = visit(study=id, row=str(row["row_id"]))
    (code,) = at.code
    assert "optimizer.step()" in code.value
    assert "for as many steps as the study did" in said(at)


def test_what_does_not_apply_has_its_reason_and_no_recipe(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    row = store.rows([id]).query("status == 'not-applicable'").iloc[0]
    at = visit(study=id, row=str(row["row_id"]))
    assert not at.code
    assert "Copy this" not in said(at)
