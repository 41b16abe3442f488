"""Every colour can be read on every ground that it stands on, in light and in dark."""

import math
import re
from itertools import product
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "static" / "css"
TOKENS = (CSS / "tokens.css").read_text()
PAIR = re.compile(r"--([a-z-]+): light-dark\(oklch\(([\d. ]+)\), oklch\(([\d. ]+)\)\);")
Colour = tuple[float, float, float]


def colours(theme: int) -> dict[str, Colour]:
    """Each token's lightness, chroma and hue; theme 0 is light and 1 is dark."""
    return {
        name: tuple(float(part) for part in values[theme].split())  # type: ignore[misc]
        for name, *values in PAIR.findall(TOKENS)
    }


def luminance(colour: Colour) -> float:
    """Relative luminance; OKLCH by way of OKLab to linear sRGB, see https://www.w3.org/TR/css-color-4/."""
    light, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    red, green, blue = (min(max(part, 0), 1) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


GROUNDS = ("paper", "sheet", "shade")
TEXT = [
    *product(("ink", "ink-soft", "accent", "accent-strong"), GROUNDS),
    *product(("good", "warn", "bad"), ("paper", "sheet")),
    *((name, f"{name}-wash") for name in ("accent", "good", "warn", "bad")),
    *(("ink", f"{name}-wash") for name in ("accent", "good", "warn", "bad")),
    *(("ink-soft", f"{name}-wash") for name in ("accent", "good", "warn", "bad")),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-strong"),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(theme: int, text: str, ground: str) -> None:
    known = colours(theme)
    assert contrast(known[text], known[ground]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_lines_can_be_seen(theme: int, ground: str) -> None:
    known = colours(theme)
    assert contrast(known["line"], known[ground]) >= 3


def test_components_use_tokens_only() -> None:
    for file in CSS.rglob("*.css"):
        if file.name not in {"tokens.css", "staff-colors.css", "print.css"}:
            assert not re.search(r"#[0-9a-f]{3,8}\b|rgb|hsl|oklch", file.read_text()), file.name


def test_black_on_white_is_21() -> None:
    assert contrast((0, 0, 0), (1, 0, 0)) == pytest.approx(21, abs=0.01)
