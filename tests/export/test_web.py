import functools
import http.server
import json
import shutil
import threading

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from dvae_tf.commands.export import export
from dvae_tf.commands.settings import ExportSettings
from dvae_tf.data import load_arrays
from dvae_tf.export import runners, web
from dvae_tf.runs import shipped

pytestmark = [
    pytest.mark.skipif(
        not (shutil.which("chromedriver") and shutil.which("npm")),
        reason="needs chromedriver and npm on PATH",
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    output = tmp_path_factory.mktemp("page")
    settings = ExportSettings(str(shipped.find()), web=True, output=str(output))
    (row,) = export(settings, Console(quiet=True))
    assert row["difference"] < 1e-4
    return output / "web"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def serve(folder):
    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1000,1200"):
        options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(30)
    yield driver
    driver.quit()


def open_page(browser, server):
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(f"http://127.0.0.1:{server.server_port}/")
    done = "return document.body.dataset.ready || document.querySelector('.failed')"
    WebDriverWait(browser, 60).until(lambda driver: driver.execute_script(done))


@pytest.fixture(scope="module")
def page(browser, folder):
    server = serve(folder)
    open_page(browser, server)
    yield browser
    server.shutdown()


def pixels(page, canvas):
    script = """
        const canvas = typeof arguments[0] === "string"
          ? document.getElementById(arguments[0]) : arguments[0];
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return [canvas.height, canvas.width, Array.from(data)];"""
    height, width, data = page.execute_script(script, canvas)
    return np.array(data).reshape(height, width, 4)[..., :3]


def settle(page):
    """Waits until a drawing that was asked for is on the canvas."""
    page.execute_async_script("setTimeout(arguments[0], 400)")


def decoded(folder, z_s, z_u):
    run = runners.tflite(folder / "model.tflite", "float32").run
    codes = {"z_s": np.float32([z_s]), "z_u": np.float32([z_u])}
    return run("decode", codes)["image"][0] * 255.0


def assert_canvas_shows_the_codes(page, folder):
    z_s, z_u = page.execute_script("return [window.dvae.state.zS, window.dvae.state.zU]")
    expected = decoded(folder, z_s, z_u)
    assert np.abs(pixels(page, "picture") - expected).max() <= 1.0


def test_the_canvas_shows_what_litert_gives_in_python(page, folder):
    assert_canvas_shows_the_codes(page, folder)
    assert page.find_element("id", "time").text.endswith("ms for this image")


def test_a_click_re_rolls_and_a_key_changes_the_class(page, folder):
    from selenium.webdriver.common.keys import Keys

    before = pixels(page, "picture")
    page.find_element("id", "reroll").click()
    settle(page)
    rolled = pixels(page, "picture")
    assert not np.array_equal(before, rolled)
    page.find_element("css selector", "input[name=class]:checked").send_keys(Keys.ARROW_RIGHT)
    settle(page)
    assert page.execute_script("return window.dvae.state.label") == 1
    assert not np.array_equal(rolled, pixels(page, "picture"))
    assert_canvas_shows_the_codes(page, folder)


def test_sliders_move_their_dimension_by_keyboard(page, folder):
    from selenium.webdriver.common.keys import Keys

    slider = page.find_element("css selector", "#styles input")
    dimension = int(slider.get_attribute("data-dimension"))
    described = json.loads((folder / "page.json").read_text())
    assert dimension == described["active_dimensions"][0]
    slider.send_keys(Keys.END)
    settle(page)
    assert page.execute_script("return window.dvae.state.zU")[dimension] == 3.0
    assert_canvas_shows_the_codes(page, folder)
    page.find_element("id", "temperature").send_keys(Keys.HOME)
    settle(page)
    assert page.execute_script("return window.dvae.state.zU")[dimension] == 0.0
    assert_canvas_shows_the_codes(page, folder)


def test_own_image_is_reconstructed_classified_and_swapped(page, folder, tmp_path):
    test, info = load_arrays("digits", "test")
    image = test.x[0]
    Image.fromarray(image[..., 0]).save(tmp_path / "digit.png")
    page.find_element("id", "file").send_keys(str(tmp_path / "digit.png"))
    settle(page)
    settle(page)
    np.testing.assert_allclose(pixels(page, "original")[..., :1], image, atol=1)
    run = runners.tflite(folder / "model.tflite", "float32").run
    given = {"image": image[np.newaxis].astype(np.float32) / 255.0}
    codes = run("encode", given)
    z_s, z_u = codes["z_s"][0], codes["z_u_mean"][0]
    expected = decoded(folder, z_s, z_u)
    assert np.abs(pixels(page, "reconstruction") - expected).max() <= 2.0
    label = int(np.argmax(run("classify", given)["probabilities"]))
    verdict = page.find_element("id", "verdict").text
    assert verdict.startswith(f"Taken for {info.class_names[label]} (")
    swaps = page.find_elements("css selector", "#swaps figure")
    assert [figure.text for figure in swaps] == list(info.class_names)
    means = json.loads((folder / "page.json").read_text())["prior_means"]
    canvas = swaps[7].find_element("css selector", "canvas")
    expected = decoded(folder, means[7], z_u)
    assert np.abs(pixels(page, canvas) - expected).max() <= 2.0


def test_a_file_that_is_no_image_is_named(page, tmp_path):
    (tmp_path / "notes.png").write_text("no image")
    page.find_element("id", "file").send_keys(str(tmp_path / "notes.png"))
    settle(page)
    assert page.find_element("id", "verdict").text.startswith("notes.png is no image")


def test_play_walks_to_the_next_class_and_stops(page):
    start = page.execute_script("return window.dvae.state.label")
    page.find_element("id", "play").click()
    page.execute_async_script("setTimeout(arguments[0], 2500)")
    walked = page.execute_script("return window.dvae.state.label")
    page.find_element("id", "play").click()
    settle(page)
    assert walked != start
    assert page.find_element("id", "play").get_attribute("aria-pressed") == "false"


def test_no_request_leaves_the_folder(page):
    script = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    asked = page.execute_script(script)
    origin = page.execute_script("return location.origin")
    assert len(asked) >= 6
    assert all(name.startswith((origin, "data:", "blob:")) for name in asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(page, scheme):
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        assert page.execute_script("return document.documentElement.scrollWidth") <= 360
        colour = "return getComputedStyle(document.body).backgroundColor"
        bright = sum(map(int, page.execute_script(colour)[4:-1].split(","))) > 380
        assert bright == (scheme == "light")
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_missing_model_is_said(browser, folder, tmp_path):
    broken = tmp_path / "web"
    shutil.copytree(folder, broken)
    (broken / "model.tflite").unlink()
    server = serve(broken)
    open_page(browser, server)
    said = browser.find_element("id", "status").text
    server.shutdown()
    assert said == "The model cannot be loaded: model.tflite is missing beside this page (404)"


def test_without_npm_the_reason_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match="install npm"):
        web._fetch_litert(tmp_path / "litert")
    assert list(tmp_path.iterdir()) == []
