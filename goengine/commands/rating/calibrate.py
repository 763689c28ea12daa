"""`goengine calibrate`: play the ladder of ranks, and write the table of what it says.

It can be stopped at any time; the same command goes on with the games that are missing.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from tqdm import tqdm

from cnncore.system import atomic
from cnncore.system.command_line import DONE, INTERRUPTED
from goengine.handicap import most_fixed
from goengine.inference.machine import Machine
from goengine.match.ladder import (
    Ladder,
    Pairing,
    handicap_pairs,
    neighbours_of,
    rungs,
)
from goengine.match.rating_table import ANCHOR, adjusted, entry, printed, with_entry
from goengine.options import add_backend, count, seed, threads
from goengine.players.making import evaluator_of, make_search_player
from goengine.players.ranked.rank_table import RankTable, read_table, shipped_table
from goengine.players.ranked.ranks import BEST, RANKS, parse_rank, rank_number
from goengine.players.settings import SearchSettings
from goengine.types import GoError

log = logging.getLogger(__name__)

SIZES = (9, 13, 19)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `goengine calibrate`."""
    parser.add_argument("--size", type=int, choices=SIZES, default=19, help="board (19)")
    parser.add_argument("--games", type=count, default=60, help="games of every pair (60)")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="for the games; resumes"
    )
    parser.add_argument(
        "--ranks", metavar="RANK,RANK,...",
        help=f"the rungs, each of which plays the next ({','.join(rungs())})",
    )  # fmt: skip
    parser.add_argument(
        "--handicap", metavar="RANK,RANK,...", default="",
        help="also handicap games: each of these against the next, a stone a rank (none)",
    )  # fmt: skip
    parser.add_argument(
        "--anchor", action="append", default=[], metavar="RANK=ENTRANT",
        help="also even games of a rank against an entrant as in match, 'gtp:gnugo ...' for "
        "instance; may be repeated (none)",
    )  # fmt: skip
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="levels to play by (what is shipped)"
    )
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the table with what was measured"
    )
    parser.add_argument(
        "--adjust", action="store_true",
        help="write levels at which ranks would be evenly apart, to be measured next",
    )  # fmt: skip
    parser.add_argument("--batch", type=count, default=20, help="games at once (20)")
    parser.add_argument("--seed", type=seed, default=1, help="seed of openings and players (1)")
    add_backend(parser)
    parser.add_argument("--threads", type=threads, help="processor threads of the network")


def run(args: argparse.Namespace) -> int:
    """Play what is missing, print what all of it says, and write the table."""
    table = read_table(args.table) if args.table else shipped_table()
    if args.size not in table.sizes:
        known = ", ".join(map(str, sorted(table.sizes)))
        raise GoError(f"{args.table} has boards of {known} lines: give one of them as --size")
    pairings = _pairings(args)
    if args.adjust and not args.write:
        raise GoError("--adjust changes levels: name the file for them with --write")
    if args.write and (args.write.is_dir() or not args.write.parent.is_dir()):
        raise GoError(f"no file can be written at {args.write}: name one in a folder that is there")
    reader = make_search_player(
        table.network,
        SearchSettings(visits=1, megabytes=1.0),
        machine=Machine(args.backend, args.device, threads=args.threads),
        size=args.size,
    )
    evaluator = evaluator_of(reader)
    assert evaluator is not None
    ladder = Ladder(table, evaluator, args.out, size=args.size, seed=args.seed, batch=args.batch)
    whole = _play(ladder, pairings, args.games)
    meetings = [ladder.meeting(pairing) for pairing in pairings]
    if not any(meeting.games for meeting in meetings):
        print("no game was finished")
        return DONE if whole else INTERRUPTED
    found = with_entry(table, args.size, entry(table, args.size, meetings, _command(args)))
    print(printed(found, args.size))
    if args.write:
        written = adjusted(found, args.size) if args.adjust else found
        atomic.write_text(args.write, table_text(written))
    return DONE if whole else INTERRUPTED


def table_text(table: RankTable) -> str:
    """Return a table of ranks as its file holds it, one match a line."""
    kept = table.as_json()
    sizes = []
    for size, found in kept["sizes"].items():
        matches = ",\n    ".join(map(json.dumps, found["matches"]))
        parts = [f'"{name}": {json.dumps(found[name])}' for name in found if name != "matches"]
        parts.append(f'"matches": [\n    {matches}]')
        sizes.append(f'  "{size}": {{\n   ' + ",\n   ".join(parts) + "}")
    head = [f'"{name}": {json.dumps(kept[name])}' for name in kept if name != "sizes"]
    return "{\n " + ",\n ".join([*head, '"sizes": {\n' + ",\n".join(sizes) + "}"]) + "}\n"


def _pairings(args: argparse.Namespace) -> list[Pairing]:
    """Return who plays whom.

    Raises:
        GoError: a rank does not exist, or the ranks do not rise.
    """
    ranks = _ranks(args.ranks) if args.ranks else rungs()
    found = neighbours_of(ranks)
    if args.handicap:
        pairs = handicap_pairs(_ranks(args.handicap))
        most = most_fixed(args.size)
        for pair in pairs:
            if not 2 <= pair.handicap <= most:
                raise GoError(
                    f"a handicap of {pair.handicap} between {pair.a} and {pair.b} is not possible "
                    f"on {args.size}x{args.size}: name ranks 2 to {most} apart"
                )
        found += pairs
    for text in args.anchor:
        rank, _, entrant = (word.strip() for word in text.partition("="))
        if not entrant or parse_rank(rank) == BEST or entrant in RANKS:
            raise GoError(
                f"{text!r} is not an anchor: write it as {ANCHOR}=ENTRANT, a rank and a player "
                "that is not one"
            )
        found.append(Pairing(parse_rank(rank), entrant))
    names = [pairing.name for pairing in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise GoError(f"two pairs would be kept in the folder {twice[0]}: leave one of them out")
    return found


def _ranks(text: str) -> list[str]:
    """Return the ranks in a list, the weakest first."""
    found = [parse_rank(word) for word in text.split(",")]
    if not set(found) <= set(RANKS) or len(found) < 2:
        raise GoError(f"{text!r} is not a ladder: name two ranks at the least, as 12k,9k,6k")
    if found != sorted(set(found), key=rank_number):
        raise GoError(f"{text!r} does not rise: name the weakest rank first, each once")
    return found


def _command(args: argparse.Namespace) -> str:
    """Return the command that plays these games, without folders."""
    words = [f"goengine calibrate --size {args.size} --games {args.games} --seed {args.seed}"]
    words += [f"--ranks {args.ranks}"] if args.ranks else []
    words += [f"--handicap {args.handicap}"] if args.handicap else []
    words += [f"--anchor '{anchor}'" for anchor in args.anchor]
    return " ".join(words)


def _play(ladder: Ladder, pairings: list[Pairing], games: int) -> bool:
    """Play what is missing, with a progress bar, and tell whether nothing was left out.

    Anchors come first: one that does not start is noticed before hours of games.
    """
    done = sum(len(ladder.meeting(pairing).results) for pairing in pairings)
    moves = 0
    bar = tqdm(total=games * len(pairings), initial=done, unit="game", file=sys.stderr)

    def moved(count: int) -> None:
        nonlocal moves
        moves += count
        bar.set_postfix_str(f"{moves:,} moves")

    try:
        for pairing in sorted(pairings, key=lambda one: one.b in RANKS):
            bar.set_description(pairing.name)
            for _ in ladder.play(pairing, games, moved=moved):
                bar.update()
    except KeyboardInterrupt:
        log.warning("interrupted; the same command goes on")
        return False
    finally:
        bar.close()
    return True
