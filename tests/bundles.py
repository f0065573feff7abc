"""Model bundles for tests, made on the fly: networks whose answers can be worked out by hand.

The manifests are the examples of `models/README.md`, so that what it tells people is what serves.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import onnx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from wetread.infer.bundle import Bundle
from wetread.infer.seal import sign
from wetread.infer.signature import Trust, to_public

# No secret: it signs nothing but what tests make.
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = to_public(KEY)
TRUST = Trust((PUBLIC_KEY,))

_README = Path(__file__).parents[1] / "models" / "README.md"
_EXAMPLE = re.compile(r"```toml\n(schema = 2.*?)```", re.DOTALL)


def examples() -> dict[str, str]:
    """The manifests in `models/README.md`, by model name."""
    texts = _EXAMPLE.findall(_README.read_text(encoding="utf-8"))
    return {tomllib.loads(text)["name"]: text for text in texts}


def drop(models: Path, manifest: str, network: ModelProto) -> Bundle:
    """Put a bundle into a models folder and sign it, as somebody adding one does."""
    name, version = (
        re.findall(rf'^{key} = "(.*)"', manifest, re.MULTILINE)[0] for key in ("name", "version")
    )
    folder = models / name / version
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(manifest, encoding="utf-8")
    (folder / "model.onnx").write_bytes(network.SerializeToString())
    (folder / "MODEL_CARD.md").write_text(f"# {name}\n\nA stand-in for tests.\n", encoding="utf-8")
    return sign(folder, KEY)


def brightness_classifier(
    *, rows: int = 224, channels: int = 3, gains: tuple[tuple[float, ...], ...]
) -> ModelProto:
    """Logit of class c: the sum over channels of gains[channel][c] times the channel's mean."""
    classes = len(gains[0])
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["means"]),
        helper.make_node("MatMul", ["means", "gains"], ["logits"]),
    ]
    flat = [value for row in gains for value in row]
    return _model(
        nodes,
        [_value("image", ["n", channels, rows, rows])],
        [_value("logits", ["n", classes])],
        [helper.make_tensor("gains", TensorProto.FLOAT, [channels, classes], flat)],
    )


def quadrant_detector(*, rows: int = 640, boxes: tuple[tuple[float, ...], ...]) -> ModelProto:
    """Box k is always at boxes[k]; its score is the mean of quadrant k (by rows) over 255."""
    half = rows // 2
    nodes = [
        helper.make_node(
            "AveragePool", ["images"], ["pooled"], kernel_shape=[half, half], strides=[half, half]
        ),
        helper.make_node("ReduceMean", ["pooled", "channel"], ["grey"], keepdims=0),
        helper.make_node("Reshape", ["grey", "flat"], ["quadrants"]),
        helper.make_node("Div", ["quadrants", "most"], ["scores"]),
        helper.make_node("Identity", ["places"], ["boxes"]),
    ]
    constants = [
        helper.make_tensor("channel", TensorProto.INT64, [1], [1]),
        helper.make_tensor("flat", TensorProto.INT64, [2], [-1, 4]),
        helper.make_tensor("most", TensorProto.FLOAT, [], [255.0]),
        helper.make_tensor("places", TensorProto.FLOAT, [1, 4, 4], [edge for box in boxes for edge in box]),
    ]
    outputs = [_value("boxes", [1, 4, 4]), _value("scores", ["n", 4])]
    return _model(nodes, [_value("images", ["n", 3, rows, rows])], outputs, constants)


def brightness_guard(*, rows: int = 96, kinds: int = 5) -> ModelProto:
    """Logits 0 but the first, which is ten times the mean; the distance is a hundred times the mean."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["mean"]),
        helper.make_node("MatMul", ["mean", "gains"], ["logits"]),
        helper.make_node("Mul", ["mean", "hundred"], ["distance"]),
    ]
    constants = [
        helper.make_tensor("gains", TensorProto.FLOAT, [1, kinds], [10.0, *([0.0] * (kinds - 1))]),
        helper.make_tensor("hundred", TensorProto.FLOAT, [], [100.0]),
    ]
    outputs = [_value("logits", ["n", kinds]), _value("distance", ["n", 1])]
    return _model(nodes, [_value("image", ["n", 1, rows, rows])], outputs, constants)


def _value(name: str, shape: list[int | str]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _model(
    nodes: list[NodeProto],
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
    constants: list[TensorProto],
) -> ModelProto:
    graph = helper.make_graph(nodes, "stand-in", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model
