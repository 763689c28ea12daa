"""Several networks asked about several sources, one source after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from tqdm import tqdm

from selfplay.batches.fixed_samples import Sample
from selfplay.batches.labels import Labels
from selfplay.evaluation.held_out_answers import Answers, Contestant, ask, joined


class Survey:
    """The answers so far: `answers[source][number of the contestant]`."""

    def __init__(self, contestants: Sequence[Contestant], labels: Labels | None = None) -> None:
        """Ask contestants; with the archive's `labels` about the ends of the games as well."""
        self.contestants, self.labels = contestants, labels
        self.answers: dict[str, list[Answers]] = {}

    def ask_all(
        self, samples: Mapping[str, Sample], told: Callable[[str, Sequence[Answers]], None]
    ) -> bool:
        """Ask about the sample of every source, showing progress on stderr.

        `told` gets each source with its answers as soon as they are there. Returns False if Ctrl-C
        ended it early; the answers until then are kept.
        """
        finished = True
        total = sum(map(len, samples.values()))
        with tqdm(total=total, unit="pos", disable=None, file=sys.stderr, leave=False) as bar:
            for source, sample in samples.items():
                batches: list[list[Answers]] = []
                bar.set_description(source)
                try:
                    for answers in ask(self.contestants, sample, labels=self.labels):
                        batches.append(answers)
                        bar.update(len(answers[0]))
                except KeyboardInterrupt:
                    finished = False
                if batches:
                    self.answers[source] = [joined(parts) for parts in zip(*batches, strict=True)]
                    bar.clear()
                    told(source, self.answers[source])
                if not finished:
                    break
        return finished

    def by_contestant(self) -> list[Answers]:
        """Return the answers of each contestant, source after source."""
        return [joined(parts) for parts in zip(*self.answers.values(), strict=True)]
