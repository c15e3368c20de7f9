"""Augmented batches against torch.rot90, slicing, torchvision and counting."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import rotate

from ali_core.data import Augmentation
from ali_core.data.augmentation import plain, rotate_and_shift
from ali_core.errors import AliError

OFF = Augmentation(dropout=0.0, crop_offset=0.0, rotation=False)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def photos(n: int = 4, px: int = 16, seed: int = 0) -> torch.Tensor:
    """Return noise, uint8 (n, px, px, 3)."""
    return torch.randint(0, 256, (n, px, px, 3), dtype=torch.uint8, generator=generator(seed))


def smooth(px: int) -> torch.Tensor:
    """Return an image without symmetry that changes slowly, (1, 3, px, px)."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, px), torch.linspace(-1, 1, px), indexing="ij")
    channels = (0.5 + 0.4 * torch.sin(2 * x + y), 0.5 + 0.3 * x - 0.2 * y, torch.exp(-((x - 0.3) ** 2) - y**2))
    return torch.stack(channels)[None]


def reference(batch: torch.Tensor) -> torch.Tensor:
    """Return the conversion by numpy."""
    return torch.tensor(batch.numpy().transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255))


@pytest.mark.parametrize("convert", [plain, lambda batch: OFF(batch, generator())], ids=["plain", "all off"])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_nothing_is_changed_beyond_type_and_layout(convert, n: int):
    batch = photos(n)
    before = batch.clone()
    inputs = convert(batch)
    assert torch.equal(inputs, reference(batch))
    assert torch.equal(convert(inputs), inputs)
    assert torch.equal(batch, before)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("augment", [Augmentation(), Augmentation(rotation=False, crop_offset=0.0), OFF])
def test_every_type_becomes_float32_in_range_channels_last(dtype: torch.dtype, augment: Augmentation):
    batch = photos() if dtype == torch.uint8 else reference(photos()).to(dtype)
    before = batch.clone()
    inputs = augment(batch, generator())
    assert inputs.dtype == torch.float32
    assert inputs.shape == (4, 3, 16, 16)
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    assert inputs.min() >= 0.0
    assert inputs.max() <= 1.0
    assert torch.equal(batch, before), "the caller's batch was written to"


@pytest.mark.gpu
def test_devices_see_the_same_augmentation():
    batch = photos(8, 64)
    here = Augmentation()(batch, generator())
    there = Augmentation()(batch.cuda(), generator())
    assert there.is_cuda
    assert there.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(there.cpu(), here, rtol=0, atol=1e-4)
    assert torch.equal(there.cpu() == 0, here == 0)


@pytest.mark.parametrize("px", [7, 8])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3, -1])
def test_quarter_turns_are_those_of_rot90(px: int, quarters: int):
    images = reference(photos(2, px))
    turned = rotate_and_shift(images, torch.full((2,), quarters * math.pi / 2), torch.zeros(2, 2))
    torch.testing.assert_close(turned, images.rot90(quarters, (2, 3)), rtol=0, atol=1e-5)


@given(st.integers(-7, 7), st.integers(-7, 7))
@settings(max_examples=40)
def test_whole_shifts_are_slices_of_the_mirrored_image(right: int, down: int):
    images = reference(photos(2, 8))
    moved = rotate_and_shift(images, torch.zeros(2), torch.tensor([[right, down]] * 2, dtype=torch.float32))
    # numpy's "symmetric" repeats the edge pixel, as a mirror that stands at the edge of the image does.
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (8, 8), (8, 8)), mode="symmetric")
    expected = torch.tensor(padded[:, :, 8 + down : 16 + down, 8 + right : 16 + right])
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-5)


def test_half_a_pixel_is_the_mean_of_two():
    images = reference(photos(1, 8))
    moved = rotate_and_shift(images, torch.zeros(1), torch.tensor([[0.5, 0.0]]))
    torch.testing.assert_close(moved[..., :-1], (images[..., :-1] + images[..., 1:]) / 2, rtol=0, atol=1e-5)


@pytest.mark.parametrize("degrees", [10.0, 37.0, 123.0, 300.0])
def test_any_angle_agrees_with_torchvision(degrees: float):
    px = 33
    image = smooth(px)
    turned = rotate_and_shift(image, torch.tensor([math.radians(degrees)]), torch.zeros(1, 2))
    expected = rotate(image, degrees, interpolation=InterpolationMode.BILINEAR)
    middle = torch.arange(px) - px // 2
    # Outside of the circle torchvision fills with black, and we mirror.
    circle = (middle[:, None] ** 2 + middle**2) < (px // 2 - 1) ** 2
    torch.testing.assert_close(turned[..., circle], expected[..., circle], rtol=0, atol=1e-4)


def test_no_black_corner_appears():
    white = torch.full((128, 31, 31, 3), 255, dtype=torch.uint8)
    inputs = Augmentation(dropout=0.0, crop_offset=0.5)(white, generator())
    assert inputs.max() <= 1.0, "the weights of the four neighbours add up to a little more than 1 by rounding"
    torch.testing.assert_close(inputs, torch.ones_like(inputs), rtol=0, atol=1e-5)


@pytest.mark.parametrize("probability", [0.0, 0.05, 0.5, 0.99])
def test_pixels_are_dropped_with_all_channels_as_often_as_asked(probability: float):
    augment = Augmentation(dropout=probability, crop_offset=0.0, rotation=False)
    inputs = augment(torch.full((16, 75, 75, 3), 255, dtype=torch.uint8), generator())
    dropped = inputs == 0
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert torch.equal(inputs[~dropped], torch.ones(int((~dropped).sum())))
    pixels = dropped[:, 0].double()
    n = pixels.numel()
    # Five standard deviations of the binomial distribution; the seed is fixed, so this never fails by chance.
    slack = 5 * math.sqrt(n * probability * (1 - probability)) + n / 2**16
    assert abs(float(pixels.sum()) - n * probability) <= slack
    # Neighbours come from one draw of 64 bits: they must be dropped independently of each other.
    for lag in (1, 2, 3):
        both = float((pixels.view(-1)[lag:] * pixels.view(-1)[:-lag]).sum())
        assert abs(both - n * probability**2) <= 5 * math.sqrt(n) * probability + n / 2**15


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_the_state_of_the_generator_alone_decides(seed: int):
    batch = photos(3, 8)
    draws = generator(seed)
    first = Augmentation()(batch, draws)
    state = draws.get_state()
    second = Augmentation()(batch, draws)
    assert torch.equal(first, Augmentation()(batch, generator(seed)))
    torch.rand(5)
    assert torch.equal(second, Augmentation()(batch, generator().set_state(state)))
    assert not torch.equal(first, second)


def test_images_of_a_batch_are_augmented_each_in_its_own_way():
    batch = photos(1, 8).expand(32, 8, 8, 3)
    for augment in (
        Augmentation(dropout=0.0, crop_offset=0.0),
        Augmentation(dropout=0.0, rotation=False),
        Augmentation(crop_offset=0.0, rotation=False, dropout=0.5),
    ):
        assert len(torch.unique(augment(batch, generator()).flatten(1), dim=0)) == 32


def bright_middle(n: int, px: int) -> torch.Tensor:
    """Return black images with a white dot of 2 by 2 pixels in the middle, (n, px, px, 3)."""
    images = torch.zeros((n, px, px, 3), dtype=torch.uint8)
    images[:, px // 2 - 1 : px // 2 + 1, px // 2 - 1 : px // 2 + 1] = 255
    return images


def test_shifts_are_uniform_up_to_the_offset_and_scale_with_the_size():
    for px in (32, 64):
        inputs = Augmentation(dropout=0.0, crop_offset=0.125, rotation=False)(bright_middle(2000, px), generator())
        along = torch.arange(px) - (px - 1) / 2
        mass = inputs[:, 0]
        columns = (mass.sum(1) * along).sum(1) / mass.sum((1, 2)) / px
        rows = (mass.sum(2) * along).sum(1) / mass.sum((1, 2)) / px
        for shifts in (columns, rows):
            assert shifts.abs().max() <= 0.125 + 1e-5
            assert shifts.abs().max() > 0.12
            # Uniform in ±1/8: mean 0, standard deviation 1/8/√3; five standard errors each.
            assert abs(shifts.mean()) < 5 * 0.125 / math.sqrt(3 * 2000)
            assert abs(shifts.std() - 0.125 / math.sqrt(3)) < 5 * 0.125 / math.sqrt(3 * 2 * 2000)
        assert abs(torch.corrcoef(torch.stack([columns, rows]))[0, 1]) < 5 / math.sqrt(2000)


def test_angles_cover_the_circle_evenly():
    images = torch.zeros((2000, 33, 33, 3), dtype=torch.uint8)
    images[:, 14:19, 25:28] = 255  # to the right of the middle
    inputs = Augmentation(dropout=0.0, crop_offset=0.0)(images, generator())[:, 0]
    along = torch.arange(33) - 16.0
    angles = torch.atan2(-(inputs.sum(2) * along).sum(1), (inputs.sum(1) * along).sum(1))
    counts = torch.histc(angles, bins=8, min=-math.pi, max=math.pi)
    assert counts.sum() == 2000
    # Chi-squared with 7 degrees of freedom exceeds 29 once in 7,000.
    assert ((counts - 250) ** 2 / 250).sum() < 29


@pytest.mark.parametrize(
    "batch",
    [
        torch.zeros(2, 3, 8, 8, dtype=torch.uint8),
        torch.zeros(2, 8, 8, 3),
        torch.zeros(2, 8, 9, 3, dtype=torch.uint8),
        torch.zeros(2, 3, 8, 9),
        torch.zeros(8, 8, 3, dtype=torch.uint8),
        torch.zeros(2, 8, 8, 3, dtype=torch.int64),
    ],
    ids=lambda batch: f"{batch.dtype} {tuple(batch.shape)}",
)
def test_other_batches_are_refused(batch: torch.Tensor):
    for convert in (plain, lambda images: Augmentation()(images, generator())):
        with pytest.raises(AliError, match=r"a batch of images must be .* got torch\..*: load"):
            convert(batch)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\); got 1.0"),
        ({"dropout": -0.1}, "got -0.1"),
        ({"dropout": math.nan}, "got nan"),
        ({"crop_offset": 11.0}, r"crop_offset must lie in \[0, 0.5\]; got 11.0"),
        ({"crop_offset": math.nan}, "got nan"),
    ],
)
def test_numbers_out_of_range_are_refused(values: dict, message: str):
    with pytest.raises(AliError, match=message):
        Augmentation(**values)
