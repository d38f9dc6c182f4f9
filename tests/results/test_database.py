"""A database that cannot be used is refused with a sentence that says what to do, and is left as it was."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from efficiency.errors import StoreError
from efficiency.results.columns import COLUMNS
from efficiency.results.store import Store


def refused(url: str | None) -> str:
    with pytest.raises(StoreError) as caught:
        Store.open(url)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 400
    return sentence


def test_the_default_is_a_file_at_home(tmp_path, monkeypatch):
    monkeypatch.delenv("EFFICIENCY_DB", raising=False)
    monkeypatch.setenv("EFFICIENCY_HOME", str(tmp_path / "new" / "home"))
    Store.open().close()
    assert (tmp_path / "new" / "home" / "efficiency.db").is_file()


def test_the_variable_names_another(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFICIENCY_DB", f"sqlite:///{tmp_path}/x y/é.db")
    Store.open().close()
    assert (tmp_path / "x y" / "é.db").is_file()


def test_what_was_kept_is_there_when_opened_again(url):
    with Store.open(url) as store:
        id = store.add_study({}, name="kept", machine={}, command="")
    with Store.open(url) as store:
        assert store.study(id).name == "kept"


def test_a_newer_format_is_refused(url, tmp_path):
    Store.open(url).close()
    path = tmp_path / "folder" / "e.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = 2 WHERE key = 'format'")
    connection.close()
    assert "newer version" in refused(url)


def test_a_database_from_before_a_column_gains_it_and_loses_nothing(url, tmp_path):
    path = tmp_path / "folder" / "e.db"
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.executescript((Path(__file__).parent / "before_noise_floor.sql").read_text())
    connection.close()
    with Store.open(url) as store:
        id, row = store.studies()["id"][0], store.rows(None).iloc[0]
        assert list(store.rows(None).columns) == ["row_id", "study_id", "position", *COLUMNS]
        assert (row["variant"], row["speedup"], row["phase"]) == ("dynamic-int8", 1.5, "inference")
        assert row[["noise_floor_pct", "logits_snr_db", "ceiling_pct", "runtime_speedup_ci_high"]].isna().all()
        assert store.details(row["row_id"]) == {"spent_s": 2}
        assert len(store.samples(row["row_id"])) == 1
        assert store.answers(row["row_id"])["label"].tolist() == [1, 3]
        store.put_row(id, 1, {"status": "done", "noise_floor_pct": 1.5, "logits_snr_db": -3.0}, {})
    with Store.open(url) as store:  # and the second time there is nothing left to add
        assert store.rows(None)["logits_snr_db"].tolist()[1] == -3.0


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 100, b"\x1f\x8b" * 600])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "e.db"
    path.write_bytes(content)
    assert "not an SQLite database" in refused(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_cut_off_database_is_refused(url, tmp_path):
    Store.open(url).close()
    path = tmp_path / "folder" / "e.db"
    path.write_bytes(path.read_bytes()[:5000])
    assert "EFFICIENCY_DB" in refused(url) or "damaged" in refused(url)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE people (name TEXT)",
        "CREATE TABLE meta (something TEXT)",
        "CREATE TABLE meta (key TEXT, value TEXT); INSERT INTO meta VALUES ('format', 'mp3')",
        "CREATE TABLE meta (key TEXT, value INT); INSERT INTO meta VALUES ('format', 1)",
    ],
)
def test_a_foreign_database_is_refused_and_left_alone(tmp_path, sql):
    path = tmp_path / "e.db"
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()
    before = path.read_bytes()
    assert "another program's" in refused(f"sqlite:///{path}")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "url",
    [
        "garbage",
        "/tmp/x.db",
        "http://example.org",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?uri=true",
        "sqlite:////proc/nothing/here.db",
        "sqlite:////dev/null/here.db",
        "sqlite:////tmp",
        "sqlite:///a\x00b.db",
        "postgresql://someone:secret@localhost:port/x",
        "nosuchthing://someone:secret@localhost/x",
        "oracle://someone:secret@localhost/x",
    ],
    ids=ascii,
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url, monkeypatch):
    assert "secret" not in refused(url)
    if "\x00" not in url:  # which no variable can hold
        monkeypatch.setenv("EFFICIENCY_DB", url)
        assert "EFFICIENCY" in refused(None)


def test_a_home_that_cannot_be_made_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.delenv("EFFICIENCY_DB", raising=False)
    monkeypatch.setenv("EFFICIENCY_HOME", str(tmp_path / "file" / "home"))
    assert "EFFICIENCY_HOME" in refused(None)


def test_a_read_only_database_is_refused(url, tmp_path):
    Store.open(url).close()
    path = tmp_path / "folder" / "e.db"
    assert "read-only" in refused(f"sqlite:///file:{path}?mode=ro&uri=true")


def test_a_full_disk_is_told(url):
    Store.open(url).close()

    def limit(connection, _record) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite makes it as many pages as there are now

    event.listen(Engine, "connect", limit)
    try:
        with Store.open(url) as store:
            with pytest.raises(StoreError, match=r"is full; free some space"):
                store.add_study({"much": "x" * 1_000_000}, name="", machine={}, command="")
            assert len(store.studies()) == 0
    finally:
        event.remove(Engine, "connect", limit)


def test_a_database_that_is_kept_busy_is_told(url, monkeypatch):
    monkeypatch.setattr("efficiency.results.database.BUSY_S", 0)
    with Store.open(url) as store:
        other = sqlite3.connect(url.removeprefix("sqlite:///"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="busy"):
            store.add_study({}, name="", machine={}, command="")
        assert len(store.studies()) == 0  # reading goes on
        other.rollback()
        other.close()
        store.add_study({}, name="", machine={}, command="")


def test_many_processes_open_a_new_database_at_once(url, tmp_path: Path):
    code = (
        "import sys; from efficiency.results.store import Store; "
        "Store.open(sys.argv[1]).add_study({}, name='', machine={}, command='')"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(4)]
    assert [child.wait() for child in children] == [0, 0, 0, 0]
    with Store.open(url) as store:
        assert len(store.studies()) == 4
        assert store.version() == 4
