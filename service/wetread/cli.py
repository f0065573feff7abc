"""The command line: `wetread VERB`. Each verb imports only what it runs."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wetread.domain import SOFTWARE_VERSION
from wetread.errors import Misconfigured, WetreadError

if TYPE_CHECKING:
    from wetread.config import Settings

    Door = Callable[[Settings, threading.Event], None]

EXIT_FAILED = 1
EXIT_MISCONFIGURED = 2
# What is made here may hold patient data: for its owner alone.
_PRIVATE_UMASK = 0o077

_EXAMPLES = {
    "demo": "wetread demo --images ./my-radiographs --keep",
    "serve": "WETREAD_HOME=/var/lib/wetread wetread serve",
    "listen": "WETREAD_QUEUE__URL=redis://127.0.0.1:6379/0 wetread listen",
    "work": "WETREAD_QUEUE__URL=redis://127.0.0.1:6379/0 wetread work --role analyse",
    "api": "WETREAD_HTTP__PORT=8080 wetread api",
    "send": "wetread send ./study --to WETREAD@127.0.0.1:11112",
    "models": "wetread models verify",
    "evaluate": "wetread evaluate ./test/manifest.csv --model fracture --split internal_test",
    "conformance": "wetread conformance --out ./conformance",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; its exit status: 0 done, 1 not done, 2 a setting is wrong."""
    os.umask(_PRIVATE_UMASK)
    options = make_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except Misconfigured as error:
        print(f"wetread: {error}", file=sys.stderr)
        return EXIT_MISCONFIGURED
    except WetreadError as error:
        print(f"wetread: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_FAILED


def make_parser() -> argparse.ArgumentParser:
    """Every verb and its options; what they parse to carries the verb's function as `run`."""
    parser = argparse.ArgumentParser(
        prog="wetread",
        description="Automatic wet reads of radiographs over DICOM. Research use only.",
    )
    parser.add_argument("--version", action="version", version=f"wetread {SOFTWARE_VERSION}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    demo = _add(verbs, "demo", "show the whole road on synthetic radiographs, with a stand-in PACS", _demo)
    demo.add_argument("--images", type=Path, metavar="PATH", help="send this DICOM file or folder instead")
    demo.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    serve = _add(verbs, "serve", "run listener, workers, publisher and HTTP in one watched tree", _serve)
    listen = _add(verbs, "listen", "run the DICOM listener", _listen)
    work = _add(verbs, "work", "run models, or conclude and publish", _work)
    work.add_argument("--role", choices=("analyse", "publish", "all"), default="all")
    work.add_argument("--slot", type=int, default=0, help="number of this worker on this machine")
    api = _add(verbs, "api", "run the HTTP door", _api)
    for door in (serve, listen, work, api):
        door.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    _add_send(verbs)
    _add_evaluate(verbs)
    _add_models(verbs)
    summary = "write the DICOM Conformance Statement and the IHE AIR capabilities of this installation"
    conformance = _add(verbs, "conformance", summary, _conformance)
    conformance.add_argument(
        "--out", type=Path, metavar="FOLDER", help="Markdown and HTML files (default: print)"
    )
    return parser


def _add_models(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    models = _add(verbs, "models", "list, show, verify or sign the model bundles", _models)
    actions = models.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="every model that runs here")
    show = actions.add_parser("show", help="a model's card")
    verify = actions.add_parser("verify", help="signature, digests, and golden cases on this machine")
    for action in (show, verify):
        action.add_argument("name", nargs="?", help="the model's name")
    sign = actions.add_parser("sign", help="seal and sign a bundle of your own")
    sign.add_argument("folder", type=Path, help="<name>/<version>: the folder that holds model.toml")
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="your private key (PEM)")
    keygen = actions.add_parser("keygen", help="make a key pair to sign with")
    keygen.add_argument("file", type=Path, help="where the private key is written")


def _add_send(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    send = _add(verbs, "send", "send DICOM files by C-STORE, as a modality would", _send)
    send.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="a DICOM file, or a folder of them")
    send.add_argument(
        "--to",
        default="WETREAD@127.0.0.1:11112",
        metavar="AET@HOST:PORT",
        help="who receives: AE title, host and port (default: %(default)s)",
    )
    send.add_argument(
        "--from",
        dest="caller",
        default="WETREADSEND",
        metavar="AET",
        help="the AE title to call with (default: %(default)s)",
    )


def _add_evaluate(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "measure a model on labelled images: one HTML report, and the figures as JSON"
    verb = _add(verbs, "evaluate", summary, _evaluate)
    verb.add_argument(
        "source",
        type=Path,
        metavar="MANIFEST_OR_FOLDER",
        help="a CSV with the columns file and label (and split, boxes, group, age, sex ...), or a folder of "
        "DICOM files, with a CSV of labels in it or without",
    )
    verb.add_argument("--model", required=True, help="a model's name, or the folder of one version")
    verb.add_argument("--split", help="read these rows of the CSV alone, for instance internal_test")
    verb.add_argument("--finding", help="which finding the labels mean, where the model has several")
    verb.add_argument("--out", type=Path, metavar="FOLDER", help="default: a folder in WETREAD_HOME")
    verb.add_argument(
        "--prevalence",
        type=float,
        metavar="SHARE",
        help="also predictive values where this share is ill: 0.1",
    )
    verb.add_argument(
        "--compare",
        action="append",
        default=[],
        metavar="OTHER",
        help="another model, an evaluation.json of the same cases, or a column with scores; may be repeated",
    )
    verb.add_argument(
        "--by", action="append", default=[], metavar="COLUMN", help="subgroups by this column too; repeated"
    )
    verb.add_argument("--limit", type=int, metavar="N", help="read N cases alone, spread over the list")


def _add(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=summary, description=summary, epilog=f"example: {_EXAMPLES[name]}")
    verb.set_defaults(run=run)
    return verb


def _demo(options: argparse.Namespace) -> int:
    from wetread.demo.main import run

    _silence_libraries()
    return run(images=options.images, keep=options.keep)


def _serve(options: argparse.Namespace) -> int:
    from wetread import serve

    return _run_door(serve.run, options)


def _listen(options: argparse.Namespace) -> int:
    from wetread.receive import main

    return _run_door(main.run, options)


def _work(options: argparse.Namespace) -> int:
    from wetread.worker import main

    runs: dict[str, Door] = {
        "analyse": lambda settings, stop: main.run_analyst(settings, stop, slot=options.slot),
        "publish": main.run_publisher,
        "all": lambda settings, stop: main.run_all(settings, stop, slot=options.slot),
    }
    return _run_door(runs[options.role], options)


def _api(options: argparse.Namespace) -> int:
    from wetread.api import main

    return _run_door(main.run, options)


def _run_door(run: Door, options: argparse.Namespace) -> int:
    from wetread.config import load_settings
    from wetread.logs import start_logging

    settings = load_settings()
    start_logging(level=settings.log.level, style=settings.log.format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.until_stdin_closes:
        threading.Thread(target=_stop_with_stdin, daemon=True).start()
    run(settings, stop)
    return 0


def _silence_libraries() -> None:
    # As start_logging does for a door: these print element values in warnings, which are patient data.
    warnings.simplefilter("ignore")
    for name in ("pydicom", "pynetdicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _stop_with_stdin() -> None:
    # The supervisor holds the other end: when it dies, however it dies, this read returns.
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _send(options: argparse.Namespace) -> int:
    from wetread.deliver.send import run

    _silence_libraries()
    return run(options.paths, to=options.to, caller=options.caller)


def _evaluate(options: argparse.Namespace) -> int:
    from wetread.evaluate.main import Request, run

    _silence_libraries()
    given = {name: value for name, value in vars(options).items() if name in Request.__dataclass_fields__}
    return run(Request(**given | {name: tuple(given[name]) for name in ("compare", "by")}))


def _conformance(options: argparse.Namespace) -> int:
    from wetread.conformance.main import run

    return run(options.out)


def _models(options: argparse.Namespace) -> int:
    from wetread import models

    return models.run(options)
