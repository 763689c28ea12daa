"""Files of sentences in the published forms, training on them, and the shipped model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from cnncore import create_model
from cnncore.classification.classifier_run import ClassifierRun, make_optimizers
from cnncore.classification.scores import predict, score
from cnncore.classification.sentence_run_inputs import (
    evaluation_samples,
    inputs_of_sentences,
    open_training,
    read_part,
    vocabulary_of,
)
from cnncore.classification.trained_models import Trained, open_trained
from cnncore.data.samples import DataError
from cnncore.data.text.sentence_files import (
    Sentences,
    SentenceSet,
    read_sentence_set,
    read_sentences,
)
from cnncore.pretrained import shipped_weights
from cnncore.recipes import Recipe, load_recipe
from cnncore.training.word_optimisers import Adadelta
from cnncore.weights.checkpoint import read_metadata


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(2014)


@pytest.fixture(scope="module")
def text_folder() -> Path:
    folder = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "text"
    if not folder.is_dir():
        pytest.skip("no text data beside the checkout")
    return folder


def test_files_of_one_class_each(tmp_path: Path) -> None:
    (tmp_path / "rt.pos").write_bytes(b"caf\xe9 noir\n\n   \nna\xc3\xafve\r\n")
    (tmp_path / "rt.neg").write_bytes(b"\xef\xbb\xbfdull\n")
    data = read_sentence_set(tmp_path)
    assert data.train.texts == ("dull", "café noir", "naïve")
    assert data.train.labels == (0, 1, 1) and data.train.classes == ("neg", "pos")
    assert data.train.blank == 2 and data.validation is None and data.test is None
    assert read_sentence_set(tmp_path / "rt") == data


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_every_usual_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "s.tsv"
    file.write_bytes("pos\tcafé noir\nneg\tdull\n".encode(encoding))
    assert read_sentence_set(file).train.texts == ("café noir", "dull")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "s.tsv"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(
        DataError, match=r"s\.tsv is not text; give a file with one sentence a line"
    ):
        read_sentence_set(file)


def test_labels_before_the_sentences(tmp_path: Path) -> None:
    (tmp_path / "TREC.train").write_text("HUM:ind Who ?\nDESC:def What is N:P ?\nHUM:gr Who ?\n")
    (tmp_path / "TREC.test").write_text("DESC:manner How ?\n")
    data = read_sentence_set(tmp_path)
    assert data.train.classes == ("DESC", "HUM") and data.train.labels == (1, 0, 1)
    assert data.train.texts == ("Who ?", "What is N:P ?", "Who ?")
    assert data.test is not None and data.test.labels == (0,)
    assert data.texts() == ["Who ?", "What is N:P ?", "Who ?", "How ?"]
    fine = read_sentences(tmp_path / "TREC.train", fine=True)
    assert fine.classes == ("DESC:def", "HUM:gr", "HUM:ind") and fine.labels == (2, 0, 1)
    with pytest.raises(DataError, match=r"the class 'DESC:manner', which is not one of DESC:def"):
        read_sentence_set(tmp_path, fine=True)


def test_numbers_before_the_sentences(tmp_path: Path) -> None:
    (tmp_path / "s.fine.train").write_text("10 great\n2 so 1 so\n")
    (tmp_path / "s.fine.dev").write_text("2 fair\n")
    (tmp_path / "s.binary.train").write_text("1 great\n")
    data = read_sentence_set(tmp_path / "s.fine")
    assert data.train.classes == ("2", "10") and data.train.labels == (1, 0)
    assert data.validation is not None and data.validation.texts == ("fair",)
    with pytest.raises(DataError, match=r"several sets \(s.binary, s.fine\); give .*s.binary$"):
        read_sentence_set(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'id,text,label\n1,"fine, really",yes\n2,dull,no\n'),
        ("a.csv", 'yes,"fine, really"\nno,dull\n'),
        ("a.tsv", "label\tsentence\nyes\tfine, really\nno\tdull\n"),
    ],
)
def test_tables_of_label_and_text(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    found = read_sentences(tmp_path / name)
    assert found == Sentences(("fine, really", "dull"), (1, 0), ("no", "yes"))
    (tmp_path / f"train{name[1:]}").write_text(content)
    (tmp_path / f"test{name[1:]}").write_text(content)
    (tmp_path / name).unlink()
    (tmp_path / "README.md").write_text("not data")
    data = read_sentence_set(tmp_path)
    assert data.train == found and data.test == found


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no sentences at"),
        ({"a.txt": "HUM:x who\nno label\n"}, r"sentence 2 of .* has no label .*'no label'"),
        ({"a.csv": "x\ny\n"}, r"row 1 of .* has 1 columns"),
        ({"a.pos": "\n \n", "a.neg": "x\n"}, r"a.pos holds no sentence"),
        ({"a.pos": "x\n"}, "make no two classes"),
        ({"a.dev": "1 x\n", "a.test": "1 x\n"}, "not one file each of train, dev and test"),
    ],
)
def test_what_is_no_set_of_sentences_is_refused(
    files: dict[str, str], message: str, tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    alone = [name for name in files if name in ("a.txt", "a.csv")]
    path = tmp_path / alone[0] if alone else tmp_path
    with pytest.raises(DataError, match=message):
        read_sentence_set(path)


def test_the_published_sets_are_read_whole(text_folder: Path) -> None:
    sizes = {}
    for name in ("mr", "subj", "cr", "mpqa", "trec", "sst/stsa.fine", "sst/stsa.binary"):
        data = read_sentence_set(text_folder / name)
        parts = (data.train, data.validation, data.test)
        sizes[name] = [part and len(part) for part in parts] + [len(data.train.classes)]
    assert sizes == {
        "mr": [10_662, None, None, 2],
        "subj": [10_000, None, None, 2],
        "cr": [3_771, None, None, 2],
        "mpqa": [10_603, None, None, 2],
        "trec": [5_452, None, 500, 6],
        "sst/stsa.fine": [8_544, 1_101, 2_210, 5],
        "sst/stsa.binary": [6_920, 872, 1_821, 2],
    }
    assert len(read_sentences(text_folder / "trec" / "TREC.train", fine=True).classes) == 50
    assert read_sentence_set(text_folder / "cr").train.blank == 4


def films(tmp_path: Path) -> Path:
    (tmp_path / "films.train").write_text("1 a gripping film\n0 a dull film\n" * 20)
    (tmp_path / "films.dev").write_text("1 gripping\n0 dull\n")
    (tmp_path / "films.test").write_text("0 a dull one\n1 so gripping\n")
    (tmp_path / "v.txt").write_text("gripping 1 0 0\ndull 0 1 0\nthrilling 0.9 0 0\na 0 0 1\n")
    return tmp_path / "films"


@pytest.mark.parametrize("variant", ["rand", "static", "non-static", "multichannel"])
def test_every_variant_learns_from_files(variant: str, tmp_path: Path) -> None:
    path = films(tmp_path)
    settings = ["batch=4", "lr=0.02", "epochs=6", "average=0.5", "options={maps=8, dimension=3}"]
    recipe = load_recipe("kim", settings)
    vectors = None if variant == "rand" else tmp_path / "v.txt"
    task = open_training(f"kim-{variant}", path, recipe, vectors=vectors)
    run = ClassifierRun(
        tmp_path / "run", recipe, task.train, task.validation, task.model, facts=task.facts
    )
    assert run.fit() == "finished" and run.best == 1.0
    trained = open_trained(tmp_path / "run")
    name, sentences = read_part(path, None)
    assert name == "test" and len(sentences) == 2
    samples = evaluation_samples(sentences, trained)
    assert score(predict(trained.model, samples), samples.labels).top1 == 1.0
    moved = not torch.equal(run.model.state_dict()["embedding.weight"], task_words(variant, path))
    assert moved == (variant != "static")


def task_words(variant: str, path: Path) -> torch.Tensor:
    recipe = load_recipe("kim", ["options={maps=8, dimension=3}"])
    vectors = None if variant == "rand" else path.with_name("v.txt")
    task = open_training(f"kim-{variant}", path, recipe, vectors=vectors)
    return task.model.state_dict()["embedding.weight"]


def test_a_run_that_was_cut_ends_as_if_it_was_not(tmp_path: Path) -> None:
    path = films(tmp_path)
    for optimizer in ("adam", "adadelta"):
        settings = ["batch=4", "epochs=3", f"optimizer={optimizer}", "options={maps=4}"]
        recipe = load_recipe("kim", [*settings, "lr=0.01"])
        ends = []
        for name, stops in ((f"{optimizer}-whole", 0), (f"{optimizer}-cut", 3)):
            for stop in range(stops + 1):
                task = open_training("kim-rand", path, recipe)
                run = ClassifierRun(
                    tmp_path / name, recipe, task.train, task.validation, task.model
                )
                run.fit(minutes=0.0 if stop < stops else 9.0)
            ends.append(run.model.state_dict())
        assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_validation_is_dev_or_held_out(tmp_path: Path) -> None:
    text = "".join(f"{i % 2} word{i}\n" for i in range(40))
    (tmp_path / "one.txt").write_text(text)
    task = open_training("kim-rand", tmp_path / "one.txt", Recipe(holdout=0.2))
    assert task.validation is not None and (len(task.train), len(task.validation)) == (32, 8)
    assert open_training("kim-rand", tmp_path / "one.txt", Recipe(holdout=0.0)).validation is None
    assert read_part(tmp_path / "one.txt", None)[0] == "all"
    with pytest.raises(DataError, match="has all, not test; choose one of these"):
        read_part(tmp_path / "one.txt", "test")
    with pytest.raises(DataError, match="kim-static starts from word vectors; add --vectors"):
        open_training("kim-static", tmp_path / "one.txt", Recipe())


def test_words_beside_the_sentences_can_be_known(tmp_path: Path) -> None:
    path = films(tmp_path)
    for all_words in (False, True):
        recipe = load_recipe("kim", [f"all_words={str(all_words).lower()}"])
        task = open_training("kim-non-static", path, recipe, vectors=tmp_path / "v.txt")
        words = task.facts["vocabulary"]["words"]
        assert ("thrilling" in words) == all_words
        rows = task.model.state_dict()["embedding.weight"]
        assert rows.shape == (len(words) + 2, 3)
        assert rows[2 + words.index("dull")].tolist() == [0.0, 1.0, 0.0]


def test_classes_are_matched_with_the_models(tmp_path: Path) -> None:
    train = Sentences(("a", "b"), (0, 1), ("negative", "positive"))
    task = inputs_of_sentences("kim-rand", SentenceSet(train), Recipe(holdout=0.0))
    trained = Trained(tmp_path / "x", task.model, train.classes, task.facts)
    for classes in (("0", "1"), ("neg", "pos"), ("negative", "positive")):
        found = evaluation_samples(Sentences(("a",), (1,), classes), trained)
        assert found.classes == ("negative", "positive")
    other = evaluation_samples(Sentences(("a",), (1,), ("2", "n", "x")), trained)
    assert other.classes == ("2", "negative", "x")
    with pytest.raises(DataError, match="does not tell its vocabulary"):
        vocabulary_of(Trained(tmp_path / "x", task.model, train.classes, {}))


def test_adadelta_of_some_rows_is_adadelta_of_all() -> None:
    sparse, dense = (nn.Embedding(30, 4, padding_idx=0, sparse=s) for s in (True, False))
    heads = nn.Linear(4, 2), nn.Linear(4, 2)
    dense.load_state_dict(sparse.state_dict())
    heads[1].load_state_dict(heads[0].state_dict())
    ours = Adadelta([*sparse.parameters(), *heads[0].parameters()], lr=0.7, rho=0.9)
    torchs = torch.optim.Adadelta([*dense.parameters(), *heads[1].parameters()], lr=0.7, rho=0.9)
    start = sparse.weight.detach().clone()
    for _ in range(40):
        x = torch.randint(0, 28, (3, 4))
        for words, head, optimizer in ((sparse, heads[0], ours), (dense, heads[1], torchs)):
            optimizer.zero_grad()
            head(words(x)).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(sparse.weight, dense.weight)
    torch.testing.assert_close(heads[0].weight, heads[1].weight)
    assert torch.equal(sparse.weight[28:], start[28:])
    assert (sparse.weight[1:28] != start[1:28]).any(dim=1).all()


def test_only_the_words_of_a_batch_are_touched() -> None:
    model = create_model("kim-rand", vocabulary=50, dimension=4, maps=40)
    before = model.state_dict()["embedding.weight"].clone()
    optimizers = make_optimizers(model, Recipe(optimizer="adam", lr=0.1))
    for words in ([[3, 4, 5]], [[7, 7, 0]]):
        model(torch.tensor(words))[0, 0].backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    after = model.state_dict()["embedding.weight"]
    assert (after != before).any(dim=1).nonzero().flatten().tolist() == [3, 4, 5, 7]


def test_the_shipped_model_knows_kind_words() -> None:
    file = shipped_weights("kim-sentiment")
    assert file.stat().st_size <= 8 * 2**20
    trained = open_trained(file)
    vocabulary = vocabulary_of(trained)
    kind = ["a gripping film", "Simply wonderful, and it's funny!", "one of the year's best"]
    unkind = ["a dull film", "The plot was terrible.", "a waste of time and talent"]
    shares = trained.model(vocabulary.batch([*kind, *unkind])).softmax(dim=1)
    assert trained.classes == ("negative", "positive")
    assert (shares[:3, 1] > 0.6).all() and (shares[3:, 0] > 0.6).all(), shares


def test_the_table_is_resumed_and_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import kim

    path = films(tmp_path)
    corpus = kim.Corpus(path.name, (1.0, 2.0, 3.0, 4.0), ("options={maps=4, dimension=3}",))
    monkeypatch.setattr(kim, "CORPORA", {"trec": corpus})
    results = tmp_path / "results.jsonl"
    words = ["kim", "run", "--data", str(tmp_path), "--vectors", str(tmp_path / "v.txt")]
    words += ["--results", str(results), "--sets", "trec", "--set", "epochs=1", "--set", "batch=8"]
    for variants, seeds, lines in ((["rand"], 1, 1), (["rand", "static"], 2, 4), (["rand"], 2, 4)):
        argv = [*words, "--seeds", str(seeds), "--variants", *variants]
        monkeypatch.setattr(sys, "argv", argv)
        assert kim.main() == 0
        assert len(kim.read_results(results)) == lines
    table = kim.table(kim.read_results(results)).splitlines()
    assert table[2].startswith("| TREC | **") and table[2].count(", 2 (") == 2
    assert table[2].endswith("| (3.0) | (4.0) |")


def test_ten_folds_leave_each_sentence_out_once() -> None:
    from benchmarks.kim import split

    texts = tuple(f"w{i}" for i in range(31))
    data = SentenceSet(Sentences(texts, tuple(i % 2 for i in range(31)), ("0", "1")))
    left: list[str] = []
    for fold in range(10):
        part = split(data, fold)
        assert part.test is not None and len(part.train) + len(part.test) == 31
        assert not set(part.train.texts) & set(part.test.texts)
        left += part.test.texts
    assert sorted(left) == sorted(texts)
    assert split(data, None) is data


def test_the_shipped_file_tells_how_it_was_made() -> None:
    file = shipped_weights("kim-sentiment")
    facts = read_metadata(file)[1]["facts"]
    assert facts["recipe"]["batch"] == 50 and facts["epochs"] > 0
    card = file.with_suffix(".md").read_text(encoding="utf-8")
    assert "held-out" in card and "GloVe" in card


def test_predictions_come_in_the_order_of_the_samples(tmp_path: Path) -> None:
    lengths = [5, 1, 30, 2, 9, 1]
    texts = tuple(" ".join(f"w{i}" for _ in range(n)) for i, n in enumerate(lengths))
    train = Sentences(texts, (0, 1, 0, 1, 0, 1), ("0", "1"))
    task = inputs_of_sentences("kim-rand", SentenceSet(train), Recipe(holdout=0.0))
    shares = predict(task.model, task.train)
    one_by_one = [predict(task.model, task.train.subset(torch.tensor([i]))) for i in range(6)]
    torch.testing.assert_close(shares, torch.cat(one_by_one))
    assert len({round(share, 6) for share in shares[:, 0].tolist()}) == 6
