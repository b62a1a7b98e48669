"""The scans that training and evaluation images are made of, as small 8-bit stacks kept in this folder.

``anatomy/*.npz`` hold reduced copies (8 bit, licences beside them in ``anatomy/README.md``) of the scans named in the
project's ``shared/data``, ``anatomy/labels/*.npz`` the named structures on the same grids. They are all that training and
``make_eval.py`` need. ``python anatomy.py --source DIR`` writes them again from the original files (and needs scipy).

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


@dataclass(frozen=True)
class Labels:
    """Named structures of one scan: ``voxels`` uint8 on the grid of its Stack, 0 elsewhere, value k is ``names[k - 1]``."""

    voxels: NDArray[np.uint8]
    names: tuple[str, ...]


def read_metaimage(path: Path) -> tuple[NDArray[np.int16], tuple[float, float, float], dict[str, str]]:
    """A MET_SHORT or MET_UCHAR MetaImage with its data in the same file: array [z, y, x], spacing (z, y, x), header fields."""
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
    if fields["ElementType"] not in ("MET_SHORT", "MET_UCHAR") or fields["ElementDataFile"] != "LOCAL":
        raise ValueError(f"{path}: only MET_SHORT and MET_UCHAR with local data are read here")
    body = raw[at:]
    if fields.get("CompressedData", "False") == "True":
        body = zlib.decompress(body)
    nx, ny, nz = (int(v) for v in fields["DimSize"].split())
    sx, sy, sz = (float(v) for v in fields["ElementSpacing"].split())
    order = ">i2" if fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False")) == "True" else "<i2"
    order = order if fields["ElementType"] == "MET_SHORT" else "u1"
    array = np.frombuffer(body, dtype=order, count=nx * ny * nz).reshape(nz, ny, nx)
    return array.astype(np.int16), (sz, sy, sx), fields


def hu_to_byte(hu: NDArray[np.generic]) -> NDArray[np.uint8]:
    """HU to 0..255 over CT_LOW..CT_HIGH."""
    scaled = (np.asarray(hu, dtype=np.float32) - CT_LOW) / (CT_HIGH - CT_LOW) * 255.0
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _read_nifti(path: Path) -> NDArray[np.float32]:
    """A NIfTI of the brain as [z, y, x] with x towards the patient's left (stored RAS: x and y are mirrored)."""
    raw = gzip.decompress(path.read_bytes())
    dims = np.frombuffer(raw, "<i2", 8, 40)
    kind = int(np.frombuffer(raw, "<i2", 1, 70)[0])
    offset = int(np.frombuffer(raw, "<f4", 1, 108)[0])
    dtype = {2: np.dtype("u1"), 4: np.dtype("<i2"), 16: np.dtype("<f4")}[kind]
    nx, ny, nz = int(dims[1]), int(dims[2]), int(dims[3])
    array = np.frombuffer(raw, dtype, nx * ny * nz, offset).reshape(nz, ny, nx)
    return array[:, ::-1, ::-1].astype(np.float32)


def read_dicom_series(folder: Path) -> Stack:
    """A series of single-frame DICOM files of one orientation as a stack named ``unseen`` (needs pydicom): for measuring on a scan that no
    training image was made of. Slices are sorted along their normal; grey levels up to the 99.5th percentile become 0..255.

    Raises ValueError for a folder without such a series."""
    import pydicom

    slices = [s for path in sorted(folder.iterdir()) if path.is_file() and "PixelData" in (s := pydicom.dcmread(path, force=True))]
    if len(slices) < 2 or len({(s.Rows, s.Columns, tuple(s.ImageOrientationPatient)) for s in slices}) != 1:
        raise ValueError(f"{folder}: not one series of single-frame images of one size and orientation")
    across = np.cross(*np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3))
    slices.sort(key=lambda s: float(across @ np.array(s.ImagePositionPatient, float)))
    values = np.stack([s.pixel_array.astype(np.float32) for s in slices])
    scaled = np.clip(values / np.percentile(values, 99.5) * 255.0, 0, 255).astype(np.uint8)
    row, column = (float(v) for v in slices[0].PixelSpacing)
    return Stack("unseen", scaled, (float(slices[0].get("SliceThickness", 1.0)), row, column), False)


WORDS = {"Sup": "superior", "Inf": "inferior", "Mid": "middle", "Med": "medial", "Orb": "orbital", "Ant": "anterior",
         "Post": "posterior", "Oper": "opercular", "Tri": "triangular", "Supp": "supplementary", "L": "left", "R": "right"}


def region_name(atlas: str) -> str:
    """``Frontal_Sup_Orb_L`` -> ``left frontal superior orbital``."""
    parts = [WORDS.get(p, p.lower()) for p in atlas.split("_")]
    return " ".join(parts[-1:] + parts[:-1] if parts[-1] in ("left", "right") else parts)


def _thorax_lungs(voxels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1 right lung, 2 left lung of the thorax CT, found by threshold: nobody drew these masks. The left one is collapsed."""
    from scipy import ndimage

    dense = voxels > 110
    dense[:, 170:] = False
    closed = np.maximum.accumulate(dense, 2) & np.maximum.accumulate(dense[:, :, ::-1], 2)[:, :, ::-1]
    closed &= np.maximum.accumulate(dense, 1) & np.maximum.accumulate(dense[:, ::-1], 1)[:, ::-1]
    air = (voxels < 85) & closed
    parts, count = ndimage.label(ndimage.binary_erosion(air, iterations=2))
    middle = voxels.shape[2] / 2
    out = np.zeros_like(voxels)
    for value, left in ((1, False), (2, True)):
        best, size = 0, 0
        for k in range(1, count + 1):
            where = parts == k
            z, y, x = ndimage.center_of_mass(where)
            # Air beside the arms and the trachea are left out.
            if (x > middle) == left and abs(x - middle) > 15 and abs(x - middle) < 70 and int(where.sum()) > size:
                best, size = k, int(where.sum())
        out[ndimage.binary_dilation(parts == best, iterations=3) & air & (out == 0)] = value
    return out


def build(source: Path) -> None:
    """Write the reduced stacks from the original scans under ``source`` (the project's shared/data)."""
    STORE.mkdir(exist_ok=True)
    thorax, spacing, _ = read_metaimage(source / "thorax-ct" / "thorax.mha")
    # Four grey levels are dropped: half the size, finer than any window used here can show.
    np.savez_compressed(STORE / "thorax.npz", voxels=hu_to_byte(thorax) & 0xFC, spacing=np.array(spacing))
    lung, spacing, _ = read_metaimage(source / "lung-ct" / "lung.mha")
    np.savez_compressed(STORE / "lung.npz", voxels=hu_to_byte(lung)[::2] & 0xFC,
                        spacing=np.array([spacing[0] * 2, spacing[1], spacing[2]]))
    brain = _read_nifti(source / "brain-t1" / "ch2.nii.gz")
    brain = np.clip(brain / float(np.percentile(brain, 99.8)) * 255.0, 0, 255).astype(np.uint8)
    np.savez_compressed(STORE / "brain.npz", voxels=brain[20:160:2] & 0xF8, spacing=np.array([2.0, 1.0, 1.0]))
    build_labels(source, hu_to_byte(thorax))


def build_labels(source: Path, thorax: NDArray[np.uint8]) -> None:
    """Write the named structures on the grids of the reduced scans."""
    (STORE / "labels").mkdir(exist_ok=True)
    rows = [line.split() for line in (source / "brain-t1" / "aal.nii.txt").read_text(encoding="utf-8").splitlines() if line.strip()]
    regions = _read_nifti(source / "brain-t1" / "aal.nii.gz").astype(np.uint8)[20:160:2]
    names = [region_name(row[1]) for row in sorted(rows, key=lambda row: int(row[0]))]
    mask, _, _ = read_metaimage(source / "lung-ct" / "lung_mask.mha")
    for name, voxels, words in (("brain", regions, names), ("thorax", _thorax_lungs(thorax), ["right lung", "left lung"]),
                                ("lung", (mask[::2] > 0).astype(np.uint8), ["right lung"])):
        np.savez_compressed(STORE / "labels" / f"{name}.npz", voxels=voxels, names=np.array(words))


def load_labels() -> dict[str, Labels]:
    """The named structures, by the name of the stack."""
    out: dict[str, Labels] = {}
    for path in sorted((STORE / "labels").glob("*.npz")):
        with np.load(path) as data:
            out[path.stem] = Labels(data["voxels"], tuple(str(n) for n in data["names"]))
    return out


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
