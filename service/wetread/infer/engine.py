"""ONNX Runtime sessions, one a bundle, warm before work is taken."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_status

from wetread.errors import InferenceFailed, Misconfigured, NotFound, Rejected
from wetread.infer.bundle import Bundle
from wetread.infer.interpret import ReadFinding, interpret
from wetread.infer.manifest import Manifest, PictureSpec
from wetread.infer.outputs import SHAPES, Outputs, read_outputs, tensor_names
from wetread.infer.picture import Picture, to_picture
from wetread.infer.prepare import place, to_input

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"

_FLOAT = "tensor(float)"
# Names of classes come as numbers of either sort.
_TYPES = {"classes": (_FLOAT, "tensor(int64)")}
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
        answer = network.answer(display)
        rows, columns = display.shape
        placement = place(rows, columns, network.manifest.input)
        findings = interpret(network.manifest, placement, answer.outputs)
        return Reading(findings, network.provider, answer.prepare_ms, answer.infer_ms)

    def picture(self, bundle_name: str, display: NDArray[np.float32]) -> Picture:
        """What kind of picture a displayed image is, as the guard of this name sees it.

        `display` as for `read`. Raises as `read` does, and NotFound for a model that is no guard.
        """
        network = self._network(bundle_name)
        if not isinstance(network.manifest.output, PictureSpec):
            raise NotFound(f"{bundle_name!r} does not say what a picture is")
        return to_picture(network.manifest.output, network.answer(display).outputs)

    def _network(self, name: str) -> _Network:
        try:
            return self._networks[name]
        except KeyError as error:
            raise NotFound(f"no model named {name!r} is loaded") from error


class _Network:
    """One warm session, checked against its manifest."""

    def __init__(self, bundle: Bundle, *, threads: int, providers: Sequence[str]) -> None:
        self.manifest = bundle.manifest
        self._session = _open_session(bundle, threads=threads, providers=providers)
        self._tensors = tensor_names(self.manifest)
        self.provider: str = self._session.get_providers()[0]
        _check_tensors(self._session, self.manifest)
        try:
            self.answer(np.zeros((self.manifest.input.rows, self.manifest.input.columns), dtype=np.float32))
        except (Rejected, InferenceFailed) as error:
            raise Misconfigured(f"{bundle.folder}: {error}") from error

    def answer(self, display: NDArray[np.float32]) -> _Answer:
        """Prepare one displayed image and run it."""
        started = time.perf_counter()
        tensor = to_input(display, self.manifest.input)
        prepared = time.perf_counter()
        outputs = self._run(tensor)
        inferred = time.perf_counter()
        return _Answer(outputs, (prepared - started) * 1e3, (inferred - prepared) * 1e3)

    def _run(self, tensor: NDArray[np.float32]) -> Outputs:
        try:
            arrays = self._session.run(list(self._tensors.values()), {self.manifest.input.name: tensor})
        except _RUNTIME_ERRORS as error:
            # A GPU out of memory ends here: the place to fall back to a session on the CPU.
            message = f"{self.manifest.name} did not run ({type(error).__name__})"
            raise InferenceFailed(message) from error
        return read_outputs(self.manifest, dict(zip(self._tensors, arrays, strict=True)))


@dataclass(frozen=True, slots=True)
class _Answer:
    outputs: Outputs
    prepare_ms: float
    infer_ms: float


def _open_session(bundle: Bundle, *, threads: int, providers: Sequence[str]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(
            _read_network(bundle), sess_options=options, providers=list(providers)
        )
    except _RUNTIME_ERRORS as error:
        message = f"{bundle.model_path}: the model does not load ({type(error).__name__})"
        raise Misconfigured(message) from error


def _read_network(bundle: Bundle) -> bytes:
    """The bytes that were signed, and no others: the file may have changed since the bundle was checked.

    From bytes, ONNX Runtime opens no further file that the network names.
    """
    try:
        data = bundle.model_path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{bundle.model_path}: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != bundle.id.digest:
        raise Misconfigured(f"{bundle.model_path}: changed while the service started")
    return data


def _check_tensors(session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
    """Raise Misconfigured unless the model's tensors are those of its manifest, as far as the file says."""
    spec = manifest.input
    inputs = {tensor.name: tensor for tensor in session.get_inputs()}
    outputs = {tensor.name: tensor for tensor in session.get_outputs()}
    if set(inputs) != {spec.name}:
        raise Misconfigured(f"{manifest.name}: the model takes {sorted(inputs)}, not {spec.name!r} alone")
    shape = (None, spec.channels, spec.rows, spec.columns)
    _check_tensor(inputs[spec.name], shape, types=(_FLOAT,), model=manifest.name)
    for role, name in tensor_names(manifest).items():
        if name not in outputs:
            raise Misconfigured(f"{manifest.name}: the model has no output {name!r}")
        types = _TYPES.get(role, (_FLOAT,))
        _check_tensor(outputs[name], SHAPES[role], types=types, model=manifest.name)


def _check_tensor(
    tensor: onnxruntime.NodeArg, expected: tuple[int | None, ...], *, types: tuple[str, ...], model: str
) -> None:
    """None stands for any size; so does a symbolic size in the model."""
    agrees = len(tensor.shape) == len(expected) and all(
        wanted is None or not isinstance(size, int) or size == wanted
        for size, wanted in zip(tensor.shape, expected, strict=True)
    )
    if tensor.type not in types or not agrees:
        wanted = f"{' or '.join(types)} {expected}"
        raise Misconfigured(f"{model}: {tensor.name} is {tensor.type} {tensor.shape}, not {wanted}")
