#!/usr/bin/env python3
"""Draws a folder of small pictures: cars, houses and trees on land below a sky.

Place, size, colours and horizon are random. Stands for the few hundred pictures of one's own that a
model is to learn from (docs/how-well-it-works.md).
"""

import argparse
import pathlib

SIDE, FINER = 48, 4
WINDOW, LIT, TYRE = (200, 230, 250), (245, 240, 170), (25, 25, 25)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60, help="pictures of each class (60)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("runs/drawings"))
    return parser.parse_args()


class Pen:
    """Draws in units of an object's size, from its centre.

    Args:
        draw: PIL.ImageDraw.Draw.
        x, y, size: float, the object's centre and size in pixels.
    """

    def __init__(self, draw, x, y, size):
        self.draw, self.x, self.y, self.size = draw, x, y, size

    def polygon(self, colour, *points):
        self.draw.polygon([self._at(*point) for point in points], fill=colour)

    def box(self, colour, left, top, right, bottom):
        self.draw.rectangle([self._at(left, top), self._at(right, bottom)], fill=colour)

    def oval(self, colour, left, top, right, bottom):
        self.draw.ellipse([self._at(left, top), self._at(right, bottom)], fill=colour)

    def _at(self, across, down):
        return self.x + across * self.size, self.y + down * self.size


def colour(random, lowest, highest):
    return tuple(random.integers(lowest, highest, 3).tolist())


def car(pen, random):
    paint = colour(random, 30, 230)
    pen.box(paint, -0.5, -0.16, 0.5, 0.16)
    pen.polygon(paint, (-0.28, -0.16), (-0.16, -0.4), (0.16, -0.4), (0.3, -0.16))
    pen.polygon(WINDOW, (-0.2, -0.16), (-0.13, -0.35), (-0.01, -0.35), (-0.01, -0.16))
    pen.polygon(WINDOW, (0.03, -0.16), (0.03, -0.35), (0.13, -0.35), (0.21, -0.16))
    for wheel in (-0.27, 0.27):
        pen.oval(TYRE, wheel - 0.13, 0.03, wheel + 0.13, 0.3)


def house(pen, random):
    pen.box(colour(random, 90, 240), -0.37, -0.27, 0.37, 0.27)
    pen.polygon(colour(random, 60, 180), (-0.46, -0.27), (0.0, -0.69), (0.46, -0.27))
    pen.box(colour(random, 20, 110), -0.08, 0.0, 0.09, 0.27)
    pen.box(LIT, -0.29, -0.14, -0.15, 0.03)
    pen.box(LIT, 0.15, -0.14, 0.29, 0.03)


def tree(pen, random):
    pen.box((*random.integers((80, 50), (130, 80)).tolist(), 30), -0.07, 0.0, 0.07, 0.5)
    leaves = tuple(random.integers((20, 100, 20), (190, 200, 80)).tolist())
    if random.random() < 0.5:
        pen.oval(leaves, -0.33, -0.5, 0.33, 0.18)
        return
    for tier in range(3):
        top, half = 0.18 * tier - 0.55, 0.2 + 0.06 * tier
        pen.polygon(leaves, (-half, top + 0.35), (0.0, top), (half, top + 0.35))


def drawn(add, random):
    """One picture of what `add` draws."""
    from PIL import Image, ImageDraw

    side = SIDE * FINER
    image = Image.new("RGB", (side, side), colour(random, 150, 250))
    draw = ImageDraw.Draw(image)
    draw.rectangle([0, side * random.uniform(0.55, 0.8), side, side], fill=colour(random, 60, 200))
    x, y, size = side * random.uniform((0.35, 0.45, 0.45), (0.65, 0.62, 0.75))
    add(Pen(draw, x, y, size), random)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def main():
    arguments = parse_arguments()
    import numpy as np

    random = np.random.default_rng(arguments.seed)
    for add in (car, house, tree):
        folder = arguments.output / add.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(arguments.count):
            drawn(add, random).save(folder / f"{number:02d}.png")
    print(f"{3 * arguments.count} pictures in {arguments.output}")


if __name__ == "__main__":
    main()
