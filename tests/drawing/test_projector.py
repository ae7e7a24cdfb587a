import numpy as np
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector import ProjectorConfig

from dvae_tf import DisentangledVAE
from dvae_tf.data import Arrays, Info
from dvae_tf.drawing.projector import write_projector


def test_the_projector_finds_codes_classes_and_pictures(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8)
    examples = Arrays(x, np.array([0, 1, 2, 0, 1]), None)
    info = Info("toys", "test", (8, 8, 1), ("one", "two", "three"), 5)
    model = DisentangledVAE((8, 8, 1), 3, preset="toy")
    write_projector(tmp_path / "projector", model, examples, info)
    folder = tmp_path / "projector"
    config = text_format.Parse((folder / "projector_config.pbtxt").read_text(), ProjectorConfig())
    assert [embedding.tensor_name for embedding in config.embeddings] == ["z_s", "z_u"]
    for embedding in config.embeddings:
        codes = np.loadtxt(folder / embedding.tensor_path)
        assert codes.shape[0] == 5
        classes = (folder / embedding.metadata_path).read_text().split()
        assert classes == ["one", "two", "three", "one", "two"]
        sprite = np.asarray(Image.open(folder / embedding.sprite.image_path))
        width, height = embedding.sprite.single_image_dim
        np.testing.assert_array_equal(
            sprite[height : 2 * height, width : 2 * width, 0], x[4, ..., 0]
        )
    np.testing.assert_allclose(
        np.loadtxt(folder / "z_u.tsv"), model.encode(x / 127.5 - 1.0).z_u_mean, atol=1e-3
    )
