"""`goengine review` as a program: a folder, a bad file among good ones, and one that is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def run_review(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "goengine", "review", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=300,
        check=False,
    )


def test_a_folder_is_reviewed_game_by_game(tmp_path: Path) -> None:
    games = tmp_path / "games"
    games.mkdir()
    (games / "a.sgf").write_text("(;SZ[9]KM[7]PB[Ann];B[ee];W[ge];B[gf])")
    (games / "b.sgf").write_text("not a game")
    done = run_review(tmp_path, "games", "--visits", "2", "--language", "ko", "--out", "out")
    assert done.returncode == 1
    assert "b.sgf" in done.stderr and "Traceback" not in done.stderr
    assert "a.sgf: 100%" in done.stderr and "b.sgf: 0move" not in done.stderr
    first, second, page = done.stdout.splitlines()
    assert first.startswith("a.sgf: Ann (Black) ") and second.startswith("a.sgf: White ")
    assert Path(page) == Path("out/a.review.html")
    assert 'lang="ko"' in (tmp_path / page).read_text(encoding="utf-8")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "a.review.sgf",
        "a.review.html",
        "a.review.png",
        "a.review.jsonl",
    }


def test_what_is_missing_is_one_sentence(tmp_path: Path) -> None:
    done = run_review(tmp_path, "nothing.sgf")
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "nothing.sgf does not exist" in done.stderr
