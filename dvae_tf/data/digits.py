"""scikit-learn's 1,797 handwritten digits: bundled, so they need no download."""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

from dvae_tf.data.examples import Arrays, Info
from dvae_tf.data.splits import split_by_class

SIZE = 16


def digits(name: str) -> tuple[Arrays, Info]:
    """The UCI handwritten digits, 8x8 pixels enlarged to 16x16.

    Args:
        name: str, "train" (four fifths of each class) or "test" (the rest).

    Returns:
        (Arrays, Info), images uint8 [n, 16, 16, 1].

    Examples:
        >>> examples, info = digits("test")
        >>> examples.x.shape[1:], info.num_classes
        ((16, 16, 1), 10)
    """
    bundle = load_digits()
    ink = bundle.images[..., np.newaxis] * (255.0 / 16.0)
    image = tf.image.resize(ink, (SIZE, SIZE), method="bicubic").numpy()
    image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    label = bundle.target.astype(np.int32)
    train, test = split_by_class(label)
    chosen = train if name == "train" else test
    info = Info(
        name="digits",
        split=name,
        shape=(SIZE, SIZE, 1),
        class_names=tuple(str(digit) for digit in range(10)),
        count=len(chosen),
    )
    return Arrays(image[chosen], label[chosen]), info
