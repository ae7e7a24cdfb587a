"""The codes of held-out examples for TensorBoard's projector."""

import math
import pathlib

import numpy as np
from PIL import Image

from dvae_tf import tasks
from dvae_tf.data import Arrays, Info
from dvae_tf.data.pixels import as_floats, as_pixels
from dvae_tf.files import written

MOST_EXAMPLES = 1000
EMPTY = "(no name)"
CONFIG = """embeddings {{
  tensor_name: "{code}"
  tensor_path: "{code}.tsv"
  metadata_path: "classes.tsv"
{sprite}}}
"""
SPRITE = """  sprite {{
    image_path: "images.png"
    single_image_dim: {width}
    single_image_dim: {height}
  }}
"""


def write_projector(folder: pathlib.Path, model, examples: Arrays, info: Info) -> None:
    """Writes z_s and z_u with their classes and, for image data, small pictures.

    `tensorboard --logdir` with this folder or a parent of it shows them in three dimensions.

    Args:
        folder: pathlib.Path, created if it is missing.
        model: DisentangledVAE.
        examples: Arrays, held-out examples; the first 1,000 are used.
        info: Info of the data.
    """
    x, label = examples.x[:MOST_EXAMPLES], examples.label[:MOST_EXAMPLES]
    codes = {
        "z_s": model.encoder_s.predict(as_floats(x), tasks.CHUNK, verbose=0),
        "z_u": tasks.encode(model, x).z_u_mean,
    }
    for name, code in codes.items():
        with written(folder / f"{name}.tsv") as temporary:
            np.savetxt(temporary, code, fmt="%.5g", delimiter="\t")
    with written(folder / "classes.tsv") as temporary:
        # A tab would begin another column, the end of a line another example.
        names = [" ".join(name.split()) or EMPTY for name in info.class_names]
        lines = "".join(f"{names[number]}\n" for number in label)
        temporary.write_text(lines, encoding="utf-8", errors="replace")
    sprite = ""
    if info.is_image:
        _write_sprite(folder / "images.png", as_pixels(x))
        sprite = SPRITE.format(width=info.shape[1], height=info.shape[0])
    with written(folder / "projector_config.pbtxt") as temporary:
        temporary.write_text("".join(CONFIG.format(code=code, sprite=sprite) for code in codes))


def _write_sprite(path, images):
    """Writes all images into one square, row by row, as the projector expects."""
    side = math.ceil(math.sqrt(len(images)))
    count, height, width, channels = images.shape
    grid = np.zeros((side * side, height, width, 3), np.uint8)
    grid[:count] = images if channels == 3 else images.repeat(3, axis=-1)
    grid = grid.reshape(side, side, height, width, 3).swapaxes(1, 2)
    with written(path) as temporary:
        Image.fromarray(grid.reshape(side * height, side * width, 3)).save(temporary)
