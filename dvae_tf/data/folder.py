"""A folder of images for each class."""

import functools
import os
import pathlib
import warnings

import numpy as np
import tensorflow as tf

from dvae_tf.data.examples import Info, Stored, Stream
from dvae_tf.data.image_files import BACKGROUND, SUFFIXES, height_and_width, open_image
from dvae_tf.data.labels import class_names_of, expect_known
from dvae_tf.data.splits import SPLITS, chosen_rows, holder, place, split_called

DEFAULT_SIZE = 64
# What systems and programs put beside a user's files, apart from hidden files.
_OF_SYSTEMS = {
    "__MACOSX",
    "__pycache__",
    "@eaDir",
    "$RECYCLE.BIN",
    "System Volume Information",
    "lost+found",
    "Thumbs.db",
    "desktop.ini",
}
# What Pillow raises for files that it cannot read, and `open_image` for values out of range.
_UNREADABLE = (OSError, SyntaxError, ValueError)


def folder(
    path: str, name: str, size=None, class_names: tuple | None = None, background: str = BACKGROUND
):
    """Reads the images of a folder that holds one folder for each class.

    The classes are the folders' names in alphabetical order. If the folder holds `train` and, if
    there is one, `validation` and `test` (or training, val, valid, dev, testing), each with the
    classes inside, these are the splits, and the classes are those of `train`; where there is no
    test split, a fifth is chosen by the content of the files. Hidden files and what systems put
    beside the user's are ignored. Images are read as RGB, cropped to the proportions of `size` and
    resized. Unreadable files, and links that lead out of the folder, are skipped with a warning
    that names them.

    Args:
        path: str, the folder.
        name: str, "train", "validation" or "test".
        size: int, side of the images in pixels, or (height, width). Defaults to 64.
        class_names: tuple of str, the classes of a model, for data to ask it about; there may be
            fewer. Defaults to those of the folder, at least 2.
        background: str, the colour behind transparent parts. Defaults to "white".

    Returns:
        (Stored, Info), images uint8 [height, width, 3].

    Raises:
        ValueError: if the folder is missing, if classes or splits cannot be told, or if a class has
            no image.
    """
    source = f"folder:{path}"
    height, width = height_and_width(size) or (DEFAULT_SIZE, DEFAULT_SIZE)
    root = pathlib.Path(path)
    if not root.is_dir():
        raise ValueError(f"{source}: there is no such folder; give one that holds class folders.")
    given = _given_splits(source, root)
    known = class_names or _trained_classes(source, root, given)
    base = given.get(holder(source, name, given), root)
    files, label = _list_images(source, base, known)
    places = np.array([_place(file) for file in files])
    rows, places = chosen_rows(name, given, label, places)
    files, label = [files[row] for row in rows], label[rows]
    images = _Images(source, files, label, (height, width), background)
    if name == "train":
        images.expect_each_class(known)
    splits = tuple(split for split in SPLITS if split in given or split != "validation")
    shape = (height, width, 3)
    info = Info(source, name, shape, known, len(files), splits=splits, places=places)
    return Stored(images.stream, len(files)), info


def _visible(directory):
    """The entries of a folder in order, without hidden ones and those of systems."""
    return sorted(
        entry
        for entry in directory.iterdir()
        if not entry.name.startswith(".") and entry.name not in _OF_SYSTEMS
    )


def _folders(directory):
    """The folders in a folder; links out of it are none."""
    inside = directory.resolve()
    entries = [entry for entry in _visible(directory) if entry.is_dir()]
    return [entry for entry in entries if _is_inside(entry, inside)]


def _class_folders(directory):
    """The folders of the classes; a link to one of them is no class of its own."""
    entries = _folders(directory)
    own = {entry.resolve() for entry in entries if not entry.is_symlink()}
    return [entry for entry in entries if not entry.is_symlink() or entry.resolve() not in own]


def _is_inside(path, folder):
    """Whether a path leads into a folder; a link to itself leads nowhere."""
    try:
        return path.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):
        return False


def _given_splits(source, root):
    """The folders of the splits: {split: path}; empty if the root holds the classes."""
    folders = _folders(root)
    called = [(split, entry) for entry in folders if (split := split_called(entry.name))]
    # A class may be called "train" as well: it holds images and no folders of classes.
    if len(called) < len(folders) and not any(_folders(entry) for _, entry in called):
        _expect_classes(source, folders)
        return {}
    given = dict(called)
    if len(given) < len(folders):
        names = ", ".join(_shown(entry.name) for entry in folders)
        raise ValueError(
            f"{source}: found the folders {names}, and cannot tell which are splits and which are "
            "classes; give either one folder a class, or only train, validation and test."
        )
    return given


def _expect_classes(source, folders):
    """Refuses folders that may be splits: all hold the same folders, and no files."""
    inside = [{entry.name for entry in _folders(folder)} for folder in folders]
    same = len(folders) > 1 and inside[0] and all(names == inside[0] for names in inside)
    below = any(map(split_called, set().union(*inside)))
    if below or (same and all(entry.is_dir() for folder in folders for entry in _visible(folder))):
        names = ", ".join(_shown(folder.name) for folder in folders)
        common = ", ".join(sorted(map(_shown, set().union(*inside))))
        raise ValueError(
            f"{source}: the folders {names} hold the folders {common}, so that it cannot be told "
            "which are splits and which are classes. Call the splits train, validation and test, "
            "with the classes inside; or put the images right into their classes."
        )


def _trained_classes(source, root, given):
    """The names of the classes of the training data."""
    if given and "train" not in given:
        raise ValueError(
            f"{source}: there is no folder train, whose classes hold for {', '.join(given)} too; "
            "add it."
        )
    base = given.get("train", root)
    names = class_names_of(source, [os.fsencode(entry.name) for entry in _class_folders(base)])
    if len(names) < 2:
        below = [entry for entry in _folders(base) if len(_folders(entry)) > 1]
        if below:
            raise ValueError(
                f"{source}: found one folder, {_shown(below[0])}, which itself holds folders; give "
                "its path if these are the classes."
            )
        found = f"images of one class, {names[0]}," if names else "no images in class folders"
        raise ValueError(
            f"{source}: found {found} in {base}; expected at least 2 folders, one for each class, "
            f"with {', '.join(SUFFIXES)} files inside."
        )
    return names


def _list_images(source, base, class_names):
    """The images in the class folders: (list of paths, label int32 [n])."""
    directories = _class_folders(base)
    names = class_names_of(source, [os.fsencode(directory.name) for directory in directories])
    if not names:
        raise ValueError(
            f"{source}: {base} holds no folders; put its images into folders called as their "
            f"classes are, such as {class_names[0]}."
        )
    expect_known(source, names, class_names)
    inside = base.resolve()
    files, label = [], []
    others = [entry for entry in _visible(base) if entry not in directories]
    for name, directory in zip(names, directories, strict=True):
        images = [file for file in _below(directory) if file.suffix.lower() in SUFFIXES]
        others += [file for file in _below(directory) if file.suffix.lower() not in SUFFIXES]
        outside = [file for file in images if not _is_inside(file, inside)]
        others += outside
        images = [file for file in images if file not in set(outside)]
        if not images:
            raise ValueError(
                f"{source}: the class {name!r} has no images ({', '.join(SUFFIXES)}) in "
                f"{directory}; put some there, or remove the folder."
            )
        files += images
        label += [class_names.index(name)] * len(images)
    _warn_of(base, [file for file in others if not file.is_dir() or file.is_symlink()])
    return files, np.array(label, np.int32)


def _below(directory):
    """The visible files in a folder and its folders, and links to folders."""
    for entry in _visible(directory):
        if entry.is_dir() and not entry.is_symlink():
            yield from _below(entry)
        else:
            yield entry


def _warn_of(base, skipped):
    """Names what is not read: links out of the folder, and files that are no images."""
    inside = base.resolve()
    links = [file for file in skipped if file.is_dir() or not _is_inside(file, inside)]
    if links:
        warnings.warn(
            f"Skipped {len(links)} links out of {base}, to another class or to nowhere, the first "
            f"{_shown(links[0])}: copy these images into the folder.",
            stacklevel=3,
        )
    others = [file for file in skipped if file not in set(links)]
    if others:
        warnings.warn(
            f"Skipped {len(others)} files of {base} that are no images by their names or are in no "
            f"class folder, the first {_shown(others[0])}.",
            stacklevel=3,
        )


def _shown(path):
    """A path that any terminal prints, whatever its encoding is."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _place(file):
    try:
        found = file.stat()
        return _place_of(file, found.st_size, found.st_mtime_ns)
    except OSError:  # It is named when it is read.
        return place(os.fsencode(file))


@functools.cache
def _place_of(file, size, changed):
    """The place of a file's content; all splits of a folder ask for it."""
    return place(file.read_bytes())


class _Images:
    """The images of a split, read when needed; unreadable ones are left out of their batch.

    They are left out there, and not of the dataset, so that the number of batches is known: Keras
    warns at the end of an epoch whose length it had not known.
    """

    def __init__(self, source, files, label, size, background):
        self.source, self.files, self.label = source, files, label
        self.size, self.background = size, background
        self.warned: set = set()

    def expect_each_class(self, class_names):
        for number in np.unique(self.label):
            self._readable(np.flatnonzero(self.label == number), f"class {class_names[number]!r}")

    def stream(self, first, last):
        index = np.arange(first, last)
        known, image = self._readable(index, "split")
        shape = image.shape

        def load(index, label):
            image, readable = tf.numpy_function(self._read, [index], (tf.uint8, tf.bool))
            return tf.ensure_shape(image, shape), label, tf.ensure_shape(readable, ())

        def without_unreadable(image, label, readable):
            return tf.cond(
                tf.reduce_any(readable),
                lambda: (tf.boolean_mask(image, readable), tf.boolean_mask(label, readable)),
                lambda: substitute,
            )

        # For a batch of which nothing is left: no model can train on none.
        substitute = tf.constant(image[np.newaxis]), tf.constant(self.label[known : known + 1])
        paths = tf.data.Dataset.from_tensor_slices((index, self.label[first:last]))
        images = paths.map(load, tf.data.AUTOTUNE, deterministic=True)
        return Stream(images, len(index), without_unreadable)

    def _readable(self, indices, of_what):
        """The first readable image: (index, image)."""
        for index in indices:
            try:
                return index, self._open(index)
            except _UNREADABLE as error:
                last = error
        raise ValueError(
            f"{self.source}: none of the {len(indices)} images of the {of_what} can be read; "
            f"{_shown(self.files[index])}: {last}."
        )

    def _read(self, index):
        try:
            return self._open(index), True
        except _UNREADABLE as error:
            if index not in self.warned:
                self.warned.add(index)
                warnings.warn(
                    f"Skipped {_shown(self.files[index])}, which cannot be read as an image: "
                    f"{error}",
                    stacklevel=2,
                )
            return np.zeros((*self.size, 3), np.uint8), False

    def _open(self, index):
        return open_image(self.files[index], *self.size, background=self.background)
