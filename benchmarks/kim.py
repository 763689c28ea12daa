"""Kim's table 2: seven sets of sentences, four variants of the network, folds and seeds.

Every run adds a line to a file of JSON lines, and a run whose line is there is not done again, so
the table can be filled in many sittings. Sets without a test part are measured in ten folds, with
a tenth of the rest for choosing the epoch; the others on their own test part. Random vectors have
the paper's 300 dimensions there, but in the folds, which are ten times the work, 100.

    python -m benchmarks.kim run --data TEXT --vectors VECTORS --results kim.jsonl --sets mr trec
    python -m benchmarks.kim table --results kim.jsonl
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from cnncore.classification.classifier_run import ClassifierRun
from cnncore.classification.scores import predict, score
from cnncore.classification.sentence_run_inputs import evaluation_samples, inputs_of_sentences
from cnncore.classification.trained_models import open_trained
from cnncore.data.samples import k_fold
from cnncore.data.text.sentence_files import SentenceSet, read_sentence_set
from cnncore.models.classics.kim_cnn import VARIANTS
from cnncore.recipes import Recipe, load_recipe

FOLDS = 10
FOLD_SEED = 0
FOLD_DIMENSION = 100


@dataclass(frozen=True)
class Corpus:
    """A set of sentences: where it is below the folder, and the accuracies of Kim 2014, table 2.

    `settings` change the recipe for this set.
    """

    path: str
    paper: tuple[float, float, float, float]
    settings: tuple[str, ...] = ()


CORPORA = {
    "mr": Corpus("mr", (76.1, 81.0, 81.5, 81.1)),
    "sst-1": Corpus("sst/stsa.fine", (45.0, 45.5, 48.0, 47.4), ("split_words=false",)),
    "sst-2": Corpus("sst/stsa.binary", (82.7, 86.8, 87.2, 88.1), ("split_words=false",)),
    "subj": Corpus("subj", (89.6, 93.0, 93.4, 93.2)),
    "trec": Corpus("trec", (91.2, 92.8, 93.6, 92.2), ("lower_case=false", "epochs=8")),
    "cr": Corpus("cr", (79.8, 84.7, 84.3, 85.0)),
    "mpqa": Corpus("mpqa", (83.4, 89.6, 89.5, 89.4)),
}


@dataclass(frozen=True)
class Unit:
    """One run; `fold` is None on a set with a test part; `settings` are those of the command."""

    corpus: str
    variant: str
    recipe: str
    settings: tuple[str, ...]
    fold: int | None
    seed: int


def units(args: argparse.Namespace, corpus: str, data: SentenceSet) -> Iterator[Unit]:
    """Yield the runs on a set, all folds or seeds of a variant before the next variant."""
    for variant in args.variants:
        for seed in range(1, args.seeds + 1):
            for fold in range(args.folds) if data.test is None else (None,):
                yield Unit(corpus, variant, args.recipe, tuple(args.set), fold, seed)


def split(data: SentenceSet, fold: int | None) -> SentenceSet:
    """Return a set with a test part: its own, or one of ten folds."""
    if fold is None:
        return data
    held = k_fold(len(data.train), FOLDS, seed=FOLD_SEED)[fold].tolist()
    rest = sorted(set(range(len(data.train))) - set(held))
    return SentenceSet(data.train.subset(rest), test=data.train.subset(held))


def measure(unit: Unit, data: SentenceSet, vectors: Path) -> dict[str, Any]:
    """Train, choose the best epoch on the validation part, and return the line of results."""
    settings = list(CORPORA[unit.corpus].settings)
    if unit.fold is not None:
        settings.append(f"options={{dimension={FOLD_DIMENSION}}}")
    recipe: Recipe = load_recipe(unit.recipe, [*settings, *unit.settings])
    recipe = replace(recipe, seed=unit.seed)
    name = f"kim-{unit.variant}"
    data = split(data, unit.fold)
    assert data.test is not None
    began = time.process_time()
    task = inputs_of_sentences(
        name, data, recipe, vectors=None if unit.variant == "rand" else vectors
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        run = ClassifierRun(path, recipe, task.train, task.validation, task.model, facts=task.facts)
        if run.fit() != "finished":
            raise KeyboardInterrupt
        trained = open_trained(path, best=True)
    test = evaluation_samples(data.test, trained)
    result = score(predict(trained.model, test), test.labels)
    return {
        **asdict(unit),
        "validation": run.best,
        "test": result.top1,
        "count": result.count,
        "epoch": trained.facts["epochs"],
        "epochs": recipe.epochs,
        "dimension": task.model.options.get("dimension", 300),
        "processor_seconds": round(time.process_time() - began, 1),
        "data": task.train.digest,
    }


def read_results(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of results, none if it is not there."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines()]


def run(args: argparse.Namespace) -> None:
    """Do the runs that have no line yet."""
    keys = [field for field in Unit.__dataclass_fields__]
    done = {json.dumps([line[key] for key in keys]) for line in read_results(args.results)}
    for corpus in args.sets:
        data = read_sentence_set(args.data / CORPORA[corpus].path)
        for unit in units(args, corpus, data):
            if json.dumps([asdict(unit)[key] for key in keys]) in done:
                continue
            line = measure(unit, data, args.vectors)
            with args.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            fold = "" if unit.fold is None else f" fold {unit.fold}"
            sys.stderr.write(
                f"{corpus} {unit.variant}{fold} seed {unit.seed}: {100 * line['test']:.2f} % at "
                f"epoch {line['epoch']:.0f} (validation {100 * line['validation']:.2f}), "
                f"{line['processor_seconds']} s\n"
            )


def table(lines: list[dict[str, Any]]) -> str:
    """Return the mean test accuracies as Markdown: ours, (the paper's), runs and their deviation.

    The deviation is over runs, which on the sets without a test part are folds.
    """
    rows = ["| set | " + " | ".join(VARIANTS) + " |", "|---" * (len(VARIANTS) + 1) + "|"]
    for name, corpus in CORPORA.items():
        cells = [name.upper()]
        for variant, paper in zip(VARIANTS, corpus.paper, strict=True):
            found = [
                100 * line["test"]
                for line in lines
                if (line["corpus"], line["variant"]) == (name, variant)
            ]
            if not found:
                cells.append(f"({paper})")
                continue
            spread = f" ± {statistics.stdev(found):.1f}" if len(found) > 1 else ""
            mean = statistics.mean(found)
            cells.append(f"**{mean:.1f}**{spread}, {len(found)} ({paper})")
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def main() -> int:
    """Run, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="do the runs that have no line yet")
    runs.add_argument("--data", required=True, type=Path, help="folder with mr/, sst/, trec/, ...")
    runs.add_argument("--vectors", required=True, type=Path, help="word vectors")
    runs.add_argument(
        "--sets", nargs="+", choices=CORPORA, default=list(CORPORA), help="corpora; default: all"
    )
    runs.add_argument(
        "--variants",
        nargs="+",
        choices=VARIANTS,
        default=list(VARIANTS),
        help="of the network; default: all",
    )
    runs.add_argument("--folds", type=int, default=FOLDS, help=f"how many of the {FOLDS} folds")
    runs.add_argument(
        "--seeds", type=int, default=1, help="seeds, of each fold where there are any"
    )
    runs.add_argument(
        "--recipe", default="kim", help="name of a shipped recipe, or a .toml file; default: kim"
    )
    runs.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting of the recipe",
    )
    runs.add_argument("--threads", type=int, default=1, help="CPU threads; default: 1")
    show = commands.add_parser("table", help="print the means beside the paper's")
    for command in (runs, show):
        command.add_argument("--results", required=True, type=Path, help="file of JSON lines")
    args = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    if args.command == "table":
        sys.stdout.write(table(read_results(args.results)))
        return 0
    torch.set_num_threads(args.threads)
    try:
        run(args)
    except KeyboardInterrupt:
        sys.stderr.write("kim: stopped; the same command goes on with the run that was cut\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
