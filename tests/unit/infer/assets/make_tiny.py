"""Make the tiny bundle of the engine's tests. Needs the `onnx` package: run by hand, result committed.

The network has no weights worth the name: it averages the image over cells of 4 x 4 pixels (the heat map)
and its logit is 20 * (brightest cell - 0.5). The second finding reads the negative of the image.
"""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

import onnx
from onnx import TensorProto, helper

FOLDER = Path(__file__).parent / "tiny" / "1.0.0"
ROWS, COLUMNS, CELL = 32, 32, 4

CARD = """# tiny

A stand-in for tests: the heat map is the image averaged over cells of 4 x 4 pixels, the logit
follows its brightest cell. It reads nothing and is never shipped.
"""

MANIFEST = """schema = 2
name = "tiny"
version = "1.0.0"
title = "Brightest cell"
intended_use = "Tests of the engine alone."
licence = "Apache-2.0"
device_uid = "{device_uid}"

[input]
name = "image"
rows = {rows}
columns = {columns}
channels = 1
fit = "letterbox"
mean = 0.0
std = 1.0

[output]
kind = "classification"
logits = "logits"
activation = "sigmoid"
heat_map = "heat_map"

[[findings]]
label = "Bright"
code = {{ value = "125605004", scheme = "SCT", meaning = "Fracture of bone" }}
operating_points = {{ sensitive = 0.2, specific = 0.6 }}
calibration = {{ a = 1.0, b = 0.0 }}
boxes = {{ threshold = 0.5 }}

[[findings]]
label = "Dark"
code = {{ value = "233604007", scheme = "SCT", meaning = "Pneumonia" }}
operating_points = {{ sensitive = 0.2, specific = 0.6 }}
calibration = {{ a = 1.0, b = 0.0 }}
boxes = {{ threshold = 0.5 }}

[reads]
modalities = ["CR", "DX"]
sop_classes = ["1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1"]
body_parts = ["HAND", "CHEST"]
views = []
least_rows = 16
least_columns = 16

[files]
"""


def make_model() -> onnx.ModelProto:
    """Average pool, its negative, and twenty times the maximum above one half."""
    nodes = [
        helper.make_node(
            "AveragePool", ["image"], ["bright"], kernel_shape=[CELL, CELL], strides=[CELL, CELL]
        ),
        helper.make_node("Sub", ["one", "bright"], ["dark"]),
        helper.make_node("Concat", ["bright", "dark"], ["heat_map"], axis=1),
        helper.make_node("ReduceMax", ["heat_map", "axes"], ["peak"], keepdims=0),
        helper.make_node("Sub", ["peak", "half"], ["above"]),
        helper.make_node("Mul", ["above", "gain"], ["logits"]),
    ]
    constants = [
        helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]),
        helper.make_tensor("half", TensorProto.FLOAT, [1], [0.5]),
        helper.make_tensor("gain", TensorProto.FLOAT, [1], [20.0]),
        helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, ROWS, COLUMNS])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2]),
            helper.make_tensor_value_info(
                "heat_map", TensorProto.FLOAT, ["n", 2, ROWS // CELL, COLUMNS // CELL]
            ),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Write model.onnx, MODEL_CARD.md and model.toml with their digests."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = {"model.onnx": make_model().SerializeToString(), "MODEL_CARD.md": CARD.encode()}
    device_uid = f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, 'wetread tiny 1.0.0').int}"
    manifest = MANIFEST.format(device_uid=device_uid, rows=ROWS, columns=COLUMNS)
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
        manifest += f'"{name}" = "{hashlib.sha256(data).hexdigest()}"\n'
    (FOLDER / "model.toml").write_text(manifest, encoding="utf-8")


if __name__ == "__main__":
    main()
