"""Studies leave and enter as documents; what is no study is refused whole."""

import copy
import csv
import gzip
import io
import json

import numpy as np
import pandas as pd
import pytest

from efficiency import paths
from efficiency.errors import BadRequest, StoreError, UnknownName
from efficiency.results import documents
from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store


@pytest.fixture
def document(store, kept):
    store.set_status(kept.id, "done")
    return documents.to_json(store, kept.id)


def test_csv_has_exactly_the_contracts_columns(store, kept, full_row):
    text = documents.to_csv(store, [kept.id])
    assert text.splitlines()[0] == ",".join(COLUMNS)
    read = pd.read_csv(io.StringIO(text))
    assert list(read) == list(COLUMNS)
    assert list(read["study"]) == [kept.id, kept.id]
    first = read.iloc[0]
    for name, kind in COLUMNS.items():
        if name != "study":
            assert first[name] == (pytest.approx(full_row[name], rel=1e-5) if kind == "number" else full_row[name])


def test_csv_leaves_unknown_empty(store, kept):
    _, _, failed = csv.reader(io.StringIO(documents.to_csv(store, [kept.id])))
    said = {name: value for name, value in zip(COLUMNS, failed, strict=True) if value}
    assert said == {"study": kept.id, "workload": "vision-small-cnn", "status": "failed", "reason": "It\nbroke."}


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("speedup", 1 / 3, "0.333333"),
        ("speedup", 1.0, "1"),
        ("speedup", 0.0, "0"),
        ("speedup", 1.1 + 2.2, "3.3"),
        ("throughput_per_s", 1234567.8, "1234570"),
        ("accuracy_delta_pp", -0.00012345678, "-0.000123457"),
        ("on_pareto_front", True, "true"),
        ("on_pareto_front", False, "false"),
        ("on_pareto_front", None, ""),
        ("break_even_calls", 12345678, "12345678"),
        ("warnings", "few-replicates;noisy", "few-replicates;noisy"),
        ("speedup", float("nan"), ""),
    ],
)
def test_csv_values(store, kept, name, value, written):
    store.put_row(kept.id, 0, {"status": "done", name: value}, {})
    line = next(csv.DictReader(io.StringIO(documents.to_csv(store, [kept.id]))))
    assert line[name] == written


def test_csv_of_many_of_none_and_of_an_unknown_study(store, kept):
    other = store.add_study({}, name="", machine={}, command="")
    store.put_row(other, 0, {"status": "done"}, {})
    assert len(documents.to_csv(store, []).splitlines()) == 1
    assert list(pd.read_csv(io.StringIO(documents.to_csv(store, [other, kept.id])))["study"]) == [other] + 2 * [kept.id]
    with pytest.raises(UnknownName):
        documents.to_csv(store, ["nope"])


def test_json_holds_everything_and_is_strict(store, kept, document, full_row):
    json.dumps(document, allow_nan=False)
    assert document["study"]["id"] == kept.id
    full, failed = document["rows"]
    assert full["columns"] == {"study": kept.id, **full_row}
    assert full["details"] == {"evidence": ["3 of 4 layers"], "spent_s": {"probe": 1.5}}
    assert full["samples"]["ns"] == kept.samples[:, 2].tolist()
    assert full["answers"] == {"predicted": kept.predicted.tolist(), "labels": kept.labels.tolist()}
    assert failed["columns"]["speedup"] is None
    assert failed["samples"] is failed["answers"] is None


def test_a_study_that_travels_is_the_same(document, tmp_path):
    text = json.dumps(document)
    with Store.open(f"sqlite:///{tmp_path}/other.db") as other:
        id = documents.from_json(other, json.loads(text))
        assert id == document["study"]["id"]
        assert documents.to_json(other, id) == document
        assert not other.study(id).example


def test_a_study_that_is_here_already_is_refused(store, kept, document):
    before = len(store.studies()), store.version()
    with pytest.raises(BadRequest, match="This study is here already, as .*" + kept.id) as caught:
        documents.from_json(store, document)
    assert_is_a_sentence(str(caught.value))
    assert (len(store.studies()), store.version()) == before


def test_it_is_so_by_whatever_name_it_goes_here_or_there(store, kept, document):
    """A copy would count as another hour that found the same."""
    document["study"]["name"] = "As it was called elsewhere"
    store.rename(kept.id, "As it is called here")
    with pytest.raises(BadRequest, match=f"here already, as As it is called here .{kept.id}"):
        documents.from_json(store, document)


@pytest.mark.parametrize("what", ["recorded_at", "command", "machine", "rows", "a value"])
def test_a_study_that_differs_is_another_one(store, kept, document, what):
    if what == "rows":
        document["rows"].pop()
    elif what == "a value":
        document["rows"][0]["columns"]["speedup"] += 1e-9
    elif what == "machine":
        document["study"]["machine"]["key"] = "another"
    else:
        document["study"][what] = {"recorded_at": "2020-01-01T00:00:00+00:00"}.get(what, "Another")
    assert documents.from_json(store, document) != kept.id


def test_a_taken_id_is_replaced_by_another(store, kept, document):
    document["study"]["command"] = "Another"
    id = documents.from_json(store, document)
    again = documents.to_json(store, id)
    assert id != kept.id
    assert set(store.rows([id])["study"]) == {id}
    for row in again["rows"]:
        row["columns"]["study"] = kept.id
    assert again["rows"] == document["rows"]
    assert again["study"] == document["study"] | {"id": id}


def test_a_study_exported_while_it_ran_is_interrupted(store, kept, document):
    store.delete(kept.id)
    document["study"]["status"] = "running"
    assert store.study(documents.from_json(store, document)).status == "interrupted"


def test_a_column_left_out_is_unknown(store, document):
    del document["rows"][0]["columns"]["speedup"]
    assert store.rows([documents.from_json(store, document)])["speedup"].isna().all()


def test_a_document_from_before_a_column_and_figures_beyond_the_usual(store, document):
    full, failed = (row["columns"] for row in document["rows"])
    for name in ("noise_floor_pct", "logits_snr_db", "ceiling_pct"):
        del full[name]
    failed |= {"noise_floor_pct": 250.0, "logits_snr_db": -4.5, "ceiling_pct": 120.0}
    rows = store.rows([documents.from_json(store, document)])[["noise_floor_pct", "logits_snr_db", "ceiling_pct"]]
    assert rows.iloc[0].isna().all()
    assert rows.iloc[1].tolist() == [250.0, -4.5, 120.0]


def _set(*path_and_value):
    *path, last, value = path_and_value

    def change(document):
        for step in path:
            document = document[step]
        document[last] = value

    return change


BROKEN = {
    "no format": lambda d: d.pop("format"),
    "other format": _set("format", "notebook"),
    "newer": _set("format_version", 3),
    "version as text": _set("format_version", "1"),
    "no study": lambda d: d.pop("study"),
    "no rows": lambda d: d.pop("rows"),
    "rows no list": _set("rows", {}),
    "more than that": _set("extra", 1),
    "no id": lambda d: d["study"].pop("id"),
    "id as a path": _set("study", "id", "../../jobs"),
    "id with a line": _set("study", "id", "a\n"),
    "id empty": _set("study", "id", ""),
    "status": _set("study", "status", "fine"),
    "time": _set("study", "recorded_at", "yesterday"),
    "asked": _set("study", "asked", []),
    "name": _set("study", "name", None),
    "wrong column": _set("rows", 1, "columns", "sped_up", 1.0),
    "text for a number": _set("rows", 1, "columns", "speedup", "1.0"),
    "flag for a number": _set("rows", 1, "columns", "speedup", True),
    "NaN": _set("rows", 1, "columns", "speedup", float("nan")),
    "number too large": _set("rows", 1, "columns", "speedup", 10**400),
    "fraction": _set("rows", 1, "columns", "batch_size", 1.5),
    "whole too large": _set("rows", 1, "columns", "batch_size", 2**63),
    "number for a flag": _set("rows", 1, "columns", "on_pareto_front", 1),
    "row status": _set("rows", 1, "columns", "status", "fine"),
    "no row status": lambda d: d["rows"][1]["columns"].pop("status"),
    "details": _set("rows", 1, "details", None),
    "samples short": _set("rows", 0, "samples", "ns", [1]),
    "samples too large": _set("rows", 0, "samples", "ns", [2**63] * 90),
    "samples negative": _set("rows", 0, "samples", "ns", [-1] * 90),
    "answers short": _set("rows", 0, "answers", "labels", [1]),
    "class too large": _set("rows", 0, "answers", "labels", [65_536] * 500),
    "long name of a key": _set("x" * 10_000, 1),
    "long name": _set("study", "name", "x" * 201),
    "latency below zero": _set("rows", 1, "columns", "latency_ms_p50", -5.0),
    "more than all right": _set("rows", 1, "columns", "accuracy_pct", 5000.0),
    "an interval less than nothing": _set("rows", 1, "columns", "speedup_precision_pct", -1.0),
    "an interval beside its figure": _set("rows", 0, "columns", "speedup_ci_low", 90.0),
    "more than anything takes": _set("rows", 1, "columns", "latency_ms_p50", 1e300),
    "fewer than no processes": _set("rows", 1, "columns", "replicates", -5),
    "no speed at all": _set("rows", 1, "columns", "speedup_ci_low", 0.0),
    "done, nobody knows what": _set("rows", 0, "columns", "workload", None),
    "more lost than there is": _set("rows", 1, "columns", "accuracy_delta_pp", -101.0),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_document_is_refused_whole(store, document, name):
    broken = copy.deepcopy(document)
    BROKEN[name](broken)
    before = len(store.studies()), store.version()
    with pytest.raises(BadRequest) as caught:
        documents.from_json(store, broken)
    assert_is_a_sentence(str(caught.value))
    assert (len(store.studies()), store.version()) == before


def test_text_that_utf8_cannot_hold_is_spelled_out(store, document):
    half = json.loads('"\\ud800"')
    document["study"] |= {"name": half, "asked": {half: half}}
    document["rows"][0]["columns"]["reason"] = half
    document["rows"][0]["details"] = {half: [half]}
    id = documents.from_json(store, document)
    assert store.study(id).name == store.rows([id])["reason"][0] == r"\ud800"
    documents.to_csv(store, [id]).encode()


def test_a_newer_document_says_update(store, document):
    with pytest.raises(BadRequest, match="newer version"):
        documents.from_json(store, document | {"format_version": 3})


@pytest.mark.parametrize("other", [None, [], "text", 3, {}, {"format": None}, {"rows": []}], ids=str)
def test_other_json_is_refused(store, other):
    with pytest.raises(BadRequest, match="not a study"):
        documents.from_json(store, other)


def assert_is_a_sentence(text):
    assert text.endswith(".")
    assert text.isprintable()
    assert len(text) < 400


def packed(document):
    return gzip.compress(json.dumps(document).encode())


@pytest.mark.parametrize("suffix", [".json", ".json.gz", ".txt"])
def test_a_file_is_read_packed_or_not(document, tmp_path, suffix):
    path = tmp_path / f"study{suffix}"
    for content in (json.dumps(document).encode(), packed(document)):
        path.write_bytes(content)
        assert documents.read_file(path) == documents.read_file(str(path)) == documents.read_file(content) == document


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b"3",
        b'{"format": NaN}',
        b"{" * 100_000,
        b"[" * 100_000,
        b"1" * 10_000,
        b"\x1f\x8b",
        b"\x1f\x8bnonsense, and more of it",
        gzip.compress(b"{}", mtime=0)[:-6],
        gzip.compress(b'{"a": 1}' * 1000, mtime=0)[:30],
        gzip.compress(b"{}", mtime=0) + b"rubbish",
        b"PK\x03\x04",
        b"\x80\x04\x95pickle",
    ],
    ids=lambda content: ascii(content[:20]),
)
def test_a_file_that_is_no_study_is_refused(tmp_path, content):
    path = tmp_path / "study.json.gz"
    path.write_bytes(content)
    for source in (path, content):
        with pytest.raises(BadRequest) as caught:
            documents.read_file(source)
        assert_is_a_sentence(str(caught.value))


def test_a_bomb_is_not_unpacked():
    bomb = gzip.compress(b" " * 50_000_000)
    with pytest.raises(BadRequest, match="more than 1 MB"):
        documents.read_file(bomb, limit_mb=1)
    with pytest.raises(BadRequest, match="more than 1 MB"):
        documents.read_file(b" " * 1_000_001, limit_mb=1)


def test_a_path_that_cannot_be_read_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing.json", "a\x00b"):
        with pytest.raises(BadRequest):
            documents.read_file(path)


def test_deep_details_are_refused_or_kept_but_never_a_crash(store, document):
    deep = {}
    for _ in range(100_000):
        deep = {"a": deep}
    document["rows"][0]["details"] = deep
    with pytest.raises(BadRequest, match="nested"):
        documents.from_json(store, document)


def test_ten_thousand_rows(store, document):
    row = document["rows"][0] | {"samples": None, "answers": None}
    id = documents.from_json(store, document | {"rows": [row] * 10_000})
    rows = store.rows([id])
    assert len(rows) == 10_000
    assert rows["position"].is_monotonic_increasing
    assert np.isclose(rows["speedup"], row["columns"]["speedup"]).all()
    assert store.studies().set_index("id")["rows"][id] == 10_000


@pytest.fixture
def example(document, tmp_path, monkeypatch):
    path = tmp_path / "example" / "study.json.gz"
    monkeypatch.setattr(paths, "EXAMPLE", path)
    path.parent.mkdir()
    path.write_bytes(packed(document))
    return path


def test_the_example_is_imported_once_and_stays_away_when_deleted(example, tmp_path):
    url = f"sqlite:///{tmp_path}/fresh.db"
    with Store.open(url) as fresh:
        documents.ensure_example(fresh)
        documents.ensure_example(fresh)
        (id,) = fresh.studies()["id"]
        assert fresh.study(id).example
        assert fresh.studies()["example"].all()
        fresh.delete(id)
    with Store.open(url) as again:
        documents.ensure_example(again)
        assert len(again.studies()) == 0


def test_without_an_example_nothing_happens_and_it_may_come_later(example, document, tmp_path):
    example.unlink()
    with Store.open(f"sqlite:///{tmp_path}/fresh.db") as fresh:
        documents.ensure_example(fresh)
        assert fresh.version() == 0
        example.write_bytes(packed(document))
        documents.ensure_example(fresh)
        assert len(fresh.studies()) == 1


def test_a_damaged_example_is_told_with_what_to_do(example, tmp_path):
    example.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with Store.open(f"sqlite:///{tmp_path}/fresh.db") as fresh, pytest.raises(StoreError, match="or remove it"):
        documents.ensure_example(fresh)


@pytest.mark.parametrize("told", ["20260105T100000Z", "2026-01-05T15:00:00+05:00", "2026-01-05T10:00:00"])
def test_times_are_kept_in_one_form_and_zone(document, store, told):
    document["study"]["recorded_at"] = told
    assert store.study(documents.from_json(store, document)).recorded_at == "2026-01-05T10:00:00+00:00"
