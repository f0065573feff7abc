"""kill -9 at the worst moment: nothing acknowledged is lost, no result is doubled."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.builders import read_uids, small_film, write
from tests.system.child import is_running
from tests.system.conftest import MakeWetread
from tests.system.dcmtk import storescu
from tests.system.deadline import wait_until
from tests.system.orthanc import CAPTURE_CLASS, SR_CLASS, Orthanc, new_orthanc, running_orthanc
from tests.system.redis_server import new_redis, running_redis
from tests.system.steady_sender import SteadySender, sending
from tests.system.wetread_service import Wetread, make_settings, wait_until_settled
from wetread.domain import AnalysisState, StudyUid

_STUDIES = 6
_IMAGES = 2
_SETTLED_S = 100.0
# For a dozen images: the door must not wait for a broker that is away.
_PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A hospital: who sends what, the service between, and the PACS behind."""

    wetread: Wetread
    orthanc: Orthanc
    files: list[Path]

    def analysed(self) -> int:
        """Analyses that have ended."""
        with self.wetread.ledger() as ledger:
            return ledger.views.counts()["analyses"].get(AnalysisState.DONE, 0)


@pytest.fixture
def scene(tmp_path: Path, make_wetread: MakeWetread) -> Iterator[Scene]:
    """The embedded service is not yet running; the PACS is."""
    with _hospital(tmp_path, make_wetread, queue="embedded") as made:
        yield made


@contextmanager
def _hospital(folder: Path, make_wetread: MakeWetread, *, queue: str) -> Iterator[Scene]:
    orthanc = new_orthanc()
    wetread = make_wetread(make_settings(orthanc.destination, queue=queue, quiet_s=0.5))
    films = [
        small_film(f"killed-{study}-{image}", study=f"killed-{study}")
        for study in range(_STUDIES)
        for image in range(_IMAGES)
    ]
    files = [write(film, folder) for film in films]
    with running_orthanc(folder / "orthanc", orthanc, wetread_port=wetread.dicom_port):
        yield Scene(wetread, orthanc, files)


_Moment = Callable[[Scene, SteadySender], bool]
# Twice each: early, and again while the rest is under way.
_MOMENTS: dict[str, tuple[_Moment, _Moment]] = {
    "listen": (lambda _, modality: modality.taken() >= 2, lambda _, modality: modality.taken() >= 7),
    "analyse": (lambda scene, _: scene.analysed() >= 1, lambda scene, _: scene.analysed() >= 5),
    "publish": (lambda scene, _: scene.orthanc.count() >= 1, lambda scene, _: scene.orthanc.count() >= 6),
}


@pytest.mark.parametrize("part", ["listen", "analyse", "publish"])
def test_killed_part_is_started_again_and_every_study_is_answered_once(scene: Scene, part: str) -> None:
    with scene.wetread.running(), sending(scene.wetread.modality, scene.files) as sender:
        killed = []
        for moment in _MOMENTS[part]:
            wait_until(partial(moment, scene, sender), within_s=60, what=f"time to kill {part}")
            killed.append(scene.wetread.kill(part))
        wait_until(sender.is_done, within_s=60, what="everything acknowledged")
        wait_until_settled(scene.wetread, within_s=_SETTLED_S)

        assert not any(map(is_running, killed))
        _assert_every_study_is_answered_once(scene, sender)


def test_whole_tree_killed_and_started_anew_answers_every_study_once(scene: Scene) -> None:
    with sending(scene.wetread.modality, scene.files) as sender:
        with scene.wetread.running():
            wait_until(lambda: scene.orthanc.count() >= 1, within_s=60, what="first result in the PACS")
            scene.wetread.kill_tree()
        with scene.wetread.running():
            wait_until(sender.is_done, within_s=60, what="everything acknowledged")
            wait_until_settled(scene.wetread, within_s=_SETTLED_S)

            _assert_every_study_is_answered_once(scene, sender)


def test_parts_do_not_outlive_a_killed_supervisor(scene: Scene) -> None:
    with scene.wetread.running():
        parts = scene.wetread.parts()

        os.kill(scene.wetread.pid, signal.SIGKILL)

        wait_until(lambda: not any(map(is_running, parts)), within_s=30, what="parts gone")


def test_killed_worker_on_redis_loses_and_doubles_nothing(tmp_path: Path, make_wetread: MakeWetread) -> None:
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis(tmp_path / "redis", new_redis()))
        scene = stack.enter_context(_hospital(tmp_path, make_wetread, queue=redis.url))
        stack.enter_context(scene.wetread.running())
        sender = stack.enter_context(sending(scene.wetread.modality, scene.files))

        wait_until(lambda: scene.analysed() >= 2, within_s=60, what="two analyses done")
        scene.wetread.kill("analyse")
        wait_until(sender.is_done, within_s=60, what="everything acknowledged")
        wait_until_settled(scene.wetread, within_s=_SETTLED_S)

        _assert_every_study_is_answered_once(scene, sender)


def test_redis_that_forgets_everything_costs_seconds_not_cases(
    tmp_path: Path, make_wetread: MakeWetread
) -> None:
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis(tmp_path / "redis", new_redis()))
        scene = stack.enter_context(_hospital(tmp_path, make_wetread, queue=redis.url))
        stack.enter_context(scene.wetread.running())
        worker = scene.wetread.pid_of("analyse")

        # The worker is held while the queue fills, so that there is something to forget.
        os.kill(worker, signal.SIGSTOP)
        sender = _send_all(scene)
        redis.flush()
        os.kill(worker, signal.SIGCONT)
        wait_until_settled(scene.wetread, within_s=_SETTLED_S)

        _assert_every_study_is_answered_once(scene, sender)


def test_redis_that_is_away_stops_no_image_at_the_door(tmp_path: Path, make_wetread: MakeWetread) -> None:
    server = new_redis()
    with ExitStack() as stack:
        scene = stack.enter_context(_hospital(tmp_path, make_wetread, queue=server.url))
        with running_redis(tmp_path / "redis", server):
            stack.enter_context(scene.wetread.running())
        started = time.monotonic()
        sender = _send_all(scene)
        took_s = time.monotonic() - started
        stack.enter_context(running_redis(tmp_path / "redis", server))
        wait_until_settled(scene.wetread, within_s=_SETTLED_S)

        assert took_s < _PATIENCE_S
        _assert_every_study_is_answered_once(scene, sender)


def _send_all(scene: Scene) -> SteadySender:
    sent = storescu(scene.wetread.modality, *scene.files)
    assert [one.status for one in sent] == [0] * len(scene.files)
    return SteadySender(scene.wetread.modality, scene.files, [one.path for one in sent])


def _assert_every_study_is_answered_once(scene: Scene, sender: SteadySender) -> None:
    """Every acknowledged image is in the ledger, and the PACS holds each answer exactly once."""
    expected = {read_uids(path.read_bytes()) for path in sender.acknowledged}
    with scene.wetread.ledger() as ledger:
        lines = {line.study: line for line in ledger.views.worklist(limit=100)}
        known = {
            (study, instance.header.SOPInstanceUID)
            for study in lines
            for instance in ledger.instances.of_study(study)
        }
    # An image that came late, because its door was down, makes a second revision with its own report.
    results = {
        StudyUid(study): Counter({SR_CLASS: lines[StudyUid(study)].revision, CAPTURE_CLASS: _IMAGES})
        for study, _ in expected
    }
    found = {study: Counter[str]() for study in results}
    for held in scene.orthanc.held():
        found[StudyUid(held.StudyInstanceUID)][held.SOPClassUID] += 1

    assert len(expected) == _STUDIES * _IMAGES
    assert known == expected
    assert {line.state for line in lines.values()} == {"concluded"}
    assert found == results
