"""Makes the bundled case: the thorax CT with one synthetic lesion, labelled so in its name, header and case.json.

``python training/make_sample.py --source ../shared/data/thorax-ct/thorax.mha``. Needs numpy and Pillow.
"""

from __future__ import annotations

import argparse
import json
import zlib
from pathlib import Path

import numpy as np

from anatomy import read_metaimage
from lesions import Lesion, draw_volume, slices_of

HERE = Path(__file__).resolve().parent
NAME = "thorax-ct-synthetic-lesion.mha"
LEVEL_HU = 150.0
NOTE = "SYNTHETIC LESION inserted by Readroom training/make_sample.py into a real CT; not a patient's finding; not for clinical use"
LESION = Lesion("solid", cx=92.0, cy=100.0, rx=20.0, ry=20.0, bright=True, level=LEVEL_HU, angle=0.3, cz=62.0, rz=13.0)
"""In source voxels of the 256x256x128 grid."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=HERE.parent.parent / "shared" / "data" / "thorax-ct" / "thorax.mha")
    parser.add_argument("--out", type=Path, default=HERE.parent / "resources" / "samples")
    args = parser.parse_args()
    array, _, fields = read_metaimage(args.source)
    volume = array.astype(np.float32)
    draw_volume(volume, LESION)
    stored = np.rint(volume).astype("<i2")
    body = zlib.compress(stored.tobytes(), 9)
    header = {
        "ObjectType": "Image", "NDims": "3", "Modality": "MET_MOD_CT", "Comment": NOTE, "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
        "CompressedData": "True", "CompressedDataSize": str(len(body)), "TransformMatrix": fields["TransformMatrix"],
        "Offset": fields["Offset"], "CenterOfRotation": fields["CenterOfRotation"],
        "AnatomicalOrientation": fields["AnatomicalOrientation"], "ElementSpacing": fields["ElementSpacing"],
        "DimSize": fields["DimSize"], "ElementType": "MET_SHORT", "ElementDataFile": "LOCAL"}
    args.out.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{k} = {v}\n" for k, v in header.items())
    (args.out / NAME).write_bytes(text.encode("ascii") + body)
    span = slices_of(LESION, len(volume))
    x1, y1, x2, y2 = (int(round(v)) for v in (LESION.cx - LESION.rx, LESION.cy - LESION.ry,
                                              LESION.cx + LESION.rx, LESION.cy + LESION.ry))
    case = {
        "file": NAME, "title": "Thorax CT with a synthetic lesion",
        "description": "A real thorax CT (one breathing phase) into which one solid lesion was drawn in the right "
                       "lung. The lesion is synthetic. The scan is not: its left lung is largely collapsed.",
        "synthetic": True, "licence": "BSD-3-Clause, (c) 2011-2018 Gregory C. Sharp (plastimatch test data); see LICENSE-thorax-ct.txt",
        "questions": [
            {"question": "What type of lesion is shown?",
             "options": ["solid lesion", "ring lesion", "stippled lesion", "spiculated lesion"], "answer": "A"},
            {"question": "Which lung contains the lesion?", "options": ["right lung", "left lung"], "answer": "A"},
            {"question": "In which slices is the lesion?", "options": ["first slices", "middle slices", "last slices"],
             "answer": "B"},
            {"question": "Does the volume show a lesion?", "options": ["yes", "no"], "answer": "A"},
        ],
        "truth": {"kind": LESION.kind, "box_source_voxels": [x1, y1, span[0], x2, y2, span[-1] + 1],
                  "order": "x1,y1,z1,x2,y2,z2; voxel indices of the file, upper bounds exclusive"},
    }
    (args.out / "case.json").write_text(json.dumps(case, indent=2) + "\n", encoding="utf-8")
    print(args.out / NAME, len(text) + len(body), "bytes")


if __name__ == "__main__":
    main()
