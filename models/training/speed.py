"""Milliseconds per image on one core, beside MONAI's DenseNet-121 at 224 pixels in the same minute.

`python -m training.speed` writes speed.json into the newest version of each model made here. It needs PyTorch
for the reference.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from monai.networks.nets.densenet import DenseNet121

from training.manifest import write_json
from wetread.infer.bundle import find_bundles
from wetread.infer.seal import seal

ROUNDS = 25
REFERENCE_SIZE = 224


def measure_speed(model: Path, size: int) -> dict[str, object]:
    """Medians over alternating rounds, batch 1, one thread: other load on the machine hits both alike."""
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder) / "densenet121.onnx"
        example = torch.zeros(1, 1, REFERENCE_SIZE, REFERENCE_SIZE)
        network = DenseNet121(spatial_dims=2, in_channels=1, out_channels=1).eval()
        torch.onnx.export(network, (example,), str(reference), opset_version=18, dynamo=False)
        sessions = [_open(model), _open(reference)]
    times = [
        [_time(session, side) for session, side in zip(sessions, (size, REFERENCE_SIZE), strict=True)]
        for _ in range(ROUNDS)
    ]
    own, other = (statistics.median(column) for column in zip(*times, strict=True))
    return {
        "ms_per_image": round(own, 1),
        "densenet121_224_ms": round(other, 1),
        "ratio": round(own / other, 3),
        "processor": platform.processor() or platform.machine(),
    }


def _open(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _time(session: onnxruntime.InferenceSession, size: int) -> float:
    image = np.random.default_rng(0).random((1, 1, size, size), dtype=np.float32)
    began = time.perf_counter()
    session.run(None, {session.get_inputs()[0].name: image})
    return (time.perf_counter() - began) * 1e3


def write_speed(folder: Path) -> None:
    """Write speed.json and seal the bundle again."""
    # Sealed anew: signed by whoever, it loads on the machine of who measures it.
    bundle = seal(folder)
    facts = measure_speed(bundle.model_path, bundle.manifest.input.rows)
    write_json(folder / "speed.json", facts)
    seal(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--only", help="one model's name")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for folder in find_bundles(given.models):
        is_own = (Path(__file__).parent / f"{folder.parent.name}.toml").is_file()
        if is_own and given.only in (None, folder.parent.name):
            write_speed(folder.resolve())


if __name__ == "__main__":
    main()
