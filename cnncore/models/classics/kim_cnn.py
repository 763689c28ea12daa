"""Kim's sentence CNN: convolutions over word vectors and the maximum over time.

Kim 2014, "Convolutional neural networks for sentence classification". Four variants differ in the
word vectors: random and trained (rand), given and fixed (static), given and trained (non-static),
or both copies under the same filters, one fixed and one trained (multichannel).
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.models.classifier import Classifier, NoClassifier

Variant = Literal["rand", "static", "non-static", "multichannel"]
VARIANTS: tuple[Variant, ...] = ("rand", "static", "non-static", "multichannel")
PADDING = 0
UNKNOWN_RANGE = 0.25


class KimCNN(Classifier):
    """Filters over 3, 4 and 5 words, 100 of each; their maxima over the sentence; a linear layer.

    Input: word numbers int64 (B, T) of any length T, 0 = padding; output (B, num_classes). The
    net pads by itself, so that a sentence of one word works and its logits do not depend on how
    long the others of the batch are. `vectors` (vocabulary, dimension) initialise the words;
    without them they are uniform in -0.25..0.25, also in the variants that are meant for given
    ones. Call `constrain` after each update: it keeps each class's weights within `max_norm`.

    Raises:
        ValueError: the vectors' shape does not fit or the variant is unknown.
    """

    classifiers: ClassVar[tuple[str, ...]] = ("fc",)
    head: ClassVar[tuple[str, ...]] = ("fc", "dropout")

    def __init__(
        self,
        *,
        variant: Variant = "rand",
        vocabulary: int = 18_766,
        dimension: int = 300,
        vectors: Tensor | None = None,
        widths: tuple[int, ...] = (3, 4, 5),
        maps: int = 100,
        dropout: float = 0.5,
        max_norm: float = 3.0,
        num_classes: int = 2,
    ) -> None:
        super().__init__(num_classes=num_classes, in_channels=1, preset=None)
        if variant not in VARIANTS:
            raise ValueError(f"variant {variant!r} is unknown; give one of {', '.join(VARIANTS)}")
        if vectors is not None and vectors.shape != (vocabulary, dimension):
            raise ValueError(
                f"vectors of shape {tuple(vectors.shape)} do not fit a vocabulary of {vocabulary} "
                f"words in {dimension} dimensions"
            )
        self.variant = variant
        self.widths = tuple(widths)
        self.max_norm = max_norm
        self.embedding = _words(vocabulary, dimension, vectors)
        self.embedding.weight.requires_grad_(variant != "static")
        self.static: nn.Embedding | None = None
        if variant == "multichannel":
            self.static = _words(vocabulary, dimension, self.embedding.weight.detach())
            self.static.weight.requires_grad_(False)
        self.convolutions = nn.ModuleList(_filters(dimension, maps, width) for width in self.widths)
        self.dropout = nn.Dropout(dropout)
        self.fc = self.new_classifier(NoClassifier(maps * len(self.widths)), num_classes)

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the maxima over time (B, maps * len(widths)).

        The paper pads by width - 1 zeros. The end gets one more, so that every filter also sees
        nothing but padding in every sentence, as it does in all but the longest of a padded batch.
        """
        widest = max(self.widths)
        x = functional.pad(x, (widest - 1, widest), value=PADDING)  # (B, T + 2 * widest - 1)
        words = self.embedding(x)  # (B, T', dimension)
        if self.static is not None:
            words = words + self.static(x)
        words = words.transpose(1, 2)
        maxima = [convolution(words).max(dim=2).values for convolution in self.convolutions]
        return functional.relu(torch.cat(maxima, dim=1))  # as ReLU and then the maxima, but faster

    def forward_head(self, x: Tensor, *, pre_logits: bool = False) -> Tensor:
        """Drop out and classify."""
        x = self.dropout(x)
        return x if pre_logits else self.fc(x)

    @torch.no_grad()
    def constrain(self) -> None:
        """Scale the weights of each class down to Euclidean length `max_norm` where longer."""
        if isinstance(self.fc, nn.Linear):
            self.fc.weight.copy_(torch.renorm(self.fc.weight, 2, 0, self.max_norm))

    def example_input(
        self, batch: int = 1, *, size: int | None = None, device: torch.device | str = "cpu"
    ) -> Tensor:
        """Return sentences of `size` words (40 by default), all of them padding."""
        length = 40 if size is None else size
        return torch.zeros(batch, length, dtype=torch.int64, device=device)


def _words(vocabulary: int, dimension: int, vectors: Tensor | None) -> nn.Embedding:
    """Return a table of given or random word vectors; that of the padding is zero."""
    table = nn.Embedding(vocabulary, dimension, padding_idx=PADDING)
    with torch.no_grad():
        if vectors is None:
            table.weight.uniform_(-UNKNOWN_RANGE, UNKNOWN_RANGE)
        else:
            table.weight.copy_(vectors)
        table.weight[PADDING].zero_()
    return table


def _filters(dimension: int, maps: int, width: int) -> nn.Conv1d:
    """Return filters over `width` words, initialised as in Kim's program."""
    convolution = nn.Conv1d(dimension, maps, width)
    nn.init.uniform_(convolution.weight, -0.01, 0.01)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution
