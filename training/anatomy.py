"""The scans that training and evaluation images are made of, as small 8-bit stacks kept in this folder.

``anatomy/*.npz`` hold reduced copies (8 bit, licences beside them in ``anatomy/README.md``) of the scans named in the
project's ``shared/data``. They are all that training and ``make_eval.py`` need. ``python anatomy.py --source DIR``
writes them again from the original files.

Axes of every stack are ``[z, y, x]``: z towards the head, y towards the back, x towards the patient's left, so that a
slice shown row by row has the front at the top and the patient's left on the image's right.
"""

from __future__ import annotations

import argparse
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
STORE = HERE / "anatomy"
CT_LOW, CT_HIGH = -1024.0, 480.0
"""HU range that the 8-bit CT stacks span."""


@dataclass(frozen=True)
class Stack:
    """One reduced scan: ``voxels`` uint8 [z, y, x] and ``spacing`` in millimetres in the same order."""

    name: str
    voxels: NDArray[np.uint8]
    spacing: tuple[float, float, float]
    lung: bool


def read_metaimage(path: Path) -> tuple[NDArray[np.int16], tuple[float, float, float], dict[str, str]]:
    """A MET_SHORT MetaImage with its data in the same file: array [z, y, x], spacing (z, y, x), header fields."""
    raw = path.read_bytes()
    fields: dict[str, str] = {}
    at = 0
    while True:
        end = raw.index(b"\n", at)
        key, _, value = raw[at:end].decode("latin-1").partition("=")
        fields[key.strip()] = value.strip()
        at = end + 1
        if key.strip() == "ElementDataFile":
            break
    if fields["ElementType"] != "MET_SHORT" or fields["ElementDataFile"] != "LOCAL":
        raise ValueError(f"{path}: only MET_SHORT with local data is read here")
    body = raw[at:]
    if fields.get("CompressedData", "False") == "True":
        body = zlib.decompress(body)
    nx, ny, nz = (int(v) for v in fields["DimSize"].split())
    sx, sy, sz = (float(v) for v in fields["ElementSpacing"].split())
    order = ">i2" if fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False")) == "True" else "<i2"
    array = np.frombuffer(body, dtype=order, count=nx * ny * nz).reshape(nz, ny, nx)
    return array.astype(np.int16), (sz, sy, sx), fields


def hu_to_byte(hu: NDArray[np.generic]) -> NDArray[np.uint8]:
    """HU to 0..255 over CT_LOW..CT_HIGH."""
    scaled = (np.asarray(hu, dtype=np.float32) - CT_LOW) / (CT_HIGH - CT_LOW) * 255.0
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _read_nifti_u8(path: Path) -> NDArray[np.uint8]:
    """The 8-bit NIfTI of the brain as [z, y, x] with x towards the patient's left (stored RAS: x is mirrored)."""
    raw = gzip.decompress(path.read_bytes())
    dims = np.frombuffer(raw, "<i2", 8, 40)
    kind = int(np.frombuffer(raw, "<i2", 1, 70)[0])
    offset = int(np.frombuffer(raw, "<f4", 1, 108)[0])
    dtype = {2: np.dtype("u1"), 4: np.dtype("<i2"), 16: np.dtype("<f4")}[kind]
    nx, ny, nz = int(dims[1]), int(dims[2]), int(dims[3])
    array = np.frombuffer(raw, dtype, nx * ny * nz, offset).reshape(nz, ny, nx).astype(np.float32)
    high = float(np.percentile(array, 99.8))
    array = np.clip(array / high * 255.0, 0, 255)
    return array[:, ::-1, ::-1].astype(np.uint8)


def build(source: Path) -> None:
    """Write the reduced stacks from the original scans under ``source`` (the project's shared/data)."""
    STORE.mkdir(exist_ok=True)
    thorax, spacing, _ = read_metaimage(source / "thorax-ct" / "thorax.mha")
    # Four grey levels are dropped: half the size, finer than any window used here can show.
    np.savez_compressed(STORE / "thorax.npz", voxels=hu_to_byte(thorax) & 0xFC, spacing=np.array(spacing))
    lung, spacing, _ = read_metaimage(source / "lung-ct" / "lung.mha")
    np.savez_compressed(STORE / "lung.npz", voxels=hu_to_byte(lung)[::2] & 0xFC,
                        spacing=np.array([spacing[0] * 2, spacing[1], spacing[2]]))
    brain = _read_nifti_u8(source / "brain-t1" / "ch2.nii.gz")
    np.savez_compressed(STORE / "brain.npz", voxels=brain[20:160:2] & 0xF8, spacing=np.array([2.0, 1.0, 1.0]))


def load() -> dict[str, Stack]:
    """All stacks kept in this folder, by name."""
    stacks: dict[str, Stack] = {}
    for path in sorted(STORE.glob("*.npz")):
        with np.load(path) as data:
            z, y, x = (float(v) for v in data["spacing"])
            stacks[path.stem] = Stack(path.stem, data["voxels"], (z, y, x), path.stem != "brain")
    return stacks


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=HERE.parent.parent / "shared" / "data")
    build(parser.parse_args().source)
    for item in load().values():
        print(item.name, item.voxels.shape, item.spacing)
