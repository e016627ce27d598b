"""Draws the loss of trainings over their steps, as SVG.

    python -m signd_models.train.curves OUT.svg FIRST/fold0.pt NETS/fold0.pt ...

Lines are means over the last hundred steps.
"""

import sys
from pathlib import Path

import numpy as np

from .checkpoint import read_losses

WIDTH, HEIGHT, LEFT, BELOW, SMOOTH = 640, 300, 44, 34, 100
COLOURS = ["#1b6ca8", "#c0562f", "#3c8c40", "#7b4fa3", "#8a6d1a", "#4f4f4f"]


def points(losses: list[float], most: int, low: float, high: float) -> str:
    """The line of these losses in SVG's words: `most` steps across, `low` to `high` upwards."""
    mean = np.convolve(losses, np.ones(SMOOTH) / SMOOTH, "valid")
    steps = np.arange(len(mean)) + SMOOTH
    kept = np.linspace(0, len(mean) - 1, 300).astype(int)
    x = LEFT + steps[kept] / most * (WIDTH - LEFT - 8)
    y = 8 + (high - np.clip(mean[kept], low, high)) / (high - low) * (HEIGHT - BELOW - 8)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def main(out: Path, files: list[Path]) -> None:
    """Writes the picture."""
    curves = {f"{file.parent.name}/{file.stem}": read_losses(file) for file in files}
    most = max(map(len, curves.values()))
    last = [float(np.mean(losses[-SMOOTH:])) for losses in curves.values()]
    low, high = np.floor(min(last)), 6.5
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for value in np.arange(low, high):
        y = 8 + (high - value) / (high - low) * (HEIGHT - BELOW - 8)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 8}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    for share in (0, 0.5, 1):
        x, anchor = LEFT + share * (WIDTH - LEFT - 8), "end" if share == 1 else "middle"
        y = HEIGHT - BELOW + 16
        text = f"{share * most:.0f} steps" if share else "0"
        parts.append(f'<text x="{x:.0f}" y="{y}" text-anchor="{anchor}">{text}</text>')
    for i, ((name, losses), end) in enumerate(zip(curves.items(), last, strict=True)):
        colour = COLOURS[i % len(COLOURS)]
        line = points(losses, most, low, high)
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.3"/>'
        )
        at = f'x="{WIDTH - 150}" y="{24 + 16 * i}" fill="{colour}"'
        parts.append(f"<text {at}>{name} {end:.2f}</text>")
    style = 'font-family="sans-serif" font-size="11" fill="#333"'
    body = "\n".join(parts)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>'
    out.write_text(f"{head}\n{body}\n</svg>\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
