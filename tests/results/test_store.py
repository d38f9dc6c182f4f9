"""What is put into the store comes out again, and unknown stays unknown."""

import re
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from efficiency.errors import StoreError, UnknownName
from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store


def test_a_new_study_is_kept_as_it_was_asked(store):
    id = store.add_study({"preset": "quick", "n": 1}, name=" a ", machine={"torch_version": "2.13.0"}, command="run")
    record = store.study(id)
    assert re.fullmatch(r"\d{8}-\d{4}-quick-[a-z2-7]{4}", id)
    assert (record.name, record.status, record.message, record.command) == ("a", "queued", "", "run")
    assert record.asked == {"preset": "quick", "n": 1}
    assert (record.torch_version, record.example) == ("2.13.0", False)
    assert pd.Timestamp(record.recorded_at).tz is not None


def test_a_full_row_comes_back(store, kept, full_row):
    row = store.rows([kept.id]).iloc[0]
    assert row[list(full_row)].to_dict() == full_row
    assert (row["study"], row["study_id"], row["row_id"], row["position"]) == (kept.id, kept.id, kept.row_id, 0)


def test_a_row_has_the_contracts_columns_after_three_of_the_store(store, kept):
    assert list(store.rows(None)) == ["row_id", "study_id", "position", *COLUMNS]


def test_what_a_row_does_not_say_is_unknown_and_not_zero(store, kept):
    row = store.rows([kept.id]).iloc[1]
    said = {"row_id", "study_id", "position", "study", "status", "reason", "workload"}
    assert row.drop(said).isna().all()


@pytest.mark.parametrize("unknown", [None, float("nan"), np.float32("nan"), float("inf"), pd.NA, pd.NaT, np.nan])
@pytest.mark.parametrize("column", ["speedup", "break_even_calls", "on_pareto_front", "warnings"])
def test_every_spelling_of_unknown_is_unknown(store, kept, column, unknown):
    store.put_row(kept.id, 0, {column: unknown}, {})
    assert store.rows([kept.id])[column].isna().all()


def test_numpys_values_are_taken_as_pythons(store, kept):
    given = {"speedup": np.float32(0.5), "batch_size": np.int64(8), "on_pareto_front": np.bool_(False), "length": 64.0}
    store.put_row(kept.id, 0, given, {"a": np.arange(2), "b": np.float64("nan"), "c": (np.int8(1),)})
    row = store.rows([kept.id]).iloc[0]
    assert {name: row[name] for name in given} == given
    assert store.details(kept.row_id) == {"a": [0, 1], "b": None, "c": [1]}


def test_types_hold_without_any_row(store, kept):
    full, empty = store.rows([kept.id]), store.rows([])
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert str(full.dtypes["speedup"]) == "float64"
    assert str(full.dtypes["replicates"]) == "Int64"
    assert str(full.dtypes["on_pareto_front"]) == "boolean"


@pytest.mark.parametrize(
    "row",
    [
        {"sped_up": 1.0},
        {"speedup": "fast"},
        {"speedup": True},
        {"batch_size": 1.5},
        {"break_even_calls": 2**63},
        {"on_pareto_front": 1},
        {"device": 3},
        {"status": "fine"},
        {"study": "another"},
    ],
    ids=str,
)
def test_a_row_that_breaks_the_contract_is_refused(store, kept, row):
    before = store.rows([kept.id])
    with pytest.raises(ValueError, match=re.escape(next(iter(row)).split("_")[0])):
        store.put_row(kept.id, 0, row, {})
    pd.testing.assert_frame_equal(store.rows([kept.id]), before)


def test_a_row_is_replaced_in_place_and_keeps_its_samples(store, kept):
    again = store.put_row(kept.id, 0, {"status": "done", "speedup": 2.0}, {"new": True})
    rows = store.rows([kept.id])
    assert again == kept.row_id
    assert len(rows) == 2
    assert rows["speedup"][0] == 2.0
    assert rows["size_mb"].isna().all()
    assert store.details(again) == {"new": True}
    assert len(store.samples(again)) == 90


def test_samples_and_answers_come_back_exactly(store, kept):
    samples, answers = store.samples(kept.row_id), store.answers(kept.row_id)
    assert list(samples) == ["replicate", "round", "latency_ms"]
    np.testing.assert_array_equal(samples[["replicate", "round"]], kept.samples[:, :2])
    np.testing.assert_array_equal((samples["latency_ms"] * 1e6).round(), kept.samples[:, 2])
    np.testing.assert_array_equal(answers["predicted"], kept.predicted)
    np.testing.assert_array_equal(answers["label"], kept.labels)


def test_samples_and_answers_are_replaced(store, kept):
    store.put_samples(kept.row_id, [[0, 1, 2_000_000]])
    store.put_answers(kept.row_id, [1, 2], [1, 1])
    assert store.samples(kept.row_id).to_dict("list") == {"replicate": [0], "round": [1], "latency_ms": [2.0]}
    assert store.answers(kept.row_id).to_dict("list") == {"predicted": [1, 2], "label": [1, 1]}


def test_a_row_without_samples_has_empty_frames(store, kept):
    other = int(store.rows([kept.id])["row_id"][1])
    assert list(store.samples(other)) == ["replicate", "round", "latency_ms"]
    assert list(store.answers(other)) == ["predicted", "label"]
    assert len(store.samples(other)) == len(store.answers(other)) == 0
    store.put_samples(other, np.empty((0, 3), np.int64))
    assert len(store.samples(other)) == 0


def test_raw_values_that_do_not_fit_are_refused(store, kept):
    for samples in ([1, 2, 3], [[1, 2]], [[0.5, 1.0, 2.0]]):
        with pytest.raises(ValueError, match="Samples are whole numbers"):
            store.put_samples(kept.row_id, samples)
    for predicted in ([-1], [65_536], [[1]], [0.5]):
        with pytest.raises(ValueError, match="class numbers"):
            store.put_answers(kept.row_id, predicted, [1])
    with pytest.raises(ValueError, match="1 predictions do not go with 2 labels"):
        store.put_answers(kept.row_id, [1], [1, 2])


def test_delete_removes_all_below_and_nothing_else(store, kept, full_row):
    other = store.add_study({}, name="other", machine={}, command="")
    row_id = store.put_row(other, 0, full_row, {})
    store.put_samples(row_id, [[0, 0, 5]])
    store.delete(kept.id)
    assert list(store.studies()["id"]) == [other]
    assert list(store.rows(None)["row_id"]) == [row_id]
    assert len(store.rows([kept.id])) == len(store.samples(kept.row_id)) == len(store.answers(kept.row_id)) == 0
    assert len(store.samples(row_id)) == 1
    with pytest.raises(StoreError, match="holds no row"):
        store.details(kept.row_id)


def test_writing_below_a_study_that_was_deleted_says_so(store, kept):
    store.delete(kept.id)
    with pytest.raises(UnknownName):
        store.put_row(kept.id, 0, {}, {})
    with pytest.raises(StoreError, match="deleted"):
        store.put_samples(kept.row_id, [[0, 0, 1]])
    with pytest.raises(StoreError, match="deleted"):
        store.put_answers(kept.row_id, [1], [1])
    assert len(store.rows(None)) == 0


def test_rename_and_status(store, kept):
    store.rename(kept.id, " Another name ")
    store.set_status(kept.id, "failed", "It broke.")
    record = store.study(kept.id)
    assert (record.name, record.status, record.message) == ("Another name", "failed", "It broke.")
    with pytest.raises(ValueError, match="status"):
        store.set_status(kept.id, "fine")


@pytest.mark.parametrize("id", ["", "nope", "../../etc", "a\x00b", "\ud800", "x" * 5000, "' OR 1=1 --"], ids=ascii)
def test_an_unknown_id_gets_a_short_sentence(store, id):
    for _ in range(12):
        store.add_study({"preset": "full"}, name="", machine={}, command="")
    newest = list(store.studies()["id"][:5])
    for call in (store.study, store.delete, lambda id: store.rename(id, "x"), lambda id: store.set_status(id, "done")):
        with pytest.raises(UnknownName) as caught:
            call(id)
        assert len(str(caught.value)) < 400
        assert str(caught.value).isprintable()
        assert all(known in str(caught.value) for known in newest)


def test_an_unknown_id_in_an_empty_store(store):
    with pytest.raises(UnknownName, match="none yet"):
        store.study("x")


def test_studies_are_listed_newest_first(store, kept, full_row):
    waiting = store.add_study({"preset": "full", "workloads": ["a", "b", "a"]}, name="w", machine={}, command="")
    table = store.studies()
    assert list(table["id"]) == [waiting, kept.id]
    assert list(table) == [
        *("id", "name", "recorded_at", "status", "message", "preset", "machine", "machine_key"),
        *("workloads", "rows", "example", "phase", "confirms"),
    ]
    assert list(table["workloads"]) == ["a, b", "lstm-classifier, vision-small-cnn"]
    assert list(table["rows"]) == [0, 1]  # a row that failed is not counted
    assert list(table["machine"]) == ["", "Test CPU, 2 cores"]
    assert list(table["machine_key"]) == ["", "abc"]


def test_an_empty_store_has_an_empty_list(store):
    assert len(store.studies()) == len(store.rows(None)) == 0
    assert "workloads" in store.studies()


def test_rows_follow_the_order_of_the_ids(store, kept, full_row):
    other = store.add_study({}, name="", machine={}, command="")
    store.put_row(other, 7, full_row, {})
    store.put_row(other, 3, full_row, {})
    rows = store.rows([other, kept.id, other, "gone"])
    assert list(rows["study"]) == [other, other, kept.id, kept.id]
    assert list(rows["position"]) == [3, 7, 0, 1]
    assert len(store.rows(None)) == 4


def test_version_grows_with_writes_only(store, kept):
    before = store.version()
    store.rows(None), store.studies(), store.study(kept.id), store.samples(kept.row_id)
    assert store.version() == before
    store.rename(kept.id, "x")
    assert store.version() > before


def test_version_does_not_grow_with_a_write_that_failed(store, kept):
    before = store.version()
    with pytest.raises(UnknownName):
        store.rename("nope", "x")
    assert store.version() == before


WRITER = """
import sys
from efficiency.results.store import Store
store = Store.open(sys.argv[1])
for number in range(40):
    row_id = store.put_row(sys.argv[2], int(sys.argv[3]) + number, {"status": "done", "speedup": number}, {})
    store.put_samples(row_id, [[0, n, n] for n in range(500)])
    print(number, flush=True)
"""


def test_processes_write_and_read_at_once(store, url, kept):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, kept.id, str(start)], stdout=subprocess.PIPE, text=True)
        for start in (100, 200)
    ]
    versions, seen = [store.version()], [2]
    while any(writer.poll() is None for writer in writers):
        versions.append(store.version())
        seen.append(len(store.rows([kept.id])))
        store.rename(kept.id, f"read {len(seen)} times")
    assert [writer.wait() for writer in writers] == [0, 0]
    assert all(writer.stdout.read().split()[-1] == "39" for writer in writers)
    for writer in writers:
        writer.stdout.close()
    assert versions == sorted(versions)
    assert seen == sorted(seen)
    assert len(store.rows([kept.id])) == 82
    assert store.version() >= versions[0] + 160


def test_threads_share_a_store(store, kept):
    failures = []

    def work(start: int) -> None:
        try:
            for number in range(20):
                store.put_row(kept.id, start + number, {"status": "done"}, {})
                store.rows([kept.id])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(start,)) for start in (100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.rows([kept.id])) == 62


def test_what_is_read_together_is_of_one_moment(store, kept):
    with store.reading() as connection:
        before = store.study_on(connection, kept.id).status
        store.set_status(kept.id, "failed", "Meanwhile.")
        assert store.study_on(connection, kept.id).status == before != "failed"
    assert store.study(kept.id).status == "failed"


def test_results_are_read_without_torch():
    code = (
        "import sys; from efficiency.results import documents, store, tables, columns, example; "
        "print([n for n in ('torch', 'streamlit', 'scipy') if n in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_store_is_closed_by_its_context(url):
    with Store.open(url) as store:
        assert store.version() == 0
