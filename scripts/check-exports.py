"""Reads a folder of exports (scripts/check-exports.mjs) with tools that Readroom did not write, and compares what they
see with truth.json. Ends with one line a tool; exit status 1 when anything is wrong."""

import csv
import glob
import gzip
import json
import os
import shutil
import subprocess
import sys
import warnings

import highdicom as hd
import jsonschema
import nibabel
import nrrd
import numpy as np
import pyarrow.parquet as pq
import pydicom
from PIL import Image
from pycocotools.coco import COCO
from pydicom.sr.codedict import codes

warnings.filterwarnings("ignore")
folder = sys.argv[1]
out = os.path.join(folder, "out")
truth = json.load(open(os.path.join(folder, "truth.json")))
failures = []
seen = {}


def check(tool, ok, what):
    seen[tool] = seen.get(tool, 0) + 1
    if not ok:
        failures.append(f"{tool}: {what}")


def affine(entry):
    return np.vstack([np.array(entry["sourceToPatient"]).reshape(3, 4), [0, 0, 0, 1]])


def to_voxels(entry, points):
    inverse = np.linalg.inv(affine(entry))
    return (inverse @ np.vstack([np.asarray(points).T, np.ones(len(points))]))[:3].T


def expected_map(entry):
    volume = np.zeros(entry["sourceSize"], np.int32)
    count = lambda box: np.prod([last - first + 1 for first, last in box["range"]])
    numbered = list(enumerate(entry["boxes"], 1))
    for value, box in sorted(numbered, key=lambda one: -count(one[1])):
        volume[tuple(slice(first, last + 1) for first, last in box["range"])] = value
    return volume


def check_nifti(entry):
    image = nibabel.load(os.path.join(out, "nifti", entry["name"] + ".nii.gz"))
    check("nibabel", np.array_equal(np.asarray(image.dataobj), expected_map(entry)), f"{entry['kind']} voxels")
    if not entry["sourceToPatient"]:
        return
    ras = np.diag([-1, -1, 1, 1]) @ affine(entry)
    check("nibabel", np.abs(image.affine - ras).max() < 1e-3, f"{entry['kind']} affine")
    code = int(image.header["qform_code"])
    if entry["kind"] != "sheared":
        check("nibabel", code == 1 and np.abs(image.get_qform() - ras).max() < 1e-3, f"{entry['kind']} qform")
    else:
        check("nibabel", code == 0, "sheared has no qform")


def check_nrrd(entry):
    data, header = nrrd.read(os.path.join(out, "nrrd", entry["name"] + ".seg.nrrd"))
    check("pynrrd", np.array_equal(data, expected_map(entry)), f"{entry['kind']} voxels")
    names = [header[f"Segment{n}_Name"] for n in range(len(entry["boxes"]))]
    plain = [box["label"] for box in entry["boxes"] if box["label"].isascii()]  # headers are ASCII
    check("pynrrd", [name for name in names if name in plain] == plain and len(names) == len(entry["boxes"]), f"{entry['kind']} names")
    if entry["sourceToPatient"]:
        m = affine(entry)
        same = np.allclose(np.array(header["space directions"]).T, m[:3, :3]) and np.allclose(header["space origin"], m[:3, 3])
        check("pynrrd", same and header["space"] == "left-posterior-superior", f"{entry['kind']} place")


# What the reader of vtkMRMLMarkupsJsonStorageNode asks of an ROI (Slicer's markups-schema-v1.0.3.json, restated).
vector = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}
matrix = {"type": "array", "items": {"type": "number"}, "minItems": 9, "maxItems": 9}
roi_schema = {
    "type": "object",
    "required": ["@schema", "markups"],
    "properties": {
        "@schema": {"pattern": r"^https://raw\.githubusercontent\.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1\.0\.3\.json#$"},
        "markups": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["type", "coordinateSystem", "roiType", "center", "orientation", "size", "controlPoints"],
                "properties": {
                    "type": {"const": "ROI"},
                    "coordinateSystem": {"enum": ["LPS", "RAS"]},
                    "coordinateUnits": {"const": "mm"},
                    "roiType": {"enum": ["Box", "BoundingBox"]},
                    "center": vector,
                    "orientation": matrix,
                    "size": vector,
                    "insideOut": {"type": "boolean"},
                    "controlPoints": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["id", "position", "positionStatus"],
                            "properties": {
                                "id": {"type": "string"},
                                "label": {"type": "string"},
                                "position": vector,
                                "orientation": matrix,
                                "positionStatus": {"enum": ["undefined", "preview", "defined"]},
                            },
                        },
                    },
                },
            },
        },
    },
}


def check_roi(entry):
    if not entry["sourceToPatient"]:
        return
    for box in entry["boxes"]:
        value = json.load(open(os.path.join(out, "slicer-roi", f"{entry['name']}-{box['key']}.mrk.json")))
        jsonschema.validate(value, roi_schema)
        roi = value["markups"][0]
        rotation = np.array(roi["orientation"]).reshape(3, 3)
        check("Slicer ROI", abs(np.linalg.det(rotation) - 1) < 1e-6, f"{entry['kind']} {box['key']} right-handed")
        check("Slicer ROI", np.allclose(rotation.T @ rotation, np.eye(3), atol=1e-9), "orthonormal")
        signs = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
        corners = np.array(roi["center"]) + (signs * roi["size"]) @ rotation.T
        wanted = np.array(box["corners"])
        distance = np.linalg.norm(corners[:, None] - wanted[None], axis=2).min(axis=0).max()
        if entry["kind"] == "sheared":  # the smallest cuboid around it
            local = (wanted - roi["center"]) @ rotation
            inside = np.all(np.abs(local) <= np.array(roi["size"]) / 2 + 1e-6)
            check("Slicer ROI", inside, "sheared box inside")
        else:
            check("Slicer ROI", distance < 1e-4, f"{entry['kind']} {box['key']} corners off by {distance} mm")


def check_coco():
    coco = COCO(os.path.join(out, "coco", "annotations.json"))
    check("pycocotools", len(coco.getCatIds()) == 1, "one category")
    expected = sum(box["pixels"]["z2"] - box["pixels"]["z1"] for entry in truth for box in entry["boxes"])
    check("pycocotools", len(coco.getAnnIds()) == expected, "annotations")
    check("pycocotools", len(set(coco.anns)) == expected, "ids")
    for image in coco.loadImgs(coco.getImgIds()):
        with Image.open(os.path.join(out, "coco", image["file_name"])) as picture:
            check("pycocotools", picture.size == (image["width"], image["height"]), image["file_name"])
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]])):
            x, y, w, h = annotation["bbox"]
            inside = x >= 0 and y >= 0 and x + w <= image["width"] + 1e-6 and y + h <= image["height"] + 1e-6
            check("pycocotools", inside and w > 0 and h > 0, f"annotation {annotation['id']}")
            coco.annToMask(annotation)


def check_csv():
    rows = list(csv.DictReader(open(os.path.join(out, "csv", "boxes.csv"), newline="", encoding="utf-8")))
    for entry in truth:
        own = {row["box"]: row for row in rows if row["run_id"] == f"run-{entry['kind']}"}
        check("csv", len(own) == 4 and own["step-3"]["verdict"] == "rejected: nothing there", entry["kind"])
        check("csv", own["step-3"]["comment"].startswith("'="), "formulas are disarmed")
        for box in entry["boxes"]:
            row = own[box["key"]]
            edges = [float(row[f"{axis}_{side}_edge"]) for axis in "ijk" for side in ("low", "high")]
            wanted = [value for pair in zip(box["min"], box["max"]) for value in pair]
            check("csv", np.allclose(edges, wanted, atol=1e-5), f"{entry['kind']} {box['key']} edges")
            if box["corners"]:
                centre = [float(row[f"centre_{axis}_mm"]) for axis in "xyz"]
                check("csv", np.allclose(centre, np.mean(box["corners"], axis=0), atol=1e-5), "centre")


def check_parquet():
    base = os.path.join(out, "unimed-cot")
    read = lambda split: pq.read_table(glob.glob(os.path.join(base, split, "*.parquet"))[0])
    sft, rl, images = read("sft"), read("rl"), read("images")
    check("pyarrow", sft.column_names == ["messages", "image_ids"], "sft columns")
    check("pyarrow", rl.column_names == ["data_source", "agent_name", "prompt", "image_ids", "ability", "reward_model", "extra_info"], "rl columns")
    check("pyarrow", images.column_names == ["image_id", "path", "bytes"], "images columns")
    pictures = {row["image_id"]: row["bytes"] for row in images.to_pylist()}
    check("pyarrow", len(pictures) == images.num_rows, "each image once")
    for row in sft.to_pylist():
        text = "".join(message["content"] for message in row["messages"])
        check("pyarrow", text.count("<image>") == len(row["image_ids"]), "one id an <image>")
        check("pyarrow", [m["role"] for m in row["messages"]] == ["system", "user", "assistant"], "roles")
        for image_id in row["image_ids"]:
            check("pyarrow", pictures[image_id][:8] == b"\x89PNG\r\n\x1a\n", image_id)
    for row in rl.to_pylist():
        check("pyarrow", json.loads(row["reward_model"])["ground_truth"] == "B", "ground truth")
        check("pyarrow", json.loads(row["extra_info"])["synthetic"] is True, "synthetic")
        check("pyarrow", "".join(m["content"] for m in row["prompt"]).count("<image>") == len(row["image_ids"]), "prompt images")
    codec = pq.ParquetFile(glob.glob(os.path.join(base, "images", "*.parquet"))[0]).metadata.row_group(0).column(0).compression
    check("pyarrow", codec == "ZSTD", "zstd")
    verl = pq.read_table(os.path.join(out, "verl", "train.parquet"))
    check("pyarrow", verl.column_names == ["data_source", "agent_name", "prompt", "images", "ability", "reward_model", "extra_info"], "verl columns")
    for row in verl.to_pylist():
        check("pyarrow", row["reward_model"] == {"style": "rule", "ground_truth": "B"}, "verl reward_model")
        check("pyarrow", isinstance(row["extra_info"], dict) and row["extra_info"]["split"] == "train", "verl extra_info")
        check("pyarrow", "".join(m["content"] for m in row["prompt"]).count("<image>") == len(row["images"]), "verl images")
        check("pyarrow", all(os.path.isfile(os.path.join(out, "verl", path)) for path in row["images"]), "verl paths")
    check("pyarrow", sft.num_rows == rl.num_rows == verl.num_rows == len(truth), "rows")


def check_llama_factory():
    """parser.get_dataset_list, OpenAIDatasetConverter and mm_plugin._validate_messages of LLaMA-Factory, restated."""
    base = os.path.join(out, "llama-factory")
    attributes = json.load(open(os.path.join(base, "dataset_info.json")))["readroom"]
    check("LLaMA-Factory rules", attributes["formatting"] == "openai" and attributes["file_name"].endswith(".json"), "entry")
    columns, tags = attributes["columns"], attributes["tags"]
    roles = {tags["user_tag"]: "user", tags["assistant_tag"]: "assistant"}
    for record in json.load(open(os.path.join(base, attributes["file_name"]))):
        messages = record[columns["messages"]]
        if messages[0][tags["role_tag"]] == tags["system_tag"]:
            messages = messages[1:]
        turns = [roles[message[tags["role_tag"]]] for message in messages]
        check("LLaMA-Factory rules", turns == ["user", "assistant"] * (len(turns) // 2), "turns alternate")
        placeholders = sum(message[tags["content_tag"]].count("<image>") for message in messages)
        images = record[columns["images"]]
        check("LLaMA-Factory rules", placeholders == len(images), "one path an <image>")
        check("LLaMA-Factory rules", all(os.path.isfile(os.path.join(base, path)) for path in images), "paths in media_dir")


def regions_of(group):
    """Voxel edges of a group's boxes as highdicom reads its SCOORDs, and its SCOORD3D points."""
    flat, spatial = [], []
    for item in group.ContentSequence:
        if item.ValueType == "SCOORD":
            flat.append((item.ContentSequence[0].ReferencedSOPSequence[0], np.array(item.GraphicData).reshape(-1, 2)))
        if item.ValueType == "SCOORD3D":
            spatial.append(np.array(item.GraphicData).reshape(-1, 3))
    return flat, spatial


def source_positions(entry):
    """Image position of every instance and frame, and the in-plane steps, as pydicom reads the source."""
    found = {}
    for path in glob.glob(os.path.join(entry["sources"], "*")):
        source = pydicom.dcmread(path)
        if "PerFrameFunctionalGroupsSequence" in source:
            shared = source.SharedFunctionalGroupsSequence[0]
            cosines = shared.PlaneOrientationSequence[0].ImageOrientationPatient
            spacing = shared.PixelMeasuresSequence[0].PixelSpacing
            for n, frame in enumerate(source.PerFrameFunctionalGroupsSequence, 1):
                found[(source.SOPInstanceUID, n)] = (frame.PlanePositionSequence[0].ImagePositionPatient, cosines, spacing)
        elif "ImagePositionPatient" in source:
            found[(source.SOPInstanceUID, 1)] = (source.ImagePositionPatient, source.ImageOrientationPatient, source.PixelSpacing)
        else:
            found[(source.SOPInstanceUID, 1)] = None
    return found


def check_sr(entry):
    path = os.path.join(out, "dicom-sr", entry["name"] + ".sr.dcm")
    if not os.path.exists(path):
        check("highdicom SR", entry["kind"] in ("nifti", "picture"), f"{entry['kind']} has a report")
        return
    report = hd.sr.srread(path)
    text = open(path, "rb").read()
    for name in (b"Nobody", b"ID-4711", b"19500102", b"ACC-7", b"Doctor", b"Dr. Reader"):
        check("pydicom SR", name not in text, f"{entry['kind']} holds {name!r}")
    content = report.content
    groups = (
        content.get_volumetric_roi_measurement_groups()
        if entry["mode"] == "3d"
        else content.get_planar_roi_measurement_groups()
    )
    placed = entry["sourceToPatient"] is not None
    check("highdicom SR", len(groups) == len(entry["boxes"]) * (2 if placed else 1), f"{entry['kind']} {len(groups)} groups")
    check("highdicom SR", all(group.finding_type == codes.DCM.SelectedRegion for group in groups), "finding")
    positions = source_positions(entry)
    by_name = {}
    for group in groups:
        by_name.setdefault(group.tracking_identifier, []).append(group)
    check("highdicom SR", all(len({g.tracking_uid for g in same}) == 1 for same in by_name.values()), "tracking uid")
    worst = 0.0
    for box in entry["boxes"]:
        for group in by_name[box["label"]]:
            flat, spatial = regions_of(group[0])
            if flat:
                first, last = box["range"][2]
                check("highdicom SR", len(flat) == last - first + 1, f"{entry['kind']} {box['key']} slices")
                ks = set()
                for reference, points in flat:
                    frame = int(getattr(reference, "ReferencedFrameNumber", 1))
                    place = positions[(reference.ReferencedSOPInstanceUID, frame)]
                    if place is None:
                        edges = points - 0.5
                        wanted = np.array([box["min"][:2], box["max"][:2]])
                        check("highdicom SR", np.allclose([edges.min(axis=0), edges.max(axis=0)], wanted, atol=1e-4), "pixels")
                        continue
                    origin, cosines, spacing = (np.array(part, float) for part in place)
                    # highdicom's own transformer: image (pixel corners at 0) to patient.
                    transformer = hd.spatial.ImageToReferenceTransformer(
                        image_position=list(origin), image_orientation=list(cosines), pixel_spacing=list(spacing)
                    )
                    voxels = to_voxels(entry, transformer(points))
                    ks.add(int(round(voxels[0, 2])))
                    low, high = voxels.min(axis=0), voxels.max(axis=0)
                    steps = np.linalg.norm(affine(entry)[:3, :3], axis=0)
                    error = max(
                        np.abs((low - box["min"])[:2] * steps[:2]).max(), np.abs((high - box["max"])[:2] * steps[:2]).max()
                    )
                    worst = max(worst, error)
                if ks:
                    check("highdicom SR", ks == set(range(first, last + 1)), f"{entry['kind']} {box['key']} on slices {ks}")
            if spatial and entry["mode"] == "3d":
                points = np.vstack(spatial)
                wanted = np.array(box["corners"])
                worst = max(worst, np.linalg.norm(points[:, None] - wanted[None], axis=2).min(axis=0).max())
            elif spatial:
                voxels = to_voxels(entry, spatial[0])
                error = np.abs(np.vstack([voxels.min(axis=0) - box["min"], voxels.max(axis=0) - box["max"]])[:, :2]).max()
                worst = max(worst, error * np.linalg.norm(affine(entry)[:3, :2], axis=0).max())
    check("highdicom SR", worst < 0.5, f"{entry['kind']} off by {worst} mm")
    seen["worst mm"] = max(seen.get("worst mm", 0), float(worst))


def check_seg(entry):
    path = os.path.join(out, "dicom-seg", entry["name"] + ".seg.dcm")
    if not os.path.exists(path):
        check("highdicom SEG", entry["kind"] in ("nifti", "picture"), f"{entry['kind']} has a segmentation")
        return
    plain = pydicom.dcmread(path)
    frames = plain.pixel_array.reshape(-1, plain.Rows, plain.Columns)
    found = np.zeros((len(entry["boxes"]) + 1, *entry["sourceSize"]), bool)
    for n, group in enumerate(plain.PerFrameFunctionalGroupsSequence):
        number = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        k = 0
        if entry["sourceToPatient"]:
            k = int(round(to_voxels(entry, [group.PlanePositionSequence[0].ImagePositionPatient])[0, 2]))
        found[number][:, :, k] |= frames[n].T.astype(bool)
    for number, box in enumerate(entry["boxes"], 1):
        wanted = np.zeros(entry["sourceSize"], bool)
        wanted[tuple(slice(first, last + 1) for first, last in box["range"])] = True
        check("pydicom SEG", np.array_equal(found[number], wanted), f"{entry['kind']} segment {number}")
    seg = hd.seg.segread(path)
    check("highdicom SEG", seg.number_of_segments == len(entry["boxes"]), f"{entry['kind']} segments")
    check("highdicom SEG", [seg.get_segment_description(n + 1).segment_label for n in range(seg.number_of_segments)] == [b["label"] for b in entry["boxes"]], "labels")
    if entry["sourceToPatient"]:
        uids = [uid for uid in seg.get_source_image_uids()]
        check("highdicom SEG", len(uids) > 0, "source images")
        if entry["kind"] not in ("multiframe",):
            instances = sorted({uid[2] for uid in uids})
            pixels = seg.get_pixels_by_source_instance(instances, ignore_spatial_locations=False)
            check("highdicom SEG", int(pixels.sum()) == int(found.sum()), f"{entry['kind']} pixels by source instance")
        if entry["kind"] != "sheared":
            volume = seg.get_volume(allow_missing_positions=True)
            check("highdicom SEG", int(np.asarray(volume.array > 0).sum()) == int(found.sum()), f"{entry['kind']} volume")


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return done.returncode, done.stdout + done.stderr


def check_with_programs():
    files = sorted(glob.glob(os.path.join(out, "dicom-*", "*.dcm")))
    if shutil.which("dciodvfy"):
        for path in files:
            _, text = run(["dciodvfy", path])
            errors = [line for line in text.splitlines() if line.startswith("Error")]
            check("dciodvfy", not errors, f"{path}: {errors}")
            notes = [l for l in text.splitlines() if l.startswith("Warning") and "DICOMDIR" not in l]
            seen["dciodvfy warnings"] = seen.get("dciodvfy warnings", 0) + len(notes)
    if shutil.which("dsrdump"):
        for path in files:
            if path.endswith(".sr.dcm"):
                code, text = run(["dsrdump", path])
                # Its VR checker knows no UTF-8, which it says of every such file.
                problems = [l for l in text.splitlines() if l.startswith(("E:", "W:")) and "VR checker" not in l]
                check("dsrdump", code == 0 and not problems and "Selected region" in text, f"{path}: {problems}")


def check_html():
    for path in glob.glob(os.path.join(out, "html", "*.html")):
        text = open(path, encoding="utf-8").read()
        check("html", "<script" not in text and "http://" not in text and "https://" not in text, f"{path} stands alone")
        check("html", "Nobody" not in text and "Dr. Reader" not in text, f"{path} names nobody")


for entry in truth:
    check_nifti(entry)
    check_nrrd(entry)
    check_roi(entry)
    check_sr(entry)
    check_seg(entry)
check_coco()
check_csv()
check_parquet()
check_llama_factory()
check_html()
check_with_programs()
for tool, count in seen.items():
    print(f"{tool}: {count if isinstance(count, int) else format(count, '.6f')}" + (" checks" if isinstance(count, int) and "warnings" not in tool else ""))
for failure in failures[:40]:
    print("WRONG", failure)
print("all right" if not failures else f"{len(failures)} wrong")
sys.exit(1 if failures else 0)
