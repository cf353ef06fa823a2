"""The style of the pages."""

from __future__ import annotations

import re
from pathlib import Path

STYLE = Path(__file__).resolve().parents[3] / "persona_block/sandbox/pages/style.css"


def test_text_has_enough_contrast() -> None:
    """Text on its ground has the contrast that WCAG asks for at level AA: 4.5 to 1."""
    style = STYLE.read_text("utf-8")
    schemes = [dict(re.findall(r"--([\w-]+): (#\w+);", block)) for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)]
    assert len(schemes) == 2
    pairs = [("text", "ground"), ("text", "card"), ("text", "plain-soft"), ("quiet", "ground"), ("quiet", "card")]
    pairs += [("accent", "ground"), ("accent", "card"), ("accent", "soft"), ("on-accent", "accent"), ("on-banner", "banner")]
    pairs += [(tone, f"{tone}-soft") for tone in ("good", "bad", "wait")]
    for scheme in schemes:
        for text, ground in pairs:
            darker, lighter = sorted((luminance(scheme[text]), luminance(scheme[ground])))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)


def luminance(colour: str) -> float:
    """Return a colour's relative luminance, as WCAG 2.2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
