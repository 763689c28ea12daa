"""Words: Kim's tokeniser, the vocabulary in a checkpoint, samples, and word vectors from files."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cnncore import create_model, load_model, save_model
from cnncore.data.samples import DataError, epoch_batches, k_fold
from cnncore.data.text.sentence_files import Sentences
from cnncore.data.text.vocabulary import UNKNOWN, SentenceSamples, Tokeniser, Vocabulary, padded
from cnncore.data.text.word_vectors import WordVectors, read_vectors
from cnncore.weights.checkpoint import load_checkpoint


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("It's so laddish, isn't it?", "it 's so laddish , is n't it ?"),
        ("they'd've (we'll) you're!", "they 'd 've ( we 'll ) you 're !"),
        ("[garbus] 3-d: crème & `air'", "garbus 3 d cr me `air'"),
        ("'sup 'tis O'S", "'sup 'tis o's"),
        ("...", ""),
        ("a\tb\u00a0c", "a b c"),
    ],
)
def test_words_are_cut_as_in_kims_program(sentence: str, words: str) -> None:
    assert Tokeniser()(sentence) == words.split()


def test_sst_is_not_split_and_trec_keeps_its_case() -> None:
    assert Tokeniser(split=False)("It's, wo n't") == ["it's,", "wo", "n't"]
    assert Tokeniser(lower=False)("What's NASA?") == ["What", "'s", "NASA", "?"]


@given(st.text(alphabet="abnStvredl'`(),!? 3-é\n", max_size=30))
def test_the_tokeniser_does_what_a_chain_of_replacements_does(sentence: str) -> None:
    text = re.sub(r"[^A-Za-z0-9(),!?'`]", " ", sentence)
    for ending in ("'s", "'ve", "n't", "'re", "'d", "'ll"):
        text = text.replace(ending, " " + ending)
    for mark in ",!()?":
        text = text.replace(mark, f" {mark} ")
    assert Tokeniser()(sentence) == text.lower().split()


def test_mr_has_the_papers_number_of_words() -> None:
    folder = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "text" / "mr"
    if not folder.is_dir():
        pytest.skip("no text data beside the checkout")
    lines = [line for file in folder.iterdir() for line in file.read_text("latin-1").splitlines()]
    assert len(Vocabulary.build(lines).words) == 18_765


def test_numbers_go_by_frequency_and_unknown_words_have_one() -> None:
    vocabulary = Vocabulary.build(["a film", "a fine film", "a bore"])
    assert vocabulary.words == ("a", "film", "bore", "fine")
    assert len(vocabulary) == 6 and "fine" in vocabulary and "fin" not in vocabulary
    assert vocabulary.encode("A fine, fine film") == [2, 5, UNKNOWN, 5, 3]
    assert vocabulary.batch(["film", "", "a bore"]).tolist() == [[3, 0], [0, 0], [2, 4]]
    assert Vocabulary.build(["a film", "a fine film", "a bore"], minimum=2).words == ("a", "film")
    assert vocabulary.with_words(["film", "new"]).words == (*vocabulary.words, "new")
    with pytest.raises(DataError, match="'a' twice"):
        Vocabulary(["a", "b", "a"])


def test_a_trained_file_reads_plain_text(tmp_path: Path) -> None:
    vocabulary = Vocabulary.build(["It's a film", "crème"], Tokeniser(lower=False))
    model = create_model("kim-rand", vocabulary=len(vocabulary), dimension=4, maps=3)
    file = tmp_path / "kim.safetensors"
    save_model(model, file, facts={"vocabulary": vocabulary.metadata()})
    read = Vocabulary.from_metadata(load_checkpoint(file).metadata["facts"]["vocabulary"])
    assert read == vocabulary and read != Vocabulary(vocabulary.words)
    x = read.batch(["It's a film"])
    torch.testing.assert_close(load_model(file)(x), model.eval()(x))
    with pytest.raises(DataError, match=r"no vocabulary that this program can read.*train again"):
        Vocabulary.from_metadata({"words": ["a"], "tokeniser": {"stem": True}})


def samples() -> SentenceSamples:
    texts = ("a b c", "", "b", "c c c c", "a z")
    vocabulary = Vocabulary(["a", "b", "c"])
    return SentenceSamples.encode(Sentences(texts, (0, 1, 1, 0, 1), ("no", "yes")), vocabulary)


def test_samples_are_padded_to_the_longest_of_the_batch() -> None:
    data = samples()
    assert len(data) == 5 and data.lengths.tolist() == [3, 0, 1, 4, 2]
    assert data.batch(torch.tensor([2, 0])).tolist() == [[3, 0, 0], [2, 3, 4]]
    assert data.batch(torch.tensor([4])).tolist() == [[2, UNKNOWN]]
    assert padded([]).shape == (0, 0)
    part = data.subset(torch.tensor([3, 1]))
    assert part.labels.tolist() == [0, 1] and part.classes == ("no", "yes")
    assert part.batch(torch.tensor([0])).tolist() == [[4, 4, 4, 4]]


def test_the_digest_tells_other_sentences_labels_and_words() -> None:
    data = samples()
    assert data.digest == samples().digest
    other = [
        data.subset(torch.tensor([0, 1, 2, 4, 3])),
        SentenceSamples([[2]], torch.tensor([0]), ("no", "yes"), Vocabulary(["a"])),
        SentenceSamples([[2]], torch.tensor([1]), ("no", "yes"), Vocabulary(["a"])),
        SentenceSamples([[2]], torch.tensor([1]), ("no", "yes"), Vocabulary(["b"])),
    ]
    assert len({data.digest, *(each.digest for each in other)}) == 5


def test_a_batch_holds_sentences_of_like_length(rng: np.random.Generator) -> None:
    lengths = rng.integers(1, 60, 400)
    rows = [[2] * int(length) for length in lengths]
    data = SentenceSamples(rows, torch.arange(400), ("",) * 400, Vocabulary(["a"]))
    stream = epoch_batches(data, 20, seed=3)
    batches = [next(stream) for _ in range(40)]
    for epoch in (batches[:20], batches[20:]):
        assert sorted(torch.cat([b.labels for b in epoch]).tolist()) == list(range(400))
    cells = sum(batch.inputs.numel() for batch in batches[:20])
    assert lengths.sum() <= cells < 1.1 * lengths.sum()
    widths = [batch.inputs.shape[1] for batch in batches]
    assert widths[:20] != sorted(widths[:20]) and widths[:20] != widths[20:]
    later = next(epoch_batches(data, 20, seed=3, first=33))
    assert torch.equal(later.labels, batches[33].labels)


def test_folds_are_disjoint_and_stay() -> None:
    parts = k_fold(23, 10, seed=0)
    assert sorted(np.concatenate(parts).tolist()) == list(range(23))
    assert {len(part) for part in parts} == {2, 3}
    again, other = k_fold(23, 10, seed=0), k_fold(23, 10, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(parts, other, strict=True))


VECTORS = np.array([[0.5, -1.0], [0.25, 2.0], [8.0, 0.125]], np.float32)


def write_vectors(path: Path, words: list[str], kind: str) -> None:
    pairs = list(zip(words, VECTORS, strict=True))
    if kind == "npz":
        np.savez(path, words=np.array(words), vectors=VECTORS.astype(np.float16))
    elif "binary" in kind:
        rows = [word.encode() + b" " + struct.pack("<2f", *vector) for word, vector in pairs]
        path.write_bytes(b"3 2\n" + (b"\n" if "ends" in kind else b"").join(rows))
    else:
        lines = [f"{word} {vector[0]} {vector[1]}" for word, vector in pairs]
        path.write_text("\n".join(["3 2"] * (kind == "word2vec") + lines) + "\n")


@pytest.mark.parametrize("kind", ["glove", "word2vec", "binary", "binary with ends", "npz"])
def test_word_vectors_are_read_in_every_form(kind: str, tmp_path: Path) -> None:
    suffix = {"npz": "npz", "glove": "txt", "word2vec": "txt"}.get(kind, "bin")
    words = ["film", "is", "newyork" if suffix == "bin" else "new york"]
    path = tmp_path / f"v.{suffix}"
    write_vectors(path, words, kind)
    found = read_vectors(path)
    assert list(found.rows) == words and found.dimension == 2
    np.testing.assert_array_equal(found.vectors, VECTORS)
    assert list(read_vectors(path, words=["IS", "no"]).rows) == ["is"]
    with pytest.raises(DataError, match="no vector of the words that are needed"):
        read_vectors(path, words=["no"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("v.txt", b"film 1 2\nis 1\n", r"line 2 of .* is not a word and 2 numbers"),
        ("v.txt", b"film 1 2\nis x y\n", r"line 2 of .* is not a word and 2 numbers"),
        ("v.txt", b"film\n", r"line 1 of .* is not a word"),
        ("v.bin", b"film 1 2\n", "does not begin with the number of words"),
        ("v.bin", b"3 2\nfilm " + bytes(8) + b"is " + bytes(5), "ends within word 2 of 3"),
        ("v.npz", b"film 1 2\n", "not an npz of the arrays 'words' and 'vectors'"),
    ],
)
def test_damaged_vectors_are_refused(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_vectors(tmp_path / name)
    with pytest.raises(DataError, match=r"no word vectors at .*check the path"):
        read_vectors(tmp_path / "no.txt")


def test_npz_arrays_must_fit_each_other(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", words=np.array(["a", "b"]), vectors=VECTORS)
    with pytest.raises(DataError, match=r"words of shape \(2,\) for vectors of shape \(3, 2\)"):
        read_vectors(tmp_path / "v.npz")


def test_words_without_vectors_are_uniform(rng: np.random.Generator) -> None:
    known = rng.normal(0.0, 0.4, (50, 60)).astype(np.float32)
    vectors = WordVectors({f"w{i}": i for i in range(50)}, known)
    vocabulary = Vocabulary([*(f"w{i}" for i in range(1, 50)), "W0", *(f"x{i}" for i in range(40))])
    table = vectors.table(vocabulary, rng=np.random.default_rng(1)).numpy()
    assert table.shape == (92, 60) and table.dtype == np.float32
    assert not table[0].any()
    np.testing.assert_array_equal(table[2:52], np.roll(known, -1, axis=0))
    invented = np.concatenate([table[1:2], table[52:]])
    assert 0.24 < np.abs(invented).max() <= 0.25
    assert invented.std() == pytest.approx(0.25 / 3**0.5, rel=0.05)
    alike = vectors.table(vocabulary, rng=np.random.default_rng(1), spread=None).numpy()
    assert alike[52:].std() == pytest.approx(known.std(), rel=0.05)
    with pytest.raises(DataError, match="none of the vocabulary's words has a vector"):
        vectors.table(Vocabulary(["y"]), rng=rng)
