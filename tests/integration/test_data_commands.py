"""``layerloom data``: files and folders become data sets, and their owner says what the columns are."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from layerloom.app import downloads_from_environment
from layerloom.cli import cli
from layerloom.data import DataError, uploads
from layerloom.data.folders import gather
from layerloom.data.hub import download
from layerloom.graph.examples import examples
from layerloom.schema.problems import ProblemCode
from serving import serving
from unit.data.support import read

FEATURES = {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}
METADATA = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
TABLE = pa.table({"size": [i / 4 for i in range(20)], "label": [i % 2 for i in range(20)]}, metadata=METADATA)


def data(home: Path, *arguments: str | Path, fails: bool = False) -> str:
    answer = CliRunner().invoke(cli, ["data", *map(str, arguments), "--home", str(home)])
    assert answer.exit_code == int(fails), answer.output
    return answer.output


def saved(folder: Path, table: pa.Table = TABLE) -> Path:
    """A folder as ``datasets.Dataset.save_to_disk`` writes it, in two shards."""
    folder.mkdir(parents=True)
    names = [f"data-0000{shard}-of-00002.arrow" for shard in range(2)]
    for shard, name in enumerate(names):
        with pa.ipc.new_stream(folder / name, table.schema) as out:
            out.write_table(table.slice(10 * shard, 10))
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    return folder


def test_a_file_is_added_shown_and_read_anew(tmp_path: Path) -> None:
    file, home = tmp_path / "My Guests.csv", tmp_path / "home"
    file.write_text("age,city,label\n" + "".join(f"{i},{'Rome' if i % 3 else ''},{'ab'[i % 2]}\n" for i in range(30)))
    assert "my-guests: 20 rows, 2 features" in data(home, "add", file)
    assert "There is a data set 'my-guests' already" in data(home, "add", file, fails=True)
    shown = data(home, "show", "my-guests")
    assert "city: missing in 10 rows (1, 4, 7, 10, 13, 16, 19, 22 …), dropped" in shown
    assert "0 … 29, mean 14.5 ± 8.655" in shown
    assert "30 rows, 1 features" in data(home, "set", "my-guests", "city=ignored")
    for bad, words in (
        ("city", "is not COLUMN=KIND"),
        ("city=blue", "neither a kind"),
        ("label=ignored", "stays as it"),
    ):
        assert words in data(home, "set", "my-guests", bad, fails=True)
    assert "ignored" in data(home, "show", "my-guests")
    assert "my-guests" in data(home, "list")


def test_a_folder_of_hugging_face_is_added(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert "20 rows" in data(home, "add", saved(tmp_path / "one"))
    entry = uploads.find("one", home / "data")
    assert entry is not None
    assert entry.classes == ["no", "yes"]


def test_splits_and_folders_of_tables(tmp_path: Path) -> None:
    many = tmp_path / "many"
    for name in ("train", "test"):
        saved(many / name)
    (many / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test", "../one"]}))
    made = tmp_path / "made.arrow"
    assert gather(many, "", made) == ["test"]
    assert read(made.read_bytes(), ".arrow")[0].samples == 20
    assert gather(many, "test", made) == ["train"]
    with pytest.raises(DataError, match="no split 'valid'; it has train, test"):
        gather(many, "valid", made)
    tables = tmp_path / "tables"
    tables.mkdir()
    for part in range(2):
        pq.write_table(TABLE.slice(0, 5 + part), tables / f"{part}.parquet")
    assert gather(tables, "", made) == []
    assert read(made.read_bytes(), ".arrow")[0].samples == 11
    pq.write_table(TABLE.select(["label"]), tables / "2.parquet")
    with pytest.raises(DataError, match=r"2\.parquet has other columns"):
        gather(tables, "", made)


@pytest.mark.parametrize("state", ["{", "[]", '{"_data_files": 3}', '{"_data_files": [{"filename": "../../secret"}]}'])
def test_folders_that_are_damaged_or_lead_elsewhere(tmp_path: Path, state: str) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text(state)
    with pytest.raises(DataError):
        gather(folder, "", tmp_path / "made")
    (folder / "state.json").unlink()
    with pytest.raises(DataError, match="holds no data set"):
        gather(folder, "", tmp_path / "made")


def test_the_hub_is_asked_by_a_name_and_its_absence_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "made"
    for name in ("../x", "https://example.org/x", "a/b/c", str(tmp_path), "", "tests"):
        with pytest.raises(DataError, match="no name of the Hub"):
            download(name, "", "train", target)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match="pip install") as caught:
        download("stanfordnlp/imdb", "", "train", target)
    assert caught.value.problem.code == ProblemCode.PACKAGE_MISSING

    class Broken:
        @staticmethod
        def load_dataset(name: str, config: str | None, split: str) -> None:
            raise FileNotFoundError(f"Couldn't find {name!r}")

    monkeypatch.setitem(sys.modules, "datasets", Broken)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match="Couldn't find") as caught:
        download("stanfordnlp/imdb", "", "train", target)
    assert caught.value.problem.code == ProblemCode.DATASET_UNAVAILABLE
    # Nobody listens there, so that the connection is refused as on a machine without a network.
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    with pytest.raises(DataError, match="Connection refused") as caught:
        download("stanfordnlp/imdb", "", "train", target)
    assert caught.value.problem.code == ProblemCode.DATASET_UNAVAILABLE
    assert "save_to_disk" in caught.value.problem.message
    monkeypatch.setenv("LAYERLOOM_NO_DOWNLOADS", "1")
    assert "Downloads are switched off" in data(tmp_path / "home", "hub", "stanfordnlp/imdb", fails=True)


def test_a_server_that_downloads_nothing_says_what_is_not_there(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-downloads") as server, server.client() as client:
        client.timeout = 240  # the first request waits until torch is loaded
        offered = {entry["name"]: entry for entry in client.get("/api/datasets").json()}
        problem = offered["mnist"]["missing"]
        assert problem["code"] == "downloads_off"
        assert str(tmp_path / "data" / "torchvision") in problem["message"]
        assert (offered["digits"]["missing"], offered["mnist"]["available"]) == (None, False)
        listed = client.get("/api/catalogue").json()["datasets"]
        assert {entry["name"]: entry["missing"] for entry in listed}["mnist"] == problem
        refused = client.get("/api/datasets/mnist/preview")
        assert (refused.status_code, refused.json()["code"]) == (409, "downloads_off")
        document = client.get("/api/examples").json()[0]["document"]
        for path in ("/api/runs", "/api/rates"):
            refused = client.post(path, json={"document": document, "plan": {"dataset": "mnist"}})
            assert refused.status_code == 422, refused.text
            told = [(item["code"], item["message"]) for item in refused.json()["errors"]]
            assert ("downloads_off", problem["message"]) in told


def test_the_environment_switches_downloads_off_for_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for value, allowed in (("", True), ("0", True), ("off", True), ("1", False), ("true", False)):
        monkeypatch.setenv("LAYERLOOM_NO_DOWNLOADS", value)
        assert downloads_from_environment() == allowed
    document = next(example.document for example in examples() if example.plan.dataset == "digits")
    (tmp_path / "network.json").write_text(document.model_dump_json())
    (tmp_path / "plan.json").write_text('{"dataset": "mnist"}')
    train = ["train", tmp_path / "network.json", tmp_path / "plan.json", "--home", tmp_path / "home"]
    answer = CliRunner().invoke(cli, [str(argument) for argument in train])
    assert answer.exit_code == 1
    assert "downloads are switched off" in answer.output
