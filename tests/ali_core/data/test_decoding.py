"""Image files of every mode become RGB; files that lie are named."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ali_core.data.decoding import MAX_PIXELS, decode_image
from ali_core.errors import AliError


def noise(px: int = 32) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (px, px, 3), dtype=np.uint8))


def test_rgb_is_returned_as_it_is(tmp_path: Path):
    noise().save(tmp_path / "a.png")
    assert np.array_equal(decode_image(tmp_path / "a.png", 32), np.asarray(noise()))


def test_grey_values_are_repeated(tmp_path: Path):
    grey = noise().convert("L")
    grey.save(tmp_path / "a.png")
    assert np.array_equal(decode_image(tmp_path / "a.png", 32), np.repeat(np.asarray(grey)[..., None], 3, axis=2))


def test_sixteen_bits_become_eight(tmp_path: Path):
    Image.fromarray(np.full((4, 4), 65535, dtype=np.uint16)).save(tmp_path / "a.png")
    assert (decode_image(tmp_path / "a.png", 4) == 255).all()


def test_transparent_parts_become_white(tmp_path: Path):
    image = Image.new("RGBA", (4, 4), (200, 0, 0, 255))
    image.putpixel((1, 2), (0, 0, 0, 0))
    image.save(tmp_path / "a.png")
    rgb = decode_image(tmp_path / "a.png", 4)
    assert rgb[2, 1].tolist() == [255, 255, 255]
    assert rgb[0, 0].tolist() == [200, 0, 0]


@pytest.mark.parametrize("transparency", [None, 0])
def test_palettes_become_their_colours(tmp_path: Path, transparency: int | None):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.gif", **({} if transparency is None else {"transparency": transparency}))
    rgb = decode_image(tmp_path / "a.gif", 2)
    assert rgb.shape == (2, 2, 3)
    image.resize((2, 2), Image.Resampling.NEAREST).save(
        tmp_path / "b.png", **({} if transparency is None else {"transparency": transparency})
    )
    rgb = decode_image(tmp_path / "b.png", 2)
    assert rgb[0, 1].tolist() == [40, 50, 60]
    assert rgb[0, 0].tolist() == ([10, 20, 30] if transparency is None else [255, 255, 255])


def test_cmyk_becomes_rgb(tmp_path: Path):
    Image.new("CMYK", (4, 4), (0, 0, 0, 0)).save(tmp_path / "a.jpg")
    assert (decode_image(tmp_path / "a.jpg", 4) > 250).all()


def test_the_orientation_of_the_camera_is_applied(tmp_path: Path):
    image = Image.new("RGB", (32, 32), "black")
    image.paste((255, 255, 255), (0, 0, 32, 16))  # white above
    exif = Image.Exif()
    exif[0x0112] = 3  # turned upside down
    image.save(tmp_path / "a.png", exif=exif)
    rgb = decode_image(tmp_path / "a.png", 32)
    assert (rgb[16:] == 255).all()
    assert (rgb[:16] == 0).all()


def test_the_middle_square_is_taken(tmp_path: Path):
    image = Image.new("RGB", (48, 16), "red")
    image.paste((0, 0, 255), (16, 0, 32, 16))
    image.save(tmp_path / "a.png")
    assert (decode_image(tmp_path / "a.png", 16) == [0, 0, 255]).all()


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.bmp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated_files_are_named(tmp_path: Path, name: str, share: float):
    path = tmp_path / name
    noise(64).save(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(AliError, match=f"{name} is (damaged|not an image).*remove it from the collection$"):
        decode_image(path, 16)


@pytest.mark.parametrize("content", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_other_files_are_named(tmp_path: Path, content: bytes):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(AliError, match=r"a\.png is not an image"):
        decode_image(path, 16)


@pytest.mark.parametrize("side", [7_100, 12_000, 60_000])
def test_huge_images_are_refused_from_their_header(tmp_path: Path, side: int):
    assert side**2 > MAX_PIXELS
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    path = tmp_path / "bomb.png"  # the header alone: decoding it would fail with another message
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", 0x35AF061E))
    with pytest.raises(AliError, match=r"bomb\.png has more than 50 megapixels"):
        decode_image(path, 16)


def test_a_scale_is_not_guessed(tmp_path: Path):
    Image.fromarray(np.zeros((4, 4), dtype=np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(AliError, match="32 bits a pixel"):
        decode_image(tmp_path / "a.tif", 4)


def test_a_file_that_went_away_is_named(tmp_path: Path):
    with pytest.raises(AliError, match=r"gone\.png is missing"):
        decode_image(tmp_path / "gone.png", 4)


@pytest.mark.parametrize("suffix", [".tif", ".png"])
@pytest.mark.parametrize(
    ("bits", "white"), [(16, None), (16, 65535), (12, 4095), (12, "range"), (8, 255), (8, "range")]
)
def test_grey_of_many_bits_is_scaled_as_it_is_said(tmp_path: Path, suffix: str, bits: int, white):
    values = np.linspace(0, 2**bits - 1, 256).astype(np.uint16).reshape(16, 16)
    path = tmp_path / f"a{suffix}"
    Image.fromarray(values).save(path)
    expected = values.astype(float) * 255 / (2**bits - 1)
    assert np.abs(decode_image(path, 16, white=white)[..., 0] - expected).max() <= 1
    if bits < 16:
        with pytest.raises(AliError, match=rf"a{suffix} uses {2**bits - 1:,} of 65,535 .* white=4095 \(--white 4095\)"):
            decode_image(path, 16)


def test_a_range_is_that_of_each_picture_and_a_value_that_of_all(tmp_path: Path):
    values = np.full((4, 4), 1000, dtype=np.uint16)
    values[0] = 3000
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert np.unique(decode_image(tmp_path / "a.tif", 4, white="range")).tolist() == [0, 255]
    assert np.unique(decode_image(tmp_path / "a.tif", 4, white=4000)).tolist() == [63, 191]
    assert np.unique(decode_image(tmp_path / "a.tif", 4, white=2000)).tolist() == [127, 255]
    Image.fromarray(np.full((4, 4), 7, dtype=np.uint16)).save(tmp_path / "flat.tif")
    assert np.unique(decode_image(tmp_path / "flat.tif", 4, white="range")).tolist() == [0]


def test_thirty_two_bits_are_scaled_when_white_is_said(tmp_path: Path):
    Image.fromarray(np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)).save(tmp_path / "a.tif")
    pixels = decode_image(tmp_path / "a.tif", 4, white=1.0)[..., 0]
    assert np.abs(pixels - np.linspace(0, 255, 16).reshape(4, 4)).max() <= 1
    Image.fromarray(np.full((4, 4), np.nan, dtype=np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(AliError, match="holds NaN or infinity"):
        decode_image(tmp_path / "nan.tif", 4, white="range")


def test_colours_of_sixteen_bits_never_go_black(tmp_path: Path):
    def png(values):  # PIL writes no 16-bit colours
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
        chunks = [
            (b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        ]
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )

    (tmp_path / "full.png").write_bytes(png(np.full((4, 4, 3), 51400)))
    assert np.unique(decode_image(tmp_path / "full.png", 4)).tolist() == [200]
    (tmp_path / "dark.png").write_bytes(png(np.full((4, 4, 3), 4095)))
    with pytest.raises(AliError, match="few of its 16 bits a channel and is nearly black"):
        decode_image(tmp_path / "dark.png", 4)
    assert np.unique(decode_image(tmp_path / "dark.png", 4, white=65535)).tolist() == [15]
