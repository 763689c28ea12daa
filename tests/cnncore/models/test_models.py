"""Every model of the registry: the papers' counts, gradients, eval mode, names and heads."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnncore import Classifier, create_model, list_models, summary
from cnncore.models.classics.googlenet import GoogLeNetOutput
from cnncore.models.classics.zfnet import ZFNet
from cnncore.models.classifier import IMAGENET_MEAN
from cnncore.models.registry import ALIASES, ENTRIES, UnknownModelError, find_model
from tests.helpers.small_models import CLASSES, small

# Parameters, and multiply-adds of one image in millions. NIN for ImageNet: the poolings reach over
# the edge as in Caffe, 54 -> 27 -> 13 -> 6.
COUNTS: dict[str, tuple[int, float]] = {
    "lenet5": (61_706, 0.42),
    "lenet5-1998": (60_000, 0.33),
    "alexnet": (62_378_344, 1_135.3),
    "alexnet-two-tower": (60_965_224, 724.4),
    "alexnet-caffe": (60_965_224, 724.4),
    "alexnet-owt": (61_100_840, 714.2),
    "zfnet": (62_357_608, 1_168.0),
    "vgg-a": (132_863_336, 7_609),
    "vgg-a-lrn": (132_863_336, 7_609),
    "vgg-b": (133_047_848, 11_308),
    "vgg-c": (133_638_952, 11_771),
    "vgg-d": (138_357_544, 15_470),
    "vgg-e": (143_667_240, 19_632),
    "vgg-a-bn": (132_868_840, 7_609),
    "vgg-b-bn": (133_053_736, 11_308),
    "vgg-c-bn": (133_647_400, 11_771),
    "vgg-d-bn": (138_365_992, 15_470),
    "vgg-e-bn": (143_678_248, 19_632),
    "nin-imagenet": (7_595_176, 1_100),
    "nin-cifar10": (966_986, 222.5),
    "googlenet": (13_378_280, 1_583),
    "googlenet-torchvision": (13_004_888, 1_498),
    "resnet18": (11_689_512, 1_814),
    "resnet34": (21_797_672, 3_664),
    "resnet50": (25_557_032, 4_089),
    "resnet50-v1": (25_557_032, 3_858),
    "resnet101": (44_549_160, 7_801),
    "resnet101-v1": (44_549_160, 7_570),
    "resnet152": (60_192_808, 11_514),
    "resnet152-v1": (60_192_808, 11_282),
    # Pre-activation takes the normalisation from the first block and from each projection, and
    # puts one behind the last block and one of the block's input in place of the output's.
    "preact-resnet18": (11_689_512 - 1_792, 1_814),
    "preact-resnet34": (21_797_672 - 1_792, 3_664),
    "preact-resnet50": (25_557_032 - 7_680, 3_858),
    "preact-resnet101": (44_549_160 - 7_680, 7_570),
    "preact-resnet152": (60_192_808 - 7_680, 11_282),
    "resnet20-cifar": (269_722, 40.6),
    "resnet32-cifar": (464_154, 68.9),
    "resnet44-cifar": (658_586, 97.2),
    "resnet56-cifar": (853_018, 125.5),
    "resnet110-cifar": (1_727_962, 252.9),
    "preact-resnet110-cifar": (1_727_962, 252.9),
    "preact-resnet164-cifar": (1_703_258, 244.5),
    "preact-resnet1001-cifar": (10_327_706, 1_488),
    # 18,766 words of MR in 300 dimensions, 40 of them in a sentence.
    "kim-rand": (360_300 + 602 + 5_629_800, 16.5),
    "kim-static": (360_300 + 602 + 5_629_800, 16.5),
    "kim-non-static": (360_300 + 602 + 5_629_800, 16.5),
    "kim-multichannel": (360_300 + 602 + 2 * 5_629_800, 16.5),
}
# Counting the deepest nets and training the largest small ones takes seconds each: slow tests.
DEEP = {name for name in COUNTS if any(f"resnet{n}" in name for n in (101, 110, 152, 164, 1001))}
DEEP |= {name for name in COUNTS if name.endswith("-bn") and name != "vgg-d-bn"}
# One net of each shape is enough for what does not depend on depth.
TYPICAL = (
    *("lenet5", "lenet5-1998", "alexnet-two-tower", "alexnet-owt", "zfnet", "nin-cifar10"),
    *("vgg-a-lrn", "vgg-c", "vgg-a-bn", "googlenet", "googlenet-torchvision"),
    *("resnet18", "resnet50-v1", "preact-resnet18", "preact-resnet50", "resnet20-cifar"),
    *("kim-rand", "kim-static", "kim-non-static", "kim-multichannel"),
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(2015)


def on_meta(name: str, **options: Any) -> Classifier:
    with torch.device("meta"):
        return create_model(name, **options)


def logits_of(output: Tensor | GoogLeNetOutput) -> Tensor:
    if isinstance(output, GoogLeNetOutput):
        return output.loss(lambda logits: logits)
    return output


def test_all_models_are_counted() -> None:
    assert set(COUNTS) == set(list_models())


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in DEEP else ()) for n in COUNTS]
)
def test_parameters_and_multiply_adds_are_the_papers(name: str) -> None:
    result = summary(on_meta(name))
    parameters, macs = COUNTS[name]
    assert result.parameters == parameters
    precision = 0.5 if macs > 1_000 and macs == int(macs) else 0.051
    assert result.macs / 1e6 == pytest.approx(macs, abs=precision)


@pytest.mark.parametrize(
    ("name", "options", "parameters", "macs"),
    [
        ("googlenet", {"aux": False}, 6_998_552, 1_583),
        ("googlenet-torchvision", {"aux": False}, 6_624_904, 1_498),
        ("resnet34", {"shortcut": "A"}, 21_623_848, 3_644.5),
        ("resnet34", {"shortcut": "C"}, 22_716_840, 3_831),
        ("resnet20-cifar", {"num_classes": 100}, 269_722 + 65 * 90, 40.6),
        ("kim-rand", {"vocabulary": 9_593, "num_classes": 6}, 360_300 + 1_806 + 2_877_900, 16.5),
    ],
)
def test_options_change_the_counts(
    name: str, options: dict[str, Any], parameters: int, macs: float
) -> None:
    result = summary(on_meta(name, **options))
    assert result.parameters == parameters
    assert result.macs / 1e6 == pytest.approx(macs, abs=0.5)


def test_vgg_by_the_papers_arithmetic() -> None:
    channels = (3, 64, 64, 128, 128, *(256,) * 3, *(512,) * 6)
    convolutions = sum(9 * a * b + b for a, b in pairwise(channels))
    linears = (512 * 7 * 7 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
    assert summary(on_meta("vgg-d")).parameters == convolutions + linears


@pytest.mark.parametrize("depth", [20, 32, 44, 56])
def test_cifar_resnets_by_the_papers_arithmetic(depth: int) -> None:
    n = (depth - 2) // 6
    total = 3 * 9 * 16 + 2 * 16 + 65 * 10
    for before, width in ((16, 16), (16, 32), (32, 64)):
        total += 9 * before * width + (2 * n - 1) * 9 * width * width + 2 * n * 2 * width
    assert summary(on_meta(f"resnet{depth}-cifar")).parameters == total


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in TYPICAL else pytest.mark.slow) for n in COUNTS]
)
def test_every_parameter_learns_and_images_do_not_mix(name: str) -> None:
    model, x = small(name)
    output = logits_of(model(x))
    assert output.shape == (2, CLASSES)
    assert output.isfinite().all()
    nn.functional.cross_entropy(output, torch.tensor([1, 3])).backward()
    for path, parameter in model.named_parameters():
        if not parameter.requires_grad:
            assert path in {"embedding.weight", "static.weight"}
            continue
        assert parameter.grad is not None, path
        assert parameter.grad.isfinite().all(), path
        assert parameter.grad.abs().sum() > 0, path
    model.eval()
    with torch.inference_mode():
        together = model(x)
        alone = torch.cat([model(x[:1]), model(x[1:])])
    assert together.shape == (2, CLASSES) and together.isfinite().all()
    assert not torch.equal(together[0], together[1])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4 * float(together.abs().max()))


@pytest.mark.parametrize("name", TYPICAL)
def test_features_and_head_are_the_halves_of_forward(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name, **({"vocabulary": 30} if name.startswith("kim") else {}))
    model.eval()
    x = model.example_input(2, device="meta")
    features = model.forward_features(x)
    assert model.forward_head(features).shape == model(x).shape == (2, model.num_classes)
    pre_logits = model.forward_head(features, pre_logits=True)
    model.reset_classifier(7)
    assert model(x).shape == (2, 7) and model.num_classes == 7
    model.reset_classifier(0)
    assert model(x).shape == pre_logits.shape
    assert isinstance(model.get_classifier(), nn.Identity)


def test_stages_end_with_the_features_and_halve_the_map() -> None:
    model, x = small("resnet18")
    model.eval()
    maps = list(model.stages(x))
    assert [m.shape[2] for m in maps] == [16, 8, 4, 2, 1]
    assert torch.equal(maps[-1], model.forward_features(x))


@pytest.mark.parametrize(
    ("name", "reductions"),
    [
        ("lenet5", [2, 6]),
        ("alexnet", [4, 8, 38]),
        ("zfnet", [2, 9, 37]),
        ("vgg-c", [1, 2, 4, 8, 16, 32]),
        ("nin-cifar10", [1, 2, 4]),
        ("googlenet", [2, 4, 8, 16, 32]),
        ("resnet50", [2, 4, 8, 16, 32]),
        ("resnet20-cifar", [1, 2, 4]),
    ],
)
def test_feature_maps_of_each_family(name: str, reductions: list[int]) -> None:
    with torch.device("meta"):
        features = create_model(name, features_only=True)
    assert features.reductions == reductions
    x = features.model.example_input(1, device="meta")
    maps = features(x)
    assert [m.shape[1] for m in maps] == features.channels
    assert sum(p.numel() for p in features.parameters()) < COUNTS[name][0]


@pytest.mark.parametrize("name", TYPICAL)
def test_models_are_made_without_a_classifier(name: str) -> None:
    model, x = on_meta(name, num_classes=0), on_meta(name).example_input(2, device="meta")
    assert isinstance(model.get_classifier(), nn.Identity)
    features = model.forward_head(model.forward_features(x), pre_logits=True)
    assert model(x).shape == features.shape  # in training as well, where GoogLeNet has three heads


@pytest.mark.parametrize("name", TYPICAL)
@pytest.mark.parametrize("removed", [False, True])
def test_a_model_without_a_classifier_can_be_given_one(name: str, removed: bool) -> None:
    model, x = on_meta(name, num_classes=0), on_meta(name).example_input(2, device="meta")
    if removed:
        model = on_meta(name)
        model.reset_classifier(0)
    model.reset_classifier(3)
    assert type(model.get_classifier()) is type(on_meta(name).get_classifier())
    assert model.eval()(x).shape == (2, 3)


def test_a_new_classifier_has_the_dtype_of_the_old_one() -> None:
    model = create_model("lenet5").to(torch.bfloat16)
    model.reset_classifier(3)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert model(torch.zeros(1, 1, 32, 32, dtype=torch.bfloat16)).shape == (1, 3)


@pytest.mark.parametrize(
    ("name", "side"), [("alexnet", 224), ("zfnet", 256), ("lenet5", 28), ("lenet5-1998", 28)]
)
def test_images_of_the_wrong_size_are_refused_with_the_right_one(name: str, side: int) -> None:
    model = on_meta(name)
    x = torch.zeros(1, model.in_channels, side, side, device="meta")
    right = model.preset.input_size[1]
    with pytest.raises(ValueError, match=rf"give {right}x{right} images"):
        model(x)


def test_names_and_patterns() -> None:
    assert list_models("*resnet*-cifar") == [n for n in ENTRIES if "resnet" in n and "cifar" in n]
    assert list_models("resnet50*") == ["resnet50", "resnet50-v1"]
    assert "vgg16" not in list_models() and "vgg16" in list_models(aliases=True)
    assert find_model("VGG16_bn").name == "vgg-d-bn"
    assert find_model("resnet50_v1.5").name == "resnet50"
    assert not set(ALIASES) & set(ENTRIES)
    with pytest.raises(UnknownModelError, match=r"'resnet51'; did you mean resnet50"):
        create_model("resnet51")
    with pytest.raises(UnknownModelError, match="list_models"):
        create_model("???")


def test_options_that_a_model_does_not_have_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"lenet5 has no option 'drop_rate'; it takes activation"):
        create_model("lenet5", drop_rate=0.5)
    with pytest.raises(ValueError, match=r"kim-rand has no option 'in_channels'"):
        create_model("kim-rand", in_channels=1)
    for name, options in (
        ("vgg-a", {"configuration": "F"}),
        ("resnet50", {"depth": 51}),
        ("resnet20-cifar", {"depth": 21}),
        ("googlenet", {"variant": "caffe"}),
        ("nin-cifar10", {"layout": "svhn"}),
        ("alexnet", {"towers": 3}),
        ("alexnet", {"order": "none"}),
        ("kim-rand", {"variant": "loud"}),
        ("lenet5", {"image_size": 30}),
        ("lenet5", {"pool": "sum"}),
        ("lenet5-1998", {"squash": "none"}),
        ("resnet18", {"stride_in": "banana"}),
        ("googlenet", {"transform_input": True}),
    ):
        with pytest.raises(ValueError, match=str(next(iter(options.values())))):
            create_model(name, **options)
    with pytest.raises(ValueError, match="num_classes -1"):
        create_model("lenet5", num_classes=-1)
    with pytest.raises(ValueError, match="in_channels 0"):
        create_model("lenet5", in_channels=0)


def test_presets() -> None:
    assert create_model("lenet5").preset.input_size == (1, 32, 32)
    assert create_model("lenet5", image_size=28).preset.input_size == (1, 28, 28)
    assert on_meta("alexnet").preset.input_size == (3, 227, 227)
    preset = on_meta("resnet50").preset
    assert (preset.input_size, preset.crop_fraction) == ((3, 224, 224), 0.875)
    grey = on_meta("resnet50", in_channels=1).preset
    assert grey.input_size == (1, 224, 224)
    assert grey.mean == (pytest.approx(sum(IMAGENET_MEAN) / 3),)
    with pytest.raises(ValueError, match="reads sentences"):
        _ = create_model("kim-rand", vocabulary=5).preset


def test_two_models_of_one_seed_are_equal() -> None:
    def made() -> dict[str, Tensor]:
        torch.manual_seed(7)
        return create_model("resnet20-cifar").state_dict()

    first, second = made(), made()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_order_of_pooling_and_normalisation_is_an_argument() -> None:
    kinds = {
        order: [
            type(layer).__name__
            for layer in on_meta("alexnet", order=order).get_submodule("features").children()
        ][2:4]
        for order in ("pool-norm", "norm-pool")
    }
    assert kinds["pool-norm"] == ["MaxPool2d", "LocalResponseNorm"]
    assert kinds["norm-pool"] == ["LocalResponseNorm", "MaxPool2d"]


def test_paper_initialisation_of_alexnet() -> None:
    model = create_model("alexnet", hidden=8, initialisation="paper")
    biases = [p.flatten()[0].item() for name, p in model.named_parameters() if "bias" in name]
    assert biases == [0, 1, 0, 1, 1, 1, 1, 0]
    weights = [p for name, p in model.named_parameters() if "weight" in name]
    assert all(p.std().item() == pytest.approx(0.01, rel=0.15) for p in weights[:5])


def test_filters_of_zfnet_are_held() -> None:
    model = create_model("zfnet", hidden=8)
    assert isinstance(model, ZFNet)
    weight = model.get_parameter("features.0.weight")
    with torch.no_grad():
        weight[0] = 0.5
        weight[1] = -0.05
    model.constrain()
    assert weight[0].detach().unique().tolist() == pytest.approx([0.1])
    assert weight[1].detach().unique().tolist() == pytest.approx([-0.05])


def test_googlenet_names_its_outputs_and_the_auxiliary_ones_look_earlier() -> None:
    model, x = small("googlenet-torchvision")
    seen: dict[str, Tensor] = {}
    for name in ("inception4b", "inception4e"):
        model.get_submodule(name).register_forward_pre_hook(
            lambda module, inputs, name=name: seen.__setitem__(name, inputs[0])
        )
    for aux, row in (("aux1", "inception4b"), ("aux2", "inception4e")):
        model.get_submodule(aux).register_forward_pre_hook(
            lambda module, inputs, row=row: seen.__setitem__(f"aux {row}", inputs[0])
        )
    output = model(x)
    assert isinstance(output, GoogLeNetOutput)
    expected = output.logits + 0.3 * (output.aux1 + output.aux2)
    torch.testing.assert_close(output.loss(lambda logits: logits), expected)
    # aux1 sees what 4a hands to 4b, aux2 what 4d hands to 4e.
    for row in ("inception4b", "inception4e"):
        assert torch.equal(seen[row], seen[f"aux {row}"])
    assert isinstance(model.eval()(x), Tensor)
    without, x = small("googlenet-torchvision", aux=False)
    assert isinstance(without(x), Tensor)


def test_torchvisions_googlenet_maps_the_input_itself() -> None:
    model, _ = small("googlenet-torchvision")
    plain, _ = small("googlenet-torchvision", transform_input=False)
    plain.load_state_dict(model.state_dict())
    assert plain.preset.mean == plain.preset.std == (0.5, 0.5, 0.5)
    rgb = torch.rand(1, 3, 96, 96)

    def normalised(model: Classifier) -> Tensor:
        mean, std = torch.tensor(model.preset.mean), torch.tensor(model.preset.std)
        return (rgb - mean[:, None, None]) / std[:, None, None]

    with torch.inference_mode():
        torch.testing.assert_close(
            model.eval()(normalised(model)), plain.eval()(normalised(plain)), rtol=1e-4, atol=1e-4
        )
