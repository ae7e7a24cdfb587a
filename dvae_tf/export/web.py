"""A static folder with a page that draws on the device."""

import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import tarfile

import numpy as np

from dvae_tf import tasks
from dvae_tf.data.examples import Arrays, Info
from dvae_tf.export.functions import Functions
from dvae_tf.export.tflite import convert, with_batch
from dvae_tf.files import beside, cache_folder, write_json

PAGE = pathlib.Path(__file__).with_name("web_files")
# LiteRT.js of Google AI Edge (Apache-2.0), from the npm registry.
LITERT = "2.5.3"
PACKAGES = ("@litertjs/core", "@litertjs/wasm-utils")
WASM = ("litert_wasm_internal", "litert_wasm_compat_internal")
IMPORTS = {
    "@litertjs/core": "./litert/core.js",
    "@litertjs/wasm-utils": "./litert/wasm-utils.js",
}
CODED_EXAMPLES = 2000
SIGNATURES = ("encode", "decode", "classify")


def write_web(model, folder: pathlib.Path, examples: Arrays, info: Info) -> None:
    """Writes the page, the model as float32 TFLite for single images, and LiteRT.js.

    Any static web server can serve the folder; it asks for nothing outside itself.

    Args:
        model: DisentangledVAE of images.
        folder: pathlib.Path.
        examples: Arrays, training examples that tell which dimensions of z_u are active.
        info: Info of the data.

    Raises:
        ValueError: if the model is not of images, or LiteRT.js cannot be had.
    """
    if not info.is_image:
        raise ValueError("The page draws images, but the model makes vectors.")
    folder.mkdir(parents=True)
    for name in ("app.js", "style.css"):
        shutil.copyfile(PAGE / name, folder / name)
    (folder / "index.html").write_text(_index())
    _copy_litert(folder / "litert")
    functions = {
        name: with_batch(function, 1)
        for name, function in Functions(model).portable().items()
        if name in SIGNATURES
    }
    (folder / "model.tflite").write_bytes(convert(functions, "float32", examples))
    write_json(folder / "page.json", _describe(model, examples, info))


def _index():
    """The page with its import map, which the page's own policy names by its hash."""
    imports = json.dumps({"imports": IMPORTS})
    digest = base64.b64encode(hashlib.sha256(imports.encode()).digest()).decode()
    page = (PAGE / "index.html").read_text()
    return page.replace("IMPORT_MAP_HASH", digest).replace("IMPORT_MAP", imports)


def _describe(model, examples, info):
    means = tasks.encode(model, examples.x[:CODED_EXAMPLES]).z_u_mean
    activity = np.var(means, axis=0)
    prior = model.prior_s
    return {
        "title": f"{type(model).__name__} of {info.name}",
        "class_names": list(info.class_names),
        "shape": list(info.shape),
        "latent_dim_s": model.latent_dim_s,
        "latent_dim_u": model.latent_dim_u,
        "prior_means": np.asarray(prior.means).tolist(),
        "prior_deviations": np.sqrt(prior.variances()).tolist(),
        "active_dimensions": np.argsort(-activity, kind="stable").tolist(),
    }


def _copy_litert(folder):
    """Copies what the page needs of LiteRT.js, fetched once into the cache folder."""
    source = cache_folder() / f"litertjs-{LITERT}"
    if not source.exists():
        _fetch_litert(source)
    core, utilities = (source / name.rpartition("/")[2] / "package" for name in PACKAGES)
    folder.mkdir()
    shutil.copyfile(core / "dist" / "index.js", folder / "core.js")
    shutil.copyfile(utilities / "dist" / "index.js", folder / "wasm-utils.js")
    for name in WASM:
        for suffix in (".js", ".wasm"):
            shutil.copyfile(core / "wasm" / f"{name}{suffix}", folder / f"{name}{suffix}")
    (folder / "NOTICE").write_text(
        f"LiteRT.js {LITERT} (@litertjs/core, @litertjs/wasm-utils), Google LLC, Apache-2.0.\n"
    )


def _fetch_litert(target):
    with beside(target) as aside:
        aside.mkdir()
        for name in PACKAGES:
            command = ["npm", "pack", f"{name}@{LITERT}", "--silent", "--pack-destination", aside]
            try:
                subprocess.run(command, check=True, capture_output=True, text=True)
            except FileNotFoundError as error:
                raise ValueError(
                    "The page needs LiteRT.js from the npm registry; install npm (Node.js)."
                ) from error
            except subprocess.CalledProcessError as error:
                raise ValueError(
                    f"npm could not fetch {name}@{LITERT}: {error.stderr.strip()[-300:]}"
                ) from error
            short = name.rpartition("/")[2]
            (archive,) = aside.glob(f"*{short}-{LITERT}.tgz")
            with tarfile.open(archive) as packed:
                packed.extractall(aside / "made" / short, filter="data")
        (aside / "made").rename(target)
