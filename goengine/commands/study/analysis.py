"""`goengine analysis`: the line-JSON engine that KaTrain, Ogatak, LizzieYzy and scripts start."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from goengine import options
from goengine.foreign_options import add_foreign_options, foreign_settings, take_foreign_options
from goengine.gtp.server import reserve_stdout
from goengine.types import MAX_SIZE

if TYPE_CHECKING:
    from goengine.inference.evaluator import Evaluator

READY = "Started, ready to begin handling requests"
"""What programs wait for on standard error."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `goengine analysis`."""
    network = parser.add_argument_group("network")
    options.add_network(network, judging=True)
    options.add_backend(network)
    options.add_precision(network)
    options.add_threads(network)
    search = parser.add_argument_group("search")
    search.add_argument(
        "--visits",
        type=options.count,
        help="positions of a search where a query does not say it (default: 500)",
    )
    search.add_argument(
        "--megabytes",
        type=options.positive,
        default=1000.0,
        help="bound of all trees and remembered evaluations together (default: 1000)",
    )
    parser.add_argument(
        "-quit-without-waiting",
        "--quit-without-waiting",
        action="store_true",
        help="end at once when the input ends, instead of finishing what was asked",
    )
    options.add_verbose(parser)
    add_foreign_options(parser)


def run(args: argparse.Namespace) -> int:
    """Serve the analysis protocol on standard input and output until the end of the input.

    Raises:
        GoError: the network cannot analyse, a setting is impossible, or stdout is closed.
    """
    output = reserve_stdout()
    options.log_to_stderr(verbose=args.verbose)
    from goengine.analysis.evaluators import (
        EvaluatorBySize,
        judging_network,
        make_analysis_evaluator,
    )
    from goengine.analysis.line_server import AnalysisServer
    from goengine.analysis.requests.query_settings import AnalysisSettings, with_settings
    from goengine.analysis.whole_games import analyse
    from goengine.games.record import GameRecord
    from goengine.inference.machine import Machine

    take_foreign_options(args, used=("-config", "-override-config"))
    settings, said = with_settings(AnalysisSettings(), foreign_settings(args))
    for sentence in said:
        logging.getLogger(__name__).info("%s", sentence)
    if args.visits is not None:
        settings = replace(settings, visits=args.visits)

    def make(size: int) -> tuple[str, Evaluator]:
        """Return name and evaluator of the network for boards of a size."""
        return make_analysis_evaluator(
            args.network,
            size=size,
            machine=Machine(args.backend, args.device, args.precision, args.threads),
        )

    if args.network is None:
        evaluator: Evaluator = EvaluatorBySize(make)
        name = judging_network()
    else:
        name, evaluator = make(MAX_SIZE)
    analyse(GameRecord(size=9), visits=4, evaluator=evaluator, moves_ownership=True)
    server = AnalysisServer(
        evaluator,
        settings,
        network=name,
        input_fd=0,
        output_fd=output,
        megabytes=args.megabytes,
        waits=not args.quit_without_waiting,
    )
    print(READY, file=sys.stderr, flush=True)
    server.run()
    logging.shutdown()
    sys.stderr.flush()
    os._exit(0)  # a thread may sit in a read that only its own end would end
