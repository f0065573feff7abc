"""Train one model: `python -m training.train SETTINGS.toml --data FOLDER --run FOLDER`.

Stopped at any moment, the same command goes on from the last checkpoint. Samples are drawn by
step number from the seed, so a resumed run sees what an unbroken one would have seen.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.dataset import data_digest, groups_of, hold_out, load_split, side_size
from training.losses import loss_of
from training.network import LesionNet, load_imagenet
from training.phantoms import phantom_samples
from training.progress import Progress, bar
from training.record import describe_surroundings
from training.sampling import Sampler
from training.scoring import score
from training.settings import Phase, TrainingSettings, load_settings

SAVE_EVERY = 50
AverageStep = Callable[[list[torch.Tensor], list[torch.Tensor], torch.Tensor], None]


class Run:
    """Network, averaged weights, optimiser and clock of one training run, kept in `folder`."""

    def __init__(self, settings: TrainingSettings, folder: Path, *, device: str = "cpu") -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.folder, self.device = settings, folder, torch.device(device)
        network = LesionNet(backbone=settings.backbone, side_targets=side_size(settings.task))
        if settings.start == "imagenet":
            load_imagenet(network, settings.backbone)
        self.network = network.to(self.device, memory_format=torch.channels_last)
        self.averaged = AveragedModel(
            self.network, multi_avg_fn=_average_with(settings.average_decay), use_buffers=True
        )
        self.optimiser = torch.optim.AdamW(
            _parameter_groups(self.network, settings.backbone_rate), weight_decay=settings.weight_decay
        )
        self.phase, self.step, self.seconds = 0, 0, 0.0
        self.curve: list[dict[str, float | str]] = []
        self.starts: list[dict[str, object]] = []

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def save(self) -> None:
        """Write the checkpoint beside the old one, then rename: a kill leaves one of both whole."""
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "place": (self.phase, self.step, self.seconds),
            "curve": self.curve,
            "starts": self.starts,
        }
        partial = self.checkpoint.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def resume(self) -> None:
        """Take up the last checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, weights_only=True, map_location=self.device)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.phase, self.step, self.seconds = state["place"]
        self.curve, self.starts = list(state["curve"]), list(state["starts"])


def _parameter_groups(network: LesionNet, backbone_rate: float) -> list[dict[str, object]]:
    """Backbone and the rest, each with its share of the learning rate."""
    backbone = list(network.backbone.parameters())
    known = {id(parameter) for parameter in backbone}
    rest = [parameter for parameter in network.parameters() if id(parameter) not in known]
    return [{"params": backbone, "share": backbone_rate}, {"params": rest, "share": 1.0}]


def _average_with(largest_decay: float) -> AverageStep:
    """Exponential average with a rising decay, or the first, random weights would linger in it."""

    @torch.no_grad()
    def average(averaged: list[torch.Tensor], current: list[torch.Tensor], updates: torch.Tensor) -> None:
        count = float(updates)
        decay = min(largest_decay, (1.0 + count) / (10.0 + count))
        get_ema_multi_avg_fn(decay)(averaged, current, updates)

    return average


def learning_rate(phase: Phase, step: int) -> float:
    """One cycle: a short linear rise, then a cosine to nearly zero (Smith and Topin 2017)."""
    rise = max(1, phase.steps // 12)
    if step < rise:
        return phase.peak_learning_rate * (0.1 + 0.9 * step / rise)
    progress = (step - rise) / max(1, phase.steps - rise)
    return phase.peak_learning_rate * max(0.01, 0.5 * (1 + math.cos(math.pi * progress)))


def train_phase(run: Run, phase: Phase, sampler: Sampler) -> None:
    """Walk one phase from wherever the run stands in it."""
    run.network.train()
    with bar(phase.steps, phase.name, done=run.step) as progress:
        while run.step < phase.steps:
            _take_steps(run, phase, sampler, progress)


def _take_steps(run: Run, phase: Phase, sampler: Sampler, progress: Progress) -> None:
    """The steps up to the next checkpoint, and that checkpoint."""
    began, losses = time.monotonic(), []
    for _ in range(min(SAVE_EVERY, phase.steps - run.step)):
        for group in run.optimiser.param_groups:
            group["lr"] = learning_rate(phase, run.step) * group["share"]
        batch = sampler.batch(run.phase, run.step).to(run.device)
        loss = loss_of(run.network(batch.images), batch.targets, run.settings)
        run.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(run.network.parameters(), 2.0)
        run.optimiser.step()
        run.averaged.update_parameters(run.network)
        run.step += 1
        losses.append(float(loss.detach()))
        progress.step(losses[-1])
    run.seconds += time.monotonic() - began
    run.curve.append({"phase": phase.name, "step": run.step, "loss": sum(losses) / len(losses)})
    run.save()


def validate(run: Run, phase: Phase, sampler: Sampler) -> None:
    """Score the averaged weights on the held-out fold, whole frames as the service prepares them."""
    run.averaged.eval()
    figures = score(run.averaged.module, sampler.held, run.settings)
    print(f"{phase.name} {run.step}/{phase.steps} held-out fold: {figures}", flush=True)
    run.curve.append({"phase": phase.name, "step": run.step, **figures})
    run.save()


def train(settings: TrainingSettings, data: Path, folder: Path, *, device: str = "cpu") -> None:
    """Run all phases, then write `record.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    root = data / settings.task
    samples = load_split(root, settings.task, "train", stored_size=settings.stored_size)
    weak = (
        load_split(root, settings.task, "train_weak", stored_size=settings.stored_size)
        if settings.weak_share
        else []
    )
    # Without weak films too, so that runs with and without them are scored on the same fold.
    met = groups_of(root, "train_weak")
    kept, held = hold_out(samples, folds=settings.folds, seed=settings.seed, met=met)
    first = settings.phantom_first_seed
    seeds = range(first, first + settings.phantoms)
    phantoms = list(phantom_samples(settings.task, seeds, stored_size=settings.stored_size))
    run = Run(settings, folder, device=device)
    run.resume()
    while run.phase < len(settings.phases):
        phase = settings.phases[run.phase]
        sampler = Sampler(settings, phase, kept=kept, held=held, weak=weak, phantoms=phantoms)
        run.starts.append(
            {
                "step": run.step,
                "seconds": round(run.seconds),
                "map_weight": settings.map_weight,
                "box_weight": settings.box_weight,
                "average_decay": settings.average_decay,
                "phase": asdict(phase),
            }
        )
        train_phase(run, phase, sampler)
        validate(run, phase, sampler)
        run.phase, run.step = run.phase + 1, 0
        run.save()
    write_record(
        run,
        digest=data_digest(samples + weak),
        counts={"train": len(kept), "held_out": len(held), "weak": len(weak)},
    )


def write_record(run: Run, *, digest: str, counts: dict[str, int]) -> None:
    """What made these weights: data, settings, versions, seconds, learning curve."""
    record = {
        "settings": asdict(run.settings),
        # Every start and resumption with the settings it went on with: they may differ from the above.
        "starts": run.starts,
        "data_sha256": digest,
        "images": counts,
        "seconds": round(run.seconds),
        **describe_surroundings(),
        "device": str(run.device),
        "threads": torch.get_num_threads(),
        "curve": run.curve,
    }
    (run.folder / "record.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path, help="for instance training/fracture.toml")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds `chest` and `fracture`")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: checkpoint and record")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    train(load_settings(given.settings), given.data, given.run, device=given.device)


if __name__ == "__main__":
    main()
