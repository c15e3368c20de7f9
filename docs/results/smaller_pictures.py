"""Write the PNGs of figures/ with a palette of 256 colours, a third of the size; photographs and PDFs stay as they are.

Synopsis::

    python docs/results/smaller_pictures.py
"""

from pathlib import Path

from PIL import Image

FIGURES = Path(__file__).parent / "figures"


def main() -> None:
    """Replace each picture; the palette that covers most keeps white, ink and rare colours."""
    for path in sorted({*FIGURES.glob("*.png")} - {FIGURES / "fig1.png"}):  # photographs need more colours
        with Image.open(path) as picture:
            if picture.mode == "P":
                continue
            full = picture.convert("RGB")
        full.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
