"""In the drawer: when a row was prepared, of what its size is, what was prepared or how to make it anew, its layers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import synthetic
from said import said
from streamlit.testing.v1 import AppTest

from efficiency.engine import prepared_cache
from efficiency.results.store import Store
from efficiency.techniques.base import Evidence, Layer

Visit = Callable[..., AppTest]


def test_what_was_prepared_is_there_until_the_cache_is_cleared(visit: Visit, store: Store, tmp_path: Path) -> None:
    id = synthetic.fill(store)
    row = store.rows([id]).query("variant == 'static-int8' and workload == 'vision-small-cnn'").iloc[0].to_dict()
    artefact = tmp_path / "artefact"
    artefact.mkdir()
    (artefact / "model.onnx").write_bytes(b"graph")
    key = 32 * "a"
    prepared_cache.keep(key, {"at": "2026-01-05T10:00:00+00:00"}, {"artefact": artefact})
    about = {"key": key, "at": "2026-01-05T10:00:00+00:00", "from_cache": True}
    columns = {name: row[name] for name in ("workload", "dataset", "variant", "status", "batch_size", "threads")}
    store.put_row(id, row["position"], columns | {"prepare_s": 3.2}, {"prepared": about, "size_of": "artefact"})

    at = visit(study=id, row=str(row["row_id"]))
    assert "Prepared on 5 Jan 2026, taken from the cache; preparation then took 3.20 s." in said(at)
    assert "The size is that of the artefact" in said(at)
    at.button(key="make-artefact").click().run()
    assert not at.exception
    of, content = at.session_state["artefact"]
    assert of == (id, row["row_id"])
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["model.onnx", "README.txt"]
    assert "What was prepared, 0.0 MB" in [button.proto.label for button in at.get("download_button")]

    at = visit(study=id, row=str(row["row_id"]))
    (prepared_cache.folder() / key / "artefact" / "model.onnx").unlink()  # damaged since the page was drawn
    at.button(key="make-artefact").click().run()
    assert "is not kept here" in at.error[0].value

    prepared_cache.clear()
    at = visit(study=id, row=str(row["row_id"]))
    assert "No artefact to download" in [expander.label for expander in at.expander]
    command = "run --workload vision-small-cnn --dataset glyphs --technique static-int8 --batch-size 1 --threads 1"
    assert command in said(at)


def test_names_from_a_document_are_no_markdown(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    row = store.rows([id]).query("variant == 'static-int8' and workload == 'vision-small-cnn'").iloc[0].to_dict()
    columns = {name: row[name] for name in ("dataset", "variant", "status", "batch_size", "threads")}
    store.put_row(id, row["position"], columns | {"workload": "![x](http://h/p.png)"}, {})
    at = visit(study=id, row=str(row["row_id"]))
    (expander,) = (one for one in at.expander if one.label == "No artefact to download")
    assert r"\!\[x\]" in expander.markdown[0].value


def test_its_layers_are_bars_with_what_they_cost(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store)
    row = store.rows([id]).query("variant == 'static-int8' and workload == 'vision-small-cnn'").iloc[0].to_dict()
    kept = (
        Layer("conv1", "Conv2d", 0.02, False),
        Layer("conv2", "Conv2d", 0.9, True),
        Layer("fc", "Linear", 0.05, False),
    )
    evidence = Evidence("yes", "Static INT8, but for one layer.", {}, kept)
    columns = {name: row[name] for name in ("workload", "dataset", "variant", "status", "batch_size", "threads")}
    store.put_row(id, row["position"], columns, {"evidence": {"static-int8": evidence.as_dict()}})

    at = visit(study=id, row=str(row["row_id"]))
    assert "Which layers cost the accuracy?" in said(at)
    (bars,) = (chart for chart in at.get("plotly_chart") if "conv2" in chart.proto.spec)
    assert "in FP32: conv2;" in bars.proto.alt
    other = store.rows([id]).query("variant == 'qat-int8' and workload == 'vision-small-cnn'").iloc[0]
    assert "Which layers cost the accuracy?" not in said(visit(study=id, row=str(other["row_id"])))
