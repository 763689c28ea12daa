"""Reviews of files and folders: analysed once, kept, and written as SGF, page and picture."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cnncore.system.atomic import write_bytes
from goengine.analysis.position_analysis import PositionAnalysis
from goengine.analysis.whole_games import (
    VISITS,
    GameAnalysis,
    analyse_query,
    record_query,
)
from goengine.games.record import GameRecord
from goengine.games.sgf import read_sgf
from goengine.inference.evaluator import Evaluator
from goengine.pictures.png import save_png
from goengine.review.annotated_sgf import annotated_sgf
from goengine.review.game_summary import GameSummary, summarise
from goengine.review.review_charts import course_figure
from goengine.review.review_page import game_title, review_page
from goengine.review.review_words import ENGLISH, ReviewWords
from goengine.review.saved_analysis import SavedAnalysis
from goengine.types import BLACK, WHITE, GoError

log = logging.getLogger(__name__)

Evaluators = Callable[[int], tuple[str, Evaluator]]
ENDING = ".review"
"""What the names of reviews have before their suffix; files that have it are not reviewed."""


@dataclass(frozen=True)
class ReviewPlan:
    """How games are reviewed."""

    visits: int = VISITS
    """Positions of a search."""
    seconds: float | None = None
    """Time of a search at the most; None sets no limit."""
    player: str | None = None
    """Whose moves: black, white, or a part of a name; None means both."""
    words: ReviewWords = ENGLISH
    folder: Path | None = None
    """Where reviews go; None puts them beside their games."""
    roots: tuple[Path, ...] = ()
    """Folders of games; where a game lies in one of them, its place there is kept in `folder`."""
    megabytes: float = 1000.0


@dataclass(frozen=True)
class ReviewFiles:
    """Where the parts of a review are."""

    sgf: Path
    page: Path
    picture: Path
    analysis: Path
    """The analysed positions, from which the review goes on or is written again."""


def find_games(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the SGF files among paths, and in folders among them, reviews left out.

    Raises:
        GoError: a path does not exist, or a folder holds no game.
    """
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix.lower() == ".sgf")
            games = [file for file in inside if not file.stem.endswith(ENDING)]
            if not games:
                raise GoError(f"{path} holds no .sgf file")
            yield from games
        elif path.is_file():
            yield path
        else:
            raise GoError(f"{path} does not exist: name an SGF file or a folder of them")


def files_of(game: Path, plan: ReviewPlan) -> ReviewFiles:
    """Return where the parts of a game's review go."""
    folder = game.parent
    if plan.folder is not None:
        inside = [root for root in plan.roots if game.is_relative_to(root)]
        folder = plan.folder / game.parent.relative_to(inside[0]) if inside else plan.folder
    stem = folder / f"{game.stem}{ENDING}"
    return ReviewFiles(
        *(stem.with_name(stem.name + end) for end in (".sgf", ".html", ".png", ".jsonl"))
    )


def check_apart(games: Iterable[Path], plan: ReviewPlan) -> None:
    """Check that every game has a review of its own.

    Raises:
        GoError: two games' reviews would be the same file.
    """
    taken: dict[Path, Path] = {}
    for game in games:
        page = files_of(game, plan).page
        other = taken.setdefault(page, game)
        if other != game:
            raise GoError(f"{other} and {game} would both become {page}: review them apart")


def review_file(
    game: Path,
    evaluators: Evaluators,
    plan: ReviewPlan,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> GameSummary:
    """Review a game, and write its files; what an earlier run has analysed is taken over.

    `evaluators` returns name and evaluator of the network for a board size. `progress` is told how
    many of how many positions are analysed.

    Raises:
        GoError: the file is not SGF, a move is illegal, or nobody of that name played.
        OSError: a file cannot be read or written.
    """
    data = game.read_bytes()
    record = read_sgf(data)
    record.final_board()  # so that an illegal move is named as people count, before anything else
    colours = _colours(record, plan.player)
    network, evaluator = evaluators(record.size)
    files = files_of(game, plan)
    files.analysis.parent.mkdir(parents=True, exist_ok=True)
    head = {
        "game": hashlib.sha256(data).hexdigest(),
        "visits": plan.visits,
        "seconds": plan.seconds,
        "network": network,
    }
    saved = SavedAnalysis(files.analysis, head)
    saved.load()
    analysis = GameAnalysis(
        record, plan.visits, network, _positions(record, evaluator, plan, saved, progress)
    )
    summary = summarise(analysis, colours=colours)
    write_bytes(files.sgf, annotated_sgf(analysis, data, words=plan.words))
    write_bytes(files.page, review_page(summary, words=plan.words).encode("utf-8"))
    save_png(course_figure(summary, plan.words, game_title(record, plan.words)), files.picture)
    return summary


def _positions(
    record: GameRecord,
    evaluator: Evaluator,
    plan: ReviewPlan,
    saved: SavedAnalysis,
    progress: Callable[[int, int], None],
) -> tuple[PositionAnalysis, ...]:
    """Return all positions, those that are not known yet analysed and kept."""
    total = len(record.moves) + 1
    missing = [turn for turn in range(total) if turn not in saved.positions]
    progress(total - len(missing), total)
    if missing:

        def keep(position: PositionAnalysis) -> None:
            saved.add(position)
            progress(len(saved.positions), total)

        query = record_query(record, visits=plan.visits, turns=missing)
        query = replace(query, settings=replace(query.settings, seconds=plan.seconds))
        saved.open()
        try:
            analyse_query(query, evaluator, megabytes=plan.megabytes, progress=keep)
        finally:
            saved.close()
    return tuple(saved.positions[turn] for turn in range(total))


def _colours(record: GameRecord, player: str | None) -> Sequence[int]:
    """Return the colours that a word means.

    Raises:
        GoError: no player is called so, or both are.
    """
    if player is None:
        return (BLACK, WHITE)
    wanted = player.strip().lower()
    for colour, words in ((BLACK, ("b", "black", "흑")), (WHITE, ("w", "white", "백"))):
        if wanted in words:
            return (colour,)
    called = {BLACK: (record.black or "").lower(), WHITE: (record.white or "").lower()}
    whole = [colour for colour, name in called.items() if wanted and name == wanted]
    found = whole or [colour for colour, name in called.items() if wanted and wanted in name]
    if len(found) == 1:
        return tuple(found)
    if found:
        raise GoError(f"both players are called {player!r}: use black or white")
    names = ", ".join(name for name in (record.black, record.white) if name) or "not named"
    raise GoError(f"no player is called {player!r}: use black or white; the players are {names}")
