"""Real weights on real images: the sharpest check that a network is the one its weights mean."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cnncore import WeightsError, create_model, load_weights
from cnncore.models.classifier import Preset

RESNET50 = "resnet50_keras_imagenet_int8.npz"
RESNET20 = "resnet20-12fca82f.th"
CIFAR_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def images_folder() -> Path:
    folder = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "images"
    if not folder.is_dir():
        pytest.skip("no image data beside the checkout")
    return folder


def prepared(image: Image.Image, preset: Preset) -> Tensor:
    """Scale, cut the centre and normalise, as a preset says."""
    image = image.convert("RGB")
    scale = preset.resize / min(image.size)
    if scale != 1.0:
        width, height = (round(side * scale) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    side = preset.input_size[1]
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    return normalised(np.asarray(image)[None], preset)[0]


def normalised(pixels: np.ndarray, preset: Preset) -> Tensor:
    """Return uint8 (B, H, W, 3) as the float (B, 3, H, W) that a model reads."""
    x = torch.from_numpy(pixels.astype(np.float32) / 255.0).permute(0, 3, 1, 2)
    mean, std = torch.tensor(preset.mean), torch.tensor(preset.std)
    return (x - mean[:, None, None]) / std[:, None, None]


@torch.inference_mode()
def correct(model: nn.Module, x: Tensor, labels: np.ndarray, *, top: int = 1) -> int:
    """Count the images whose label is among the `top` best."""
    hits = 0
    for start in range(0, len(x), 50):
        best = model(x[start : start + 50]).topk(top, dim=1).indices.numpy()
        hits += int((best == labels[start : start + 50, None]).any(axis=1).sum())
    return hits


@pytest.fixture(scope="module")
def cifar_net(images_folder: Path) -> nn.Module:
    torch.set_num_threads(1)
    return create_model("resnet20-cifar", weights=images_folder / "weights" / RESNET20).eval()


@pytest.mark.slow
def test_cifar_resnet20_knows_the_images_that_it_was_trained_on(
    images_folder: Path, cifar_net: nn.Module
) -> None:
    sheet = np.asarray(Image.open(images_folder / "cifar10" / "train_0000_1999.png").convert("RGB"))
    tiles = sheet.reshape(40, 32, 50, 32, 3).swapaxes(1, 2).reshape(2000, 32, 32, 3)
    labels = np.loadtxt(images_folder / "cifar10" / "train_0000_1999.labels.txt", dtype=np.int64)
    # The statistics are ImageNet's, as in the program that trained it.
    assert correct(cifar_net, normalised(tiles, Preset()), labels.reshape(-1)) == 1997


@pytest.mark.slow
def test_cifar_resnet20_on_lossy_test_images(images_folder: Path, cifar_net: nn.Module) -> None:
    pixels, labels = [], []
    with zipfile.ZipFile(images_folder / "cifar10" / "test_jpeg_2000.zip") as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith(".jpg")):
            image = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
            pixels.append(np.asarray(image))
            labels.append(CIFAR_CLASSES.index(Path(name).parent.name))
    assert len(pixels) == 2000
    count = correct(cifar_net, normalised(np.stack(pixels), Preset()), np.array(labels))
    assert abs(count - 1627) <= 2


@pytest.mark.slow
def test_resnet50_with_real_weights_names_the_sample_photos(images_folder: Path) -> None:
    torch.set_num_threads(1)
    model = create_model("resnet50-v1", weights=images_folder / "weights" / RESNET50).eval()
    folder = images_folder / "imagenet_sample"
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 250
    labels = np.array([int(row["class_index"]) for row in rows])
    first = fifth = 0
    for start in range(0, 250, 10):
        part = rows[start : start + 10]
        x = torch.stack([prepared(Image.open(folder / row["file"]), model.preset) for row in part])
        with torch.inference_mode():
            best = model(x).topk(5, dim=1).indices.numpy()
        right = best == labels[start : start + 10, None]
        first += int(right[:, 0].sum())
        fifth += int(right.any(axis=1).sum())
    assert (abs(first - 226) <= 1, abs(fifth - 247) <= 1) == (True, True), (first, fifth)


def test_the_file_of_resnet50_refuses_the_other_stride(images_folder: Path) -> None:
    path = images_folder / "weights" / RESNET50
    with pytest.raises(WeightsError, match=r"stride .* 1x1 .* stride_in='1x1'"):
        create_model("resnet50", weights=path)
    model = create_model("resnet50")
    before = model.get_parameter("conv1.weight").clone()
    with pytest.raises(WeightsError, match="1x1"):
        load_weights(model, path, stride_in="3x3")
    assert torch.equal(model.get_parameter("conv1.weight"), before)
