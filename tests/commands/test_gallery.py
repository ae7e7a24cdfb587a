import re

import pytest
from rich.console import Console

from dvae_tf.commands.gallery import CAPTIONS, gallery
from dvae_tf.commands.settings import GallerySettings


@pytest.fixture
def page(tmp_path):
    def made(*runs):
        settings = GallerySettings(tuple(map(str, runs)), str(tmp_path / "page.html"))
        return gallery(settings, Console(quiet=True)).read_text()

    return made


@pytest.mark.slow
def test_shows_all_pictures_of_models_of_images_and_samples_of_others(page, digits_run, moons_run):
    html = page(digits_run, moons_run)
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", html)
    assert len(captions) == len(CAPTIONS) + 1
    assert captions[0] == captions[-1]
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert len(set(pictures)) == len(captions)
    assert re.findall(r"<h2>(.*?)</h2>", html) == ["digits", "three_moons"]


def test_loads_nothing_from_elsewhere(page, moons_run):
    html = page(moons_run)
    assert "default-src 'none'" in html
    assert not re.search(r"(src|href)=\"(?!data:)", html)
