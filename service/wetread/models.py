"""`wetread models`: what runs here, whether it is what it was when made, and how a new one is signed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from wetread.config import PROJECT_KEY, Settings, load_settings
from wetread.errors import Misconfigured, WetreadError
from wetread.infer.bundle import Bundle, find_bundles, load_bundle
from wetread.infer.engine import Engine, available_providers
from wetread.infer.seal import sign
from wetread.infer.signature import key_id, make_key, read_key, to_public
from wetread.pipeline.golden import check_golden
from wetread.pipeline.parts import make_trust, read_bundles

_HEAD = ("model", "version", "signed by", "files", "golden cases", "largest difference", "provider", "result")


def run(options: argparse.Namespace) -> int:
    """One action on the models; the exit status."""
    actions: dict[str, Callable[[], int]] = {
        "list": list_models,
        "show": lambda: show_model(options.name),
        "verify": lambda: verify_models(options.name),
        "sign": lambda: sign_model(options.folder, options.key),
        "keygen": lambda: make_key_pair(options.file),
    }
    return actions[options.action]()


def list_models() -> int:
    """Every model that runs here: name, version, kind, title."""
    rows = [
        (bundle.id.name, bundle.id.version, bundle.manifest.output.kind, bundle.manifest.title)
        for bundle in read_bundles(load_settings())
    ]
    _print_table(rows)
    return 0


def show_model(name: str | None) -> int:
    """A model's card."""
    bundles = {bundle.id.name: bundle for bundle in read_bundles(load_settings())}
    if name is None:
        raise Misconfigured(f"models show: name a model ({', '.join(sorted(bundles))})")
    if name not in bundles:
        raise _no_model(name)
    print(bundles[name].card_path.read_text(encoding="utf-8"))
    return 0


def verify_models(name: str | None) -> int:
    """Signature, digests and golden cases of every model, or of one: a line each; 1 when one fails."""
    settings = load_settings()
    folders = [f for f in find_bundles(settings.models_folder) if name in (None, f.parent.name)]
    if not folders:
        raise _no_model(str(name))
    checks = [_verify(folder, settings) for folder in folders]
    _print_table([_HEAD, *(row for row, _ in checks)])
    return 0 if all(is_good for _, is_good in checks) else 1


def sign_model(folder: Path, key_file: Path) -> int:
    """Seal and sign a bundle, and say what else it needs to be loaded."""
    key = read_key(key_file)
    # The manifest is held against the folder's name: a bare `.` has none.
    bundle = sign(folder.resolve(), key)
    print(f"{bundle.id.name} {bundle.id.version}: {len(bundle.manifest.files)} files sealed,", end=" ")
    print(f"signed with key {bundle.signed_by}")
    _say_trust(to_public(key), load_settings())
    return 0


def make_key_pair(file: Path) -> int:
    """Write a new private key and say its public half."""
    public = to_public(make_key(file))
    print(f"private key: {file} (whoever has it signs in your name: keep it out of the repository)")
    print(f"public key:  {public} (id {key_id(public)})")
    _say_trust(public, load_settings())
    return 0


def _verify(folder: Path, settings: Settings) -> tuple[tuple[str, ...], bool]:
    """A line of the table, and whether all is well."""
    name = (folder.parent.name, folder.name)
    try:
        bundle = load_bundle(folder, make_trust(settings))
        threads = settings.worker.threads
        with Engine([bundle], threads=threads, providers=available_providers()) as engine:
            golden = check_golden(bundle, engine)
            provider = engine.provider(bundle.id.name).removesuffix("ExecutionProvider")
    except WetreadError as error:
        return (*name, f"FAILED: {str(error).removeprefix(f'{folder}: ')}"), False
    told = f"{golden.passed} of {golden.cases} passed" if golden.cases else "none"
    is_good = golden.passed == golden.cases
    row = (
        *name,
        _signer(bundle),
        f"{len(bundle.manifest.files)} as sealed",
        told,
        f"{golden.largest_difference:.4f}",
        provider,
        "good" if is_good else "FAILED",
    )
    return row, is_good


def _signer(bundle: Bundle) -> str:
    if not bundle.signed_by:
        return "nobody (allowed)"
    owner = " (Wetread)" if bundle.signed_by == key_id(PROJECT_KEY) else ""
    return f"{bundle.signed_by}{owner}"


def _say_trust(public: str, settings: Settings) -> None:
    if public in settings.models.trusted_keys:
        return
    keys = ", ".join(f'"{key}"' for key in (*settings.models.trusted_keys, public))
    print(f"to load what it signs, put into wetread.toml:\n[models]\ntrusted_keys = [{keys}]")


def _no_model(name: str) -> WetreadError:
    return WetreadError(f"no model named {name!r}: see `wetread models list`")


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as their widest cell; what stands last in a row may run on."""
    widths: dict[int, int] = {}
    for row in rows:
        for column, cell in enumerate(row[:-1]):
            widths[column] = max(widths.get(column, 0), len(cell))
    for row in rows:
        padded = [cell.ljust(widths[column]) for column, cell in enumerate(row[:-1])]
        print("  ".join((*padded, row[-1])))
