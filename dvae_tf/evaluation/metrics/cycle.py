"""The cycle probe: it reads the class from z_u with the help of the model itself.

A z_u is decoded with the mean code mu_c of each class c, and the result is encoded again. If z_u
holds something that fits only its own class, it comes back best from the decoder's input of that
class. The probe needs no training, and finds what classifiers on the codes alone cannot.
"""

import numpy as np

from dvae_tf.evaluation.metrics.probes import boosted_trees

# How many pictures are decoded and encoded at most for one set of codes.
MOST_PICTURES = 10_000


def cycle_distances(subject, z_u: np.ndarray) -> np.ndarray:
    """How far each z_u is from what comes back from a picture of each class.

    |E_U(G(mu_c, z_u)) - z_u| for every class c.

    Args:
        subject: Subject with `encode`, `decode` and `class_codes`.
        z_u: float array [n, latent].

    Returns:
        float array [n, C].

    Raises:
        ValueError: if z_u of such a picture is NaN or infinite.
    """
    distances = []
    for class_code in subject.class_codes():
        z_s = np.tile(class_code, (len(z_u), 1))
        back = subject.encode(subject.decode(z_s, z_u)).z_u_mean
        if not np.isfinite(back).all():
            raise ValueError(
                "z_u of some pictures that the model decodes is NaN or infinite, so that nothing "
                "can be measured on it. Train the model anew, with a smaller learning rate."
            )
        distances.append(np.linalg.norm(back - z_u, axis=-1))
    return np.stack(distances, axis=-1)


def residuals(distances: np.ndarray) -> np.ndarray:
    """What boosted trees learn from: the distances, and how far each is above the smallest.

    Args:
        distances: float array [n, C].

    Returns:
        float array [n, 2 C].

    Examples:
        >>> residuals(np.array([[3.0, 1.0]])).tolist()
        [[3.0, 1.0, 2.0, 0.0]]
    """
    return np.concatenate([distances, distances - distances.min(axis=-1, keepdims=True)], axis=-1)


class CycleProbe:
    """The two cycle probes of one subject: the nearest, and boosted trees on the residuals.

    Args:
        subject: Subject with `encode`, `decode` and `class_codes`.
        z_u: float array [n, latent], codes of training data. The trees learn from as many of
            them, drawn at random, as can be decoded for all classes in 10,000 pictures.
        label: int array [n].
        seed: int, for the choice of codes and the trees. Defaults to 0.
    """

    def __init__(self, subject, z_u: np.ndarray, label: np.ndarray, seed: int = 0):
        self.subject, self.seed = subject, seed
        chosen = self.asked(len(label), label.max() + 1)
        self._trees = boosted_trees(
            residuals(cycle_distances(subject, z_u[chosen])), label[chosen], seed
        )

    def asked(self, count: int, num_classes: int) -> np.ndarray:
        """Which codes are decoded.

        Args:
            count: int, number of codes.
            num_classes: int, C.

        Returns:
            int array [at most count], rising.
        """
        most = max(1, MOST_PICTURES // int(num_classes))
        if count <= most:
            return np.arange(count)
        return np.sort(np.random.default_rng(self.seed).choice(count, most, replace=False))

    def predict(self, z_u: np.ndarray) -> dict[str, np.ndarray]:
        """Predicts the class of codes.

        Args:
            z_u: float array [m, latent].

        Returns:
            dict of "cycle" (1 for the class whose z_u comes back closest) and "cycle_gbdt" (the
            trees) to float array [m, C], probabilities of the classes.
        """
        distances = cycle_distances(self.subject, z_u)
        return {
            "cycle": np.eye(distances.shape[1])[distances.argmin(axis=-1)],
            "cycle_gbdt": self._trees(residuals(distances)),
        }
