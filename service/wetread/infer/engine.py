"""ONNX Runtime sessions, one a bundle, warm before work is taken."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_status

from wetread.errors import InferenceFailed, Misconfigured, NotFound, Rejected
from wetread.infer.bundle import Bundle, Manifest
from wetread.infer.interpret import ReadFinding, interpret
from wetread.infer.prepare import place, to_input

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"

_FLOAT = "tensor(float)"
_ERRORS_ONLY = 3

# ONNX Runtime's errors share no base class below Exception.
_RUNTIME_ERRORS = (
    runtime_status.EPFail,
    runtime_status.Fail,
    runtime_status.InvalidArgument,
    runtime_status.InvalidGraph,
    runtime_status.InvalidProtobuf,
    runtime_status.NoSuchFile,
    runtime_status.NotImplemented,
    runtime_status.RuntimeException,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one model says of one image. `provider` is the ONNX Runtime provider that ran it."""

    findings: tuple[ReadFinding, ...]
    provider: str
    prepare_ms: float
    infer_ms: float


def available_providers() -> tuple[str, ...]:
    """The providers of this machine that are used here, preferred first.

    Loads the CUDA libraries of the installed wheels, where the GPU build of ONNX Runtime is installed.
    """
    if CUDA not in onnxruntime.get_available_providers():
        return (CPU,)
    onnxruntime.preload_dlls()
    return (CUDA, CPU)


class Engine:
    """Reads images with every bundle's model. Safe to call from several threads.

    Opens and warms all sessions when built, frees them when left. Raises Misconfigured when a
    model does not load or is not what its manifest says.
    """

    def __init__(self, bundles: Sequence[Bundle], *, threads: int, providers: Sequence[str] = (CPU,)) -> None:
        self._networks = {
            bundle.manifest.name: _Network(bundle, threads=threads, providers=providers) for bundle in bundles
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._networks.clear()

    def provider(self, bundle_name: str) -> str:
        """The provider in effect: the CPU when CUDA was asked for and did not come up."""
        return self._network(bundle_name).provider

    def read(self, bundle_name: str, display: NDArray[np.float32]) -> Reading:
        """Prepare, run and interpret one displayed image (rows, columns), 0..1, dense tissue bright.

        Raises NotFound for an unknown bundle, Rejected `model_output` when the network answers no
        number, InferenceFailed when it does not run.
        """
        network = self._network(bundle_name)
        manifest = network.manifest
        started = time.perf_counter()
        tensor = to_input(display, manifest.input)
        prepared = time.perf_counter()
        logits, heat_maps = network.run(tensor)
        inferred = time.perf_counter()
        rows, columns = display.shape
        placement = place(rows, columns, manifest.input)
        findings = tuple(
            interpret(spec, manifest.input, placement, logit=float(logit), heat_map=heat_map)
            for spec, logit, heat_map in zip(manifest.findings, logits, heat_maps, strict=True)
        )
        return Reading(findings, network.provider, (prepared - started) * 1e3, (inferred - prepared) * 1e3)

    def _network(self, name: str) -> _Network:
        try:
            return self._networks[name]
        except KeyError as error:
            raise NotFound(f"no model named {name!r} is loaded") from error


class _Network:
    """One warm session, checked against its manifest."""

    def __init__(self, bundle: Bundle, *, threads: int, providers: Sequence[str]) -> None:
        self.manifest = bundle.manifest
        self._session = _open_session(bundle.model_path, threads=threads, providers=providers)
        self.provider: str = self._session.get_providers()[0]
        _check_signature(self._session, self.manifest)
        spec = self.manifest.input
        self.run(np.zeros((1, spec.channels, spec.rows, spec.columns), dtype=np.float32))

    def run(self, tensor: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits (findings,) and heat maps (findings, h, w) clipped to 0..1 of a batch of one."""
        output = self.manifest.output
        try:
            logits, heat_maps = self._session.run(
                [output.logits, output.heat_map], {self.manifest.input.name: tensor}
            )
        except _RUNTIME_ERRORS as error:
            # A GPU out of memory ends here: the place to fall back to a session on the CPU.
            message = f"{self.manifest.name} did not run ({type(error).__name__})"
            raise InferenceFailed(message) from error
        if not (np.isfinite(logits).all() and np.isfinite(heat_maps).all()):
            raise Rejected(f"{self.manifest.name} answered no number", code="model_output")
        return logits[0], np.clip(heat_maps[0], 0.0, 1.0)


def _open_session(path: Path, *, threads: int, providers: Sequence[str]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(path, sess_options=options, providers=list(providers))
    except _RUNTIME_ERRORS as error:
        raise Misconfigured(f"{path}: the model does not load ({type(error).__name__})") from error


def _check_signature(session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
    """Raise Misconfigured unless the model's tensors are those of its manifest."""
    spec, output = manifest.input, manifest.output
    findings = len(manifest.findings)
    inputs = {tensor.name: tensor for tensor in session.get_inputs()}
    outputs = {tensor.name: tensor for tensor in session.get_outputs()}
    if set(inputs) != {spec.name}:
        raise Misconfigured(f"{manifest.name}: the model takes {sorted(inputs)}, not {spec.name!r} alone")
    _check_tensor(inputs[spec.name], (None, spec.channels, spec.rows, spec.columns), manifest.name)
    for name, shape in ((output.logits, (None, findings)), (output.heat_map, (None, findings, None, None))):
        if name not in outputs:
            raise Misconfigured(f"{manifest.name}: the model has no output {name!r}")
        _check_tensor(outputs[name], shape, manifest.name)


def _check_tensor(tensor: onnxruntime.NodeArg, expected: tuple[int | None, ...], model: str) -> None:
    """None stands for any size; so does a symbolic size in the model."""
    agrees = len(tensor.shape) == len(expected) and all(
        wanted is None or not isinstance(size, int) or size == wanted
        for size, wanted in zip(tensor.shape, expected, strict=True)
    )
    if tensor.type != _FLOAT or not agrees:
        raise Misconfigured(f"{model}: {tensor.name} is {tensor.type} {tensor.shape}, not {expected}")
