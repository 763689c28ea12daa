"""Texts and tables that people write: decoded, or refused in a sentence that names the file."""

from __future__ import annotations

import codecs
import csv
import io

from cnncore.data.samples import DataError

MARKS_OF_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(content: bytes, where: str) -> str:
    """Return a text in UTF-8, or in UTF-16 if it begins as Windows marks that.

    Raises:
        DataError: another encoding; the text calls the file `where`.
    """
    codec = "utf-16" if content.startswith(MARKS_OF_UTF16) else "utf-8-sig"
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where} is not in UTF-8 (its byte {error.start + 1} cannot be); save it in UTF-8"
        ) from error


def table_rows(text: str, where: str) -> list[dict[str, str]]:
    """Return the rows of a CSV by the names in its first line.

    Raises:
        DataError: a row lacks a column or is not CSV; the text calls the file `where`.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rows: list[dict[str, str]] = []
    try:
        for row in reader:
            if None in row.values():
                raise DataError(
                    f"line {reader.line_num} of {where} has fewer columns than its first line; "
                    f"give {', '.join(reader.fieldnames or ())} in each"
                )
            rows.append(row)
    except csv.Error as error:
        raise DataError(
            f"line {reader.reader.line_num} of {where} is not a line of a CSV ({error}); mend it"
        ) from error
    return rows


def class_index(text: str, where: str) -> int:
    """Return the number of a class, from 0.

    Raises:
        DataError: it is not such a number; the text calls the place `where`.
    """
    if not text.strip().isdecimal():
        raise DataError(f"{where} is {text!r}, no index of a class; give whole numbers from 0")
    return int(text)
