"""Texts and tables that people write: decoded, or refused in a sentence that names the file."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence

from cnncore.data.samples import DataError

_OPEN = "a quote in it is not closed; two stand for one within quotes"
_END = "\0end\0"  # a last line that no file has, to see that every quote is closed

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


def csv_rows(text: str, where: str, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV that are not blank, each with the number of its first line.

    A quoted value may reach over several lines. A quote that nothing closes would swallow all that
    follows, and one that the next quoted value closes the lines up to that; both are refused.

    Raises:
        DataError: a line is not CSV; the text names it and calls the file `where`.
    """
    lines = io.StringIO(text, newline="").readlines()
    ending = [] if not lines or lines[-1].endswith(("\n", "\r")) else ["\n"]
    reader = csv.reader([*lines, *ending, _END], delimiter=delimiter, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    closed = False
    first = 1
    try:
        for row in reader:
            closed = row == [_END]
            taken = lines[first - 1 : reader.line_num]
            if not closed and len(taken) > 1 and not _is_strict(taken, delimiter):
                raise DataError(_not_csv(first, where, _OPEN))
            told = any(value.strip() for value in row) and not closed
            if told and not (first == 1 and taken[0].strip() == f"sep={delimiter}"):
                rows.append((first, row))
            first = reader.line_num + 1
    except csv.Error as error:
        raise DataError(_not_csv(first, where, str(error))) from error
    if not closed:
        raise DataError(_not_csv(rows[-1][0], where, _OPEN))
    return rows


def delimiter_of(text: str, usual: str = ",") -> str:
    """Return what parts the columns of a table by its first line; spreadsheets write `;` too."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    named = re.fullmatch(r"sep=(.)", first.strip())
    if named is not None:
        return named[1]
    return next((mark for mark in (usual, ",", ";", "\t") if mark in first), usual)


def _is_strict(lines: Sequence[str], delimiter: str) -> bool:
    """Tell whether every quote in lines closes where a value ends."""
    try:
        rows = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
        return bool(list(rows))
    except csv.Error:
        return False


def _not_csv(line: int, where: str, reason: str) -> str:
    return f"line {line} of {where} is not a line of a CSV ({reason}); mend it"


def table_rows(text: str, where: str) -> list[dict[str, str]]:
    """Return the rows of a CSV by the names in its first line; `;` or tabs may part them, too.

    Raises:
        DataError: a row lacks a column or is not CSV; the text calls the file `where`.
    """
    numbered = csv_rows(text, where, delimiter_of(text))
    if not numbered:
        return []
    head = numbered[0][1]
    for line, row in numbered[1:]:
        if len(row) < len(head):
            raise DataError(
                f"line {line} of {where} has fewer columns than its first line; "
                f"give {', '.join(head)} in each"
            )
    return [dict(zip(head, row, strict=False)) for _, row in numbered[1:]]


def class_index(text: str, where: str) -> int:
    """Return the number of a class, from 0.

    Raises:
        DataError: it is not such a number; the text calls the place `where`.
    """
    if not text.strip().isdecimal():
        raise DataError(f"{where} is {text!r}, no index of a class; give whole numbers from 0")
    return int(text)
