"""Seeing inside: deconvnet, occlusion, first filters, strongest images, and their command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_models import small
from torch import Tensor, nn
from torch.nn import functional

from cnncore import create_model, list_models, save_model
from cnncore.__main__ import main
from cnncore.activations import LayerError, seen_box, watched
from cnncore.deconvnet import project
from cnncore.figures import occlusion_figure, write_figure
from cnncore.model import Classifier, Preset
from cnncore.occlusion import grey, occlude, occlude_words
from cnncore.pictures import around_grey, as_seen, enlarged, first_filters, tiled
from cnncore.shapes import ReceptiveField, receptive_fields
from cnncore.strongest import strongest_images

# A layer before the head of one small model of every family.
LAYERS = {
    "lenet5": "features.4",
    "lenet5-1998": "s4",
    "resnet20-cifar": "layer3.2",
    "preact-resnet18": "layer2.0",
}
OTHER_LAYERS = {
    "alexnet": "features.12",
    "alexnet-two-tower": "features.12",
    "alexnet-owt": "features.10",
    "zfnet": "features.12",
    "nin-imagenet": "features.10",
    "nin-cifar10": "features.10",
    "googlenet": "inception4a",
    "googlenet-torchvision": "inception4a",
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(2014)


def layer_of(name: str) -> str:
    known = {**LAYERS, **OTHER_LAYERS}
    if name in known:
        return known[name]
    if name.startswith("vgg"):
        return "features.12"
    return "layer3.0" if "cifar" in name else "layer2.1"


def gradient(model: nn.Module, image: Tensor, layer: str, unit: int) -> Tensor:
    """Return the plain gradient of half the square of a unit's strongest activity."""
    pixels = image.clone().requires_grad_()
    with watched(model, layer) as outputs:
        model(pixels[None])
    half_square = outputs[-1][0, unit].max().square() / 2
    return torch.autograd.grad(half_square, pixels)[0]


def test_without_relu_the_projection_is_the_gradient() -> None:
    model = create_model("lenet5", activation="tanh", pool="max").eval()
    image = torch.randn(1, 32, 32)
    found = project(model, image, "features.5", 3)
    torch.testing.assert_close(found.pixels, gradient(model, image, "features.5", 3))
    assert found.place is not None and found.activation > 0
    # With ReLU the two differ, but for a layer whose only ReLU stands behind it.
    model = create_model("lenet5").eval()
    found = project(model, image, "features.1", 3)
    torch.testing.assert_close(found.pixels, gradient(model, image, "features.1", 3))
    found = project(model, image, "features.3", 3)
    assert not torch.allclose(found.pixels, gradient(model, image, "features.3", 3))


def by_hand(image: Tensor, model: nn.Sequential, unit: int) -> Tensor:
    """Run convolution, ReLU, pooling, convolution, ReLU forwards and the paper's way back."""
    first, _, _, second, _ = model
    assert isinstance(first, nn.Conv2d) and isinstance(second, nn.Conv2d)
    maps = functional.relu(first(image[None]))
    pooled, switches = functional.max_pool2d(maps, 2, return_indices=True)
    top = functional.relu(second(pooled))
    only = torch.zeros_like(top)
    place = top[0, unit].flatten().argmax()
    only[0, unit].view(-1)[place] = top[0, unit].flatten()[place]
    back = functional.conv_transpose2d(functional.relu(only), second.weight, padding=1)
    back = functional.max_unpool2d(back, switches, 2, output_size=maps.shape[2:])
    return functional.conv_transpose2d(functional.relu(back), first.weight)[0]


def test_the_projection_is_the_papers_deconvnet() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 3, padding=1),
        nn.ReLU(inplace=True),
    )
    image = torch.randn(3, 14, 14)
    with torch.no_grad():
        for unit in range(5):
            expected = by_hand(image, model, unit)
            torch.testing.assert_close(project(model, image, "4", unit).pixels, expected)


def test_switches_put_a_value_back_at_its_place() -> None:
    model = nn.Sequential(nn.MaxPool2d(4), nn.MaxPool2d(2))
    image = torch.rand(2, 16, 16)
    image[1, 13, 6] = 7.0
    found = project(model, image, "1", 1)
    assert (found.activation, found.place) == (7.0, (1, 0))
    assert found.pixels.nonzero().tolist() == [[1, 13, 6]] and found.pixels[1, 13, 6] == 7.0


def test_average_pooling_addition_and_normalisation_go_back_by_their_transpose() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(1)
            self.pool = nn.AvgPool2d(2)

        def forward(self, x: Tensor) -> Tensor:
            return self.pool(torch.cat([x + self.norm(x), x], dim=1))

    block = Block().eval()
    block.norm.weight.data.fill_(3.0)
    image = torch.ones(1, 4, 4)
    twice = project(block, image, "pool", 0, place=(0, 1))
    scale = 1 + 3 / (1 + block.norm.eps) ** 0.5
    expected = torch.zeros(1, 4, 4)
    expected[0, :2, 2:] = scale * scale / 4
    torch.testing.assert_close(twice.pixels, expected)


def test_a_projection_leaves_the_model_as_it_was() -> None:
    model, x = small("resnet20-cifar")
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    project(model, x[0], "layer2.0", 1)
    assert model.training and all(p.grad is None for p in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model.layer1[0].conv1._forward_hooks


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n in LAYERS else pytest.mark.slow)
        for n in list_models()
        if not n.startswith("kim")
    ],
)
def test_every_image_model_runs_through_the_deconvnet(name: str) -> None:
    model, x = small(name)
    layer = layer_of(name)
    found = project(model, x[0], layer)
    assert found.pixels.shape == x[0].shape and found.pixels.isfinite().all()
    top, left, bottom, right = seen_box(
        receptive_fields(model, tuple(x.shape[1:]))[layer], found.place, x[0]
    )
    inside = found.pixels[:, top:bottom, left:right]
    assert inside.abs().sum() > 0
    torch.testing.assert_close(inside.abs().sum(), found.pixels.abs().sum())
    logit = project(model, x[0], model.classifiers[0], 2)
    assert logit.pixels.shape == x[0].shape and logit.pixels.isfinite().all()


@pytest.mark.parametrize(
    ("layer", "unit", "place", "message"),
    [
        ("features.33", 0, None, r"no layer 'features.33'; did you mean features.3"),
        ("", 0, None, "cnncore info lists the layers"),
        ("features.3", 16, None, "no unit 16; its 16 units are 0 to 15"),
        ("features.3", 0, (10, 0), r"place \(10, 0\) is outside the 10x10 maps"),
    ],
)
def test_what_is_not_there_is_refused(
    layer: str, unit: int, place: tuple[int, int] | None, message: str
) -> None:
    model, x = small("lenet5")
    with pytest.raises(LayerError, match=message):
        project(model, x[0], layer, unit, place=place)


def test_a_layer_that_does_not_run_is_refused() -> None:
    model, x = small("googlenet-torchvision")
    with pytest.raises(LayerError, match="does not run 'aux1'"):
        project(model, x[0], "aux1", 0)


class Corner(nn.Module):
    """Two classes: the mean of the upper left quarter, and nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        corner = self.maps(x)[:, 0, :4, :4].mean(dim=(1, 2))
        return torch.stack([corner, torch.zeros_like(corner)], dim=1)


def test_only_what_the_network_looks_at_matters() -> None:
    image = torch.full((1, 8, 8), 2.0)
    maps = occlude(Corner(), image, square=2, stride=2)
    assert maps.target == 0 and maps.probability.shape == maps.answer.shape == (4, 4)
    untouched = torch.ones(4, 4, dtype=torch.bool)
    untouched[:2, :2] = False
    assert (maps.probability[untouched] == maps.plain).all()
    # A quarter of the corner is covered by zeros: the logit falls from 2 to 1.5.
    torch.testing.assert_close(maps.probability[:2, :2], torch.full((2, 2), 1.5).sigmoid())
    assert maps.activity is None and (maps.answer == 0).all()
    same = occlude(Corner(), image, fill=2.0, square=3, stride=2)
    assert same.probability.shape == (4, 4)  # the last one ends at the edge
    torch.testing.assert_close(same.probability, torch.full((4, 4), same.plain))


def test_the_strongest_map_is_watched() -> None:
    image = torch.stack([torch.ones(8, 8), torch.full((8, 8), 3.0)])
    maps = occlude(Corner(), image, square=4, stride=4, layer="maps", target=1)
    assert (maps.unit, maps.plain_activity) == (1, 3.0 * 64)
    torch.testing.assert_close(maps.activity, torch.full((2, 2), 3.0 * 48))
    assert maps.plain == pytest.approx(1 / (1 + np.e))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"square": 9}, "a square of 9"),
        ({"square": 2, "stride": 0}, "moves by 0"),
        ({"target": 2}, "class 2 is not one of 0 to 1"),
        ({"layer": "nowhere"}, "no layer 'nowhere'"),
        ({"layer": "maps", "unit": 4}, "no unit 4"),
    ],
)
def test_occlusions_that_cannot_be(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        occlude(Corner(), torch.zeros(1, 8, 8), **options)


def test_grey_is_the_middle_of_what_the_model_reads() -> None:
    preset = Preset()
    seen = as_seen(grey(preset).expand(3, 2, 2), preset)
    assert set(seen.flatten().tolist()) <= {127, 128}


def test_words_that_speak_for_the_answer() -> None:
    model = create_model("kim-rand", vocabulary=30, dimension=12, maps=4)
    with torch.no_grad():
        model.embedding.weight.zero_()
        model.embedding.weight[7] = 1.0
        model.convolutions[0].weight.fill_(0.1)
        model.fc.weight.zero_()
        model.fc.weight[1] = 1.0
    losses = occlude_words(model, torch.tensor([3, 7, 4]), target=1)
    assert losses[1] > 0.1 and losses[0] == losses[2] == 0
    against = occlude_words(model, torch.tensor([3, 7, 4]), target=0)
    torch.testing.assert_close(against, -losses)


def test_receptive_fields_are_the_places_that_matter() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 1, 3, stride=2, padding=1), nn.MaxPool2d(2), nn.Conv2d(1, 1, 3)
    )
    fields = receptive_fields(model, (1, 32, 32))
    assert fields["0"] == ReceptiveField(2, 3, -1)
    assert fields["1"] == ReceptiveField(4, 5, -1)
    assert fields["2"] == ReceptiveField(4, 13, -1)
    assert fields["2"].box(0, 2) == (-1, 7, 12, 20)
    image = torch.randn(1, 32, 32)
    assert seen_box(fields["2"], (0, 2), image) == (0, 7, 12, 20)
    assert seen_box(fields["2"], (5, 5), image) == (19, 19, 32, 32)
    assert seen_box(None, (0, 2), image) == (0, 0, 32, 32)
    with torch.no_grad():
        plain = model(image[None])
        for row in range(32):
            for column in range(6, 21):
                changed = image.clone()
                changed[0, row, column] += 100.0
                differs = bool(model(changed[None])[0, 0, 0, 2] != plain[0, 0, 0, 2])
                assert differs <= (row < 12 and 7 <= column < 20)


def test_strongest_images_and_their_crops() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, bias=False), nn.ReLU())
    with torch.no_grad():
        for unit, sign in enumerate((1.0, -1.0)):
            model[0].weight[unit] = sign
    images = [(f"{k}", torch.zeros(1, 9, 9)) for k in range(6)]
    for k, (_, image) in enumerate(images):
        image[0, 2:5, 4:7] = k if k % 2 else -k
    best = strongest_images(model, iter(images), "1", [0, 1], count=2, batch=4)
    assert [one.name for one in best[0]] == ["5", "3"]
    assert [one.name for one in best[1]] == ["4", "2"]
    top = best[0][0]
    assert (top.activation, top.place, top.box) == (45.0, (1, 2), (2, 4, 5, 7))
    assert (top.crop(top.image) == 5).all()
    assert project(model, top.image, "1", 0, place=top.place).pixels.nonzero().shape[0] == 9
    with pytest.raises(ValueError, match="no images"):
        strongest_images(model, [], "1", [0])
    with pytest.raises(LayerError, match="no unit 2"):
        strongest_images(model, images, "1", [2])
    with pytest.raises(ValueError, match="count 0"):
        strongest_images(model, images, "1", [0], count=0)


def test_sheets_of_pictures() -> None:
    dots = [torch.full((1, 2, 3), value, dtype=torch.uint8) for value in (10, 20, 30)]
    sheet = tiled(dots)
    assert sheet.shape == (1, 7, 9)
    assert sheet[0, 1:3, 1:4].unique().tolist() == [10]
    assert sheet[0, 4:6, 1:4].unique().tolist() == [30]
    assert sheet[0, 4:6, 5:8].unique().tolist() == [255]
    assert enlarged(sheet, 3).shape == (1, 21, 27)
    assert around_grey(torch.tensor([[[-2.0, 0.0, 2.0]]])).flatten().tolist() == [0, 128, 255]
    assert around_grey(torch.zeros(1, 1, 1)).item() == 128
    with pytest.raises(ValueError, match="no pictures"):
        tiled([])


def test_first_filters_of_one_three_and_other_numbers_of_channels() -> None:
    assert first_filters(small("lenet5")[0]).shape == (1, 2 * 6 + 1, 3 * 6 + 1)
    assert first_filters(small("resnet20-cifar")[0]).shape == (3, 4 * 4 + 1, 4 * 4 + 1)
    four = create_model("resnet20-cifar", in_channels=4)
    assert first_filters(four).shape == (1, 16 * 4 + 1, 4 * 4 + 1)
    with pytest.raises(ValueError, match="reads words"):
        first_filters(small("kim-rand")[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(3).integers(0, 256, (3, 40, 36, 3), np.uint8)
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / "photos" / "deep" / f"{number}.png")
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def weights(folder: Path) -> str:
    model: Classifier = create_model("resnet20-cifar")
    path = folder / "net.safetensors"
    save_model(model, path)
    return str(path)


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["explain", *words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return image.size


def test_the_command_draws(folder: Path, weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, photo = folder / "out.png", str(folder / "photos" / "deep" / "0.png")
    see = ("--image", photo, "--out", str(out))
    status, said, _ = explain(capsys, "deconvnet", weights, *see, "--layer", "layer2.0")
    assert status == 0 and said.startswith("layer2.0, unit ") and size(out) == (960, 960)
    status, said, _ = explain(
        capsys, "occlusion", weights, *see, "--layer", "layer2.0", "--square", "16", "--class", "3"
    )
    assert status == 0 and said.startswith("3: 0.") and size(out)[0] == 2016
    status, said, _ = explain(capsys, "filters", weights, "--out", str(out), "--zoom", "2")
    assert (status, said, size(out)) == (0, "", (34, 34))
    status, said, _ = explain(
        capsys,
        *("strongest", weights, "--images", str(folder / "photos"), "--layer", "layer1.0"),
        *("--unit", "2", "5", "--count", "2", "--out", str(out)),
    )
    lines = said.splitlines()
    assert status == 0 and len(lines) == 4
    assert lines[0].startswith("unit 2  1  ") and "deep/" in lines[0]
    assert not list(folder.glob(".*"))


def test_the_command_says_what_is_wrong(
    folder: Path, weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(folder / "out.png"))
    photo = ("--image", str(folder / "photos" / "notes.txt"))
    for words, message in (
        (("deconvnet", weights, *photo, *out, "--layer", "fc"), "cannot be read as a picture"),
        (("filters", str(folder / "gone.pth"), *out), "no model at"),
        (("filters", "kim-rand", *out), "reads sentences"),
        (("filters", weights, "--zoom", "0", *out), "--zoom 0 must be at least 1"),
        (("words", weights, "--sentence", "good"), "reads pictures"),
        (
            (
                "strongest",
                weights,
                "--images",
                str(folder / "gone"),
                "--layer",
                "fc",
                "--unit",
                "0",
                *out,
            ),
            "does not exist",
        ),
    ):
        status, said, err = explain(capsys, *words)
        assert (status, said) == (1, "") and message in err
    assert not (folder / "out.png").exists()


def test_words_of_a_sentence_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cnncore.sentence_task import VOCABULARY
    from cnncore.text import Vocabulary

    vocabulary = Vocabulary(["a", "gripping", "film"])
    model = create_model("kim-rand", vocabulary=len(vocabulary), dimension=8, maps=2)
    path = tmp_path / "kim.safetensors"
    facts = {VOCABULARY: vocabulary.metadata(), "classes": ["dull", "good"]}
    save_model(model, path, facts=facts)
    status, said, _ = explain(
        capsys, "words", str(path), "--sentence", "A gripping film", "--class", "1"
    )
    lines = [line.split() for line in said.splitlines()]
    assert status == 0 and lines[0][0] == "good:"
    assert [line[1] for line in lines[1:]] == ["a", "gripping", "film"]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    maps = occlude(Corner(), torch.ones(1, 8, 8), square=4, stride=4)
    figure = occlusion_figure(torch.zeros(1, 8, 8, dtype=torch.uint8), maps, ("one",), None)
    with pytest.raises(OSError):
        write_figure(figure, tmp_path / "gone" / "x.png")
    write_figure(figure, tmp_path / "x.png")
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
