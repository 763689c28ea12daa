"""The command `selfplay generate`: a network's games against itself, as an archive and as SGF.

The games lie in a folder of shards beside the archive, `ARCHIVE.shards`. The same command again
goes on where it was stopped, whether by Ctrl-C, by `--minutes` or by a power cut; a larger
`--games` adds to them. The archive and the SGF file are written anew whenever the command ends.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from cnncore.system.command_line import DONE, INTERRUPTED
from cnncore.system.folder_lock import locked
from cnncore.system.interruption import interruptible
from goengine.inference.choosing import make_evaluator
from goengine.networks.files import default_network, open_network
from goengine.options import count, not_negative, positive, seed, threads
from goengine.types import GoError
from selfplay.reinforce.game_loop import play_games
from selfplay.reinforce.outputs import write_archive, write_sgf_file
from selfplay.reinforce.plan import Plan, load_plan
from selfplay.reinforce.shards import PLAN, Shards

log = logging.getLogger(__name__)

SHARDS = ".shards"
"""Ending of the folder of shards, behind the archive's name."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay generate`."""
    parser.add_argument(
        "--net", metavar="NET", help=f"shipped name or file (default: {default_network()})"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="ARCHIVE", help="folder to make")
    parser.add_argument("--sgf", type=Path, metavar="FILE", help="write the games as SGF too")
    parser.add_argument("--games", type=count, required=True, help="games in all")
    parser.add_argument("--sizes", default="9,13", help="board sizes (default 9,13)")
    parser.add_argument(
        "--handicap",
        type=int,
        default=0,
        metavar="N",
        help="up to N handicap stones, 0 to 9 (default 0)",
    )
    parser.add_argument("--minutes", type=positive, help="stop after so many minutes")
    parser.add_argument("--seed", type=seed, default=0, help="decides all games (default 0)")
    parser.add_argument(
        "--komi-spread",
        type=not_negative,
        default=Plan.komi_spread,
        metavar="POINTS",
        help=f"spread of komi around an even game (default {Plan.komi_spread:g})",
    )
    parser.add_argument(
        "--temperature",
        type=not_negative,
        default=Plan.temperature,
        help=f"of the first moves (default {Plan.temperature:g})",
    )
    parser.add_argument(
        "--late-temperature",
        type=not_negative,
        default=Plan.late_temperature,
        help=f"that later moves approach (default {Plan.late_temperature:g})",
    )
    parser.add_argument(
        "--batch", type=count, help="positions the network gets at once (default: its largest)"
    )
    parser.add_argument("--backend", help="onnx or torch (default: the fastest here)")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best here)")
    parser.add_argument(
        "--threads", type=threads, help="processor threads (default: all physical cores but one)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args: argparse.Namespace) -> int:
    """Play, and write what there is; 0 when all games are over or the time is up, else 130.

    Raises:
        GoError: an option means nothing, the games were begun with others, or a file cannot be
            written.
    """
    folder = args.out.with_name(args.out.name + SHARDS)
    if args.out.exists() and not (folder / PLAN).exists():
        raise GoError(f"{args.out} exists and has no games of this command: choose another --out")
    if args.sgf is not None and not args.sgf.parent.is_dir():
        raise GoError(f"there is no folder {args.sgf.parent} for --sgf: make it first")
    if args.sgf is not None and args.sgf.is_dir():
        raise GoError(f"--sgf {args.sgf} is a folder: name a file in it")
    network = args.net or default_network()
    log.info("loading the network %s", network)
    evaluator = make_evaluator(
        network, backend=args.backend, device=args.device, threads=args.threads
    )
    digest = open_network(network).digest
    _plan(args, digest, args.batch or evaluator.backend.chunk)  # refuse it before a folder is made
    with locked(folder) as mine, interruptible() as interrupted:
        if not mine:
            raise GoError(f"another program plays games into {folder}: wait for it, or stop it")
        begun = load_plan(folder / PLAN)
        batch = args.batch or (begun.batch if begun else evaluator.backend.chunk)
        plan = _plan(args, digest, batch)
        shards = Shards(folder, plan)
        play_games(
            evaluator,
            shards,
            args.games,
            threads=evaluator.backend.threads,
            seconds=None if args.minutes is None else 60.0 * args.minutes,
            stop=interrupted,
            progress=not args.quiet,
        )
        _write(args, shards, Path(network).stem)
        stopped = interrupted()
    return INTERRUPTED if stopped else DONE


def _plan(args: argparse.Namespace, network: str, batch: int) -> Plan:
    """Return the plan that the options ask for."""
    try:
        sizes = tuple(int(size) for size in args.sizes.split(","))
    except ValueError:
        raise GoError(f"--sizes {args.sizes} is not a list of board sizes such as 9,13") from None
    return Plan(
        network=network,
        seed=args.seed,
        sizes=sizes,
        handicap=args.handicap,
        komi_spread=args.komi_spread,
        temperature=args.temperature,
        late_temperature=args.late_temperature,
        batch=batch,
    )


def _write(args: argparse.Namespace, shards: Shards, network: str) -> None:
    """Write the archive and the SGF file, and print what they hold."""
    if not len(shards):
        sys.stdout.write("no game is over yet: start the command again to go on\n")
        return
    archive = write_archive(args.out, shards, network)
    if args.sgf is not None:
        write_sgf_file(args.sgf, shards, network)
    sys.stdout.write(
        f"{archive.path}: {len(archive):,} games, {len(archive.moves):,} moves, "
        f"{archive.disk_size}, {archive.digest}\n"
    )
    log.info(
        "%s keeps these games as well, so that the same command can go on and a larger --games "
        "adds to them; it can be removed when no more are wanted",
        shards.folder,
    )
