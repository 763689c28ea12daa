"""Tables of sentences, lists and classes: quotes, line breaks, index columns, and damaged ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cnncore import DataError, read_images, read_sentences
from cnncore.classification.trained_models import read_class_names
from cnncore.data.tables import csv_rows

FILMS = (("pos", "good film"), ("neg", "bad, bad film"), ("pos", 'a "great" film'))


def found(path: Path, content: str) -> list[tuple[str, str]]:
    path.write_bytes(content.encode())
    data = read_sentences(path)
    return [(data.classes[n], text) for n, text in zip(data.labels, data.texts, strict=True)]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".CSV"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "head",
    [
        None,
        ("label", "text"),
        ("", "label", "text"),
        ("Unnamed: 0", "Label", "Text"),
        ("id", "label", "text"),
        ("index", "text", "label"),
        ("", None, None),
        ("text", "x", "label"),
    ],
)
def test_columns_are_found_behind_an_index_or_without_names(
    suffix: str, end: str, head: tuple[str | None, ...] | None, tmp_path: Path
) -> None:
    mark = "\t" if suffix == ".tsv" else ","
    lines = []
    if head is not None and None not in head:
        lines.append(mark.join(str(name) for name in head))
    for number, (label, text) in enumerate(FILMS):
        doubled = text.replace('"', '""')
        quoted = f'"{doubled}"'
        cells = {"label": label, "text": quoted, "x": "x"}
        names = head or ("label", "text")
        if None in names:
            names = ("", "label", "text")
        lines.append(mark.join(cells.get(str(name).lower(), str(number)) for name in names))
    for last in ("", end):
        assert found(tmp_path / f"films{suffix}", end.join(lines) + last) == list(FILMS)


@pytest.mark.parametrize(
    "content",
    [
        ",stars,comment\n0,5,good\n1,1,bad\n",
        "id,stars,comment\n803,5,good\n12,1,bad\n",
        "stars,comment\n5,good\n1,bad\n",
        "5,good\n1,bad\n",
        "1,5,good\n2,1,bad\n",
        "stars;comment\n5;good\n1;bad\n",
        "label;text\n5;good\n1;bad\n",
    ],
)
def test_names_that_nobody_knows_are_no_sentence(content: str, tmp_path: Path) -> None:
    assert found(tmp_path / "a.csv", content) == [("5", "good"), ("1", "bad")]


def test_classes_in_figures_are_not_taken_for_an_index(tmp_path: Path) -> None:
    assert found(tmp_path / "a.csv", "0,bad\n1,good\n") == [("0", "bad"), ("1", "good")]
    pairs = found(tmp_path / "b.csv", "0,bad,x\n1,good,x\n0,worse,x\n")
    assert pairs == [("0", "bad"), ("1", "good"), ("0", "worse")]


@pytest.mark.parametrize("gap", ["\n", "\r\n", "\n\n", " \n\t"])
def test_line_breaks_in_quotes_part_words(gap: str, tmp_path: Path) -> None:
    content = f'label,text\n1,"good{gap}film"\n0,"not{gap}bad"\n'
    assert found(tmp_path / "a.csv", content) == [("1", "good film"), ("0", "not bad")]
    content = f'1\t"good{gap}film"\n0\t"not{gap}bad"\n'
    assert found(tmp_path / "a.tsv", content) == [("1", "good film"), ("0", "not bad")]


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (["1,fine", '0,"never closed'], 3),
        (['0,"never closed', "1,fine", "0,dull"], 2),
        (['0,"closed', 'late"', '1,"never closed', "0,dull", "0,dull"], 4),
        (["1,fine", '0,"never closed', "1,fine", '0,"closed"', "1,fine"], 3),
    ],
)
def test_a_quote_that_is_not_closed_is_told_by_line(
    suffix: str, rows: list[str], line: int, tmp_path: Path
) -> None:
    path = tmp_path / f"films{suffix}"
    mark = "\t" if suffix == ".tsv" else ","
    for end in ("", "\n"):
        text = "\n".join(["label,text", *rows]).replace(",", mark) + end
        path.write_text(text)
        with pytest.raises(DataError, match=f"^line {line} of {path} is .*quote in it is not clos"):
            read_sentences(path)


def test_quotes_within_a_value_are_letters() -> None:
    text = 'a,he said "hi"\n5" nails,6"\n"all" of it,x\n'
    rows = [["a", 'he said "hi"'], ['5" nails', '6"'], ["all of it", "x"]]
    assert csv_rows(text, "it") == list(enumerate(rows, 1))


def test_lists_and_names_of_classes_are_read_in_the_same_way(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    listed = tmp_path / "labels.csv"
    listed.write_text(',file,class_name\n0,a.png,"polar\nbear"\n\n')
    assert read_images(tmp_path).classes == ("polar\nbear",)
    listed.write_text('file,class_name\na.png,cat\na.png,"dog\na.png,cat\n')
    with pytest.raises(DataError, match=r"^line 3 of labels\.csv in .* quote in it is not closed"):
        read_images(tmp_path)
    names = tmp_path / "names.csv"
    names.write_text('class_index,class_name\n0,"tench, Tinca tinca"\n1,"goldfish\n2,shark\n')
    with pytest.raises(DataError, match=r"^line 3 of .*names\.csv .* quote in it is not closed"):
        read_class_names(names)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("label,text\n1,good\n0\n", r"row 2 of .*a\.csv \(line 3\) has 1 columns"),
        ('label,text\n1,"a\nb"\n0\n', r"row 2 of .*a\.csv \(line 4\) has 1 columns"),
        ("label,text\n", r"a\.csv holds no sentence, only the names of its columns"),
    ],
)
def test_what_lacks_in_a_table_is_named(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        found(tmp_path / "a.csv", content)


@pytest.mark.parametrize(
    "rows",
    [
        ["label;text", "pos;a good, fine film", "neg;bad"],
        ["sep=;", "label;text", "pos;a good, fine film", "neg;bad"],
        ["label, text", 'pos, "a good, fine film"', "neg, bad"],
        ["v1,v2,,,", 'pos,"a good, fine film",,,', "neg,bad one,,,"],
        ["Category,Message", 'pos,"a good, fine film"', "neg,bad"],
        ["5,pos,a good fine film", "7,neg,bad film", "9,neg,a film"],
    ],
)
def test_tables_of_spreadsheets_and_old_sets(rows: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(rows) + "\n")
    data = read_sentences(path)
    assert data.classes == ("neg", "pos")
    assert data.texts[0].replace(",", "") == "a good fine film"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["label,text", "pos,good, very good", "neg,bad"], "has 3 columns and the first 2; put"),
        (["label,text", ",good", "neg,bad"], r"row 1 of .* \(line 2\) has no class"),
        (["g1,1,,a good film", "g1,0,*,a bad film", "g2,1,,one more"], "are not in column 2"),
    ],
)
def test_tables_that_would_be_read_wrongly_are_refused(
    rows: list[str], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(DataError, match=message):
        read_sentences(path)


def test_rows_without_a_text_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("label,text\npos,good\nneg,\nneg,bad\n")
    data = read_sentences(path)
    assert (data.texts, data.blank) == (("good", "bad"), 1)
    assert "1 rows without a text left out" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "File, Label\na.png, cat\nsub/b.png, dog\n",
        "file;label\na.png;cat\nsub/b.png;dog\n",
        "file\tlabel\na.png\tcat\nsub/b.png\tdog\n",
        "id,label\na,cat\nsub/b,dog\n",
        "path,class\n./a.png,cat\nsub\\b.png,dog\n",
    ],
)
@pytest.mark.parametrize("folder", ["", "set"])
def test_lists_of_pictures_as_people_write_them(text: str, folder: str, tmp_path: Path) -> None:
    place = tmp_path / folder
    (place / "sub").mkdir(parents=True)
    for name in ("a.png", "sub/b.png"):
        Image.new("RGB", (8, 8)).save(place / name)
    (place / "labels.csv").write_text(text)
    data = read_images(tmp_path)
    assert (data.classes, data.labels.tolist()) == (("cat", "dog"), [0, 1])


def test_a_list_without_a_class_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("file,label\na.png,cat\na.png,\n")
    with pytest.raises(DataError, match=r"row 2 of labels\.csv in .* has no label"):
        read_images(tmp_path)
