"""Fast games under load: how often an engine loses on time, by a clock outside it.

An engine that speaks GTP plays both colours of each game. Each colour has main time and byo-yomi
periods, told to the engine by `kgs-time_settings` and `time_left`; what a move takes is measured
here, between the command and its answer. Meanwhile other processes keep the processor busy. Games
that are done are kept in a file of lines, so a long run can be broken off and goes on later.

    python benchmarks/fast_games.py --games 200 --out fast.jsonl
    python benchmarks/fast_games.py --games 20 --size 9 --engine "goengine gtp --network dual-96"
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

from goengine.clock import Clock, TimeSettings
from goengine.coords import gtp_to_move
from goengine.games.game import Game
from goengine.types import BLACK, WHITE, colour_letter

BUSY = "x = 1\nwhile True: x = (x * 1103515245 + 12345) % 2147483648"


class Engine:
    """A process that answers GTP commands."""

    def __init__(self, command: str) -> None:
        self._process = subprocess.Popen(
            shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, command: str) -> str:
        """Return the answer to a command; exit where it is a failure."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if not line.strip() and lines:
                break
            lines.append(line.strip())
        answer = "\n".join(lines)
        if not answer.startswith("="):
            sys.exit(f"{command}: {answer}")
        return answer[1:].strip()


def play(engine: Engine, settings: TimeSettings, size: int, most: int) -> dict[str, object]:
    """Return what happened in one game: moves, its end, and the time that each colour used."""
    clock = Clock(settings)
    game = Game(size, clock=clock)
    for command in (f"boardsize {size}", "clear_board", "komi 7.5"):
        engine.ask(command)
    engine.ask(
        f"kgs-time_settings byoyomi {settings.main:g} {settings.period:g} {settings.periods}"
    )
    longest, spent, periods = 0.0, 0.0, 0
    end = "long"
    while game.board.turn < most:
        colour = game.board.to_play
        letter = colour_letter(colour)
        before = clock.count(colour)
        engine.ask(f"time_left {letter} {clock.left(colour) or 0:.2f} {before}")
        clock.start()
        answer = engine.ask(f"genmove {letter}")
        used = clock.stop(colour)
        longest, spent = max(longest, used), spent + used
        periods += max(0, before - clock.count(colour)) if before else 0
        if clock.overrun:
            end = "time"
            break
        if answer.lower() == "resign":
            end = "resignation"
            break
        game.play(gtp_to_move(answer, size), colour)
        if game.board.passes == 2:
            end = "passes"
            break
    return {
        "moves": game.board.turn,
        "end": end,
        "longest": round(longest, 3),
        "a move": round(spent / max(1, game.board.turn), 3),
        "periods lost": periods,
        "left": [round(clock.left(colour) or 0, 2) for colour in (BLACK, WHITE)],
    }


def main() -> int:
    """Play the games that are still missing, and print what they say together."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", default=f"{sys.executable} -m goengine gtp")
    parser.add_argument("--games", type=int, default=200)
    parser.add_argument("--size", type=int, default=19)
    parser.add_argument("--main", type=float, default=10.0, help="seconds")
    parser.add_argument("--period", type=float, default=1.0, help="seconds")
    parser.add_argument("--periods", type=int, default=3)
    parser.add_argument("--most", type=int, help="moves of a game (twice the points)")
    parser.add_argument("--load", type=int, default=2, help="busy processes beside the engine")
    parser.add_argument("--out", type=Path, help="file of games that are done, to go on from")
    arguments = parser.parse_args()
    settings = TimeSettings("byoyomi", arguments.main, arguments.period, periods=arguments.periods)
    done = []
    if arguments.out and arguments.out.exists():
        done = [json.loads(line) for line in arguments.out.read_text().splitlines()]
    most = arguments.most or 2 * arguments.size**2
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(arguments.load)]
    try:
        engine = Engine(arguments.engine)
        engine.ask("boardsize 9")
        engine.ask("genmove b")  # whatever is loaded and compiled at first
        while len(done) < arguments.games:
            began = time.monotonic()
            done.append(play(engine, settings, arguments.size, most))
            print(f"game {len(done)}: {done[-1]}, {time.monotonic() - began:.0f} s", flush=True)
            if arguments.out:
                with arguments.out.open("a") as file:
                    file.write(json.dumps(done[-1]) + "\n")
        engine.ask("quit")
    finally:
        for process in busy:
            process.kill()
    lost = sum(game["end"] == "time" for game in done)
    longest = max(float(str(game["longest"])) for game in done)
    periods = sum(int(str(game["periods lost"])) for game in done)
    moves = sum(int(str(game["moves"])) for game in done)
    print(
        f"{len(done)} games, {moves} moves: {lost} lost on time, {periods} periods lost, "
        f"the longest move took {longest:.2f} s"
    )
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
