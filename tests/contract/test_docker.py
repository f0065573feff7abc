"""The container files say nothing that the program does not know. Not run: see docker/README.md."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import find_tool, need
from wetread.cli import make_parser
from wetread.config import Settings, load_settings
from wetread.domain import Profile

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
TARGETS = ("cpu", "gpu")
STANDARD_IMAGES = {"redis", "orthanc"}


@pytest.fixture(scope="module")
def compose() -> dict[str, dict[str, dict[str, object]]]:
    need(importlib.util.find_spec("yaml") is not None, "PyYAML")
    import yaml

    text = (ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8")
    parsed: dict[str, dict[str, dict[str, object]]] = yaml.safe_load(text)
    return parsed


def stage(target: str) -> str:
    """The instructions of one build stage, its continuation lines joined."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE)
    [found] = re.findall(rf"^FROM \S+ AS {target}\n(.*?)(?=^FROM |\Z)", text, flags=re.M | re.S)
    return str(found)


def instruction(target: str, name: str) -> str:
    [found] = re.findall(rf"^{name} (.*)$", stage(target), flags=re.M)
    return str(found)


def environment_of(target: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in instruction(target, "ENV").split())


def words_of(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(word) for word in value]


def known_settings() -> set[str]:
    """Every name that the environment may hold, as `WETREAD_<SECTION>__<KEY>`."""
    names = {"WETREAD_HOME", "WETREAD_CONFIG", "WETREAD_DESTINATIONS"}
    for section, field in Settings.model_fields.items():
        for key in getattr(field.annotation, "model_fields", {}):
            names.add(f"WETREAD_{section}__{key}".upper())
    return names


def load_from(environment: Mapping[str, object], home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment.items():
        if name.startswith("WETREAD_"):
            monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("WETREAD_HOME", str(home))
    return load_settings()


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_a_verb_that_exists_as_an_ordinary_user(target: str) -> None:
    entry = json.loads(instruction(target, "ENTRYPOINT"))
    command = json.loads(instruction(target, "CMD"))

    assert entry == ["python", "-m", "wetread"]
    assert make_parser().parse_args(command)
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", instruction(target, "USER"))
    assert stage(target).index("USER") < stage(target).index("ENTRYPOINT")


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_sets_only_settings_that_exist(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = environment_of(target)

    settings = load_from(environment, tmp_path, monkeypatch)

    assert {name for name in environment if name.startswith("WETREAD_")} <= known_settings()
    assert settings.dicom.host == settings.http.host == "0.0.0.0"
    assert set(instruction(target, "EXPOSE").split()) == {str(settings.dicom.port), str(settings.http.port)}


def test_both_images_are_the_same_but_for_their_ground() -> None:
    cpu, gpu = stage("cpu").replace("cpu-dependencies", "X"), stage("gpu").replace("gpu-dependencies", "X")

    assert re.sub(r"^#.*\n", "", cpu, flags=re.M).strip() == gpu.strip()


def test_the_health_check_asks_a_path_that_the_program_serves() -> None:
    [url] = re.findall(r"http://127\.0\.0\.1:8080(/\w+)", stage("cpu"))
    served = "".join(path.read_text("utf-8") for path in (ROOT / "service/wetread/api").rglob("*.py"))

    assert f'"{url}"' in served


def test_every_dependency_is_installed_by_its_hash() -> None:
    installs = re.findall(r"pip install[^&\n]*", re.sub(r"\\\n\s*", "", DOCKERFILE))

    assert len(installs) == 4
    assert all(
        "--require-hashes" in install or "--constraint requirements.lock" in install for install in installs
    )
    assert "--hash=sha256:" in (ROOT / "docker" / "uv.lock").read_text(encoding="utf-8")


def test_every_file_that_is_copied_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, flags=re.M)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()

    sources = [source for line in copied for source in line.split()]
    assert all((ROOT / source).exists() for source in sources)
    assert {source.split("/")[0] for source in sources}.isdisjoint(ignored)
    assert "models/training" in ignored


def test_no_image_holds_tools_with_known_holes() -> None:
    assert re.findall(r"dcmtk|gdcm|\bonnx\b", DOCKERFILE) == []


def test_every_door_of_the_compose_file_is_a_verb_that_parses(
    compose: dict[str, dict[str, dict[str, object]]],
) -> None:
    services = compose["services"]
    doors = [name for name in services if name not in STANDARD_IMAGES]

    parsed = {name: make_parser().parse_args(words_of(services[name]["command"])) for name in doors}

    assert {"listen", "analyse", "publish", "api"} <= set(parsed)
    assert (parsed["analyse"].role, parsed["publish"].role) == ("analyse", "publish")


def test_the_compose_file_gives_every_door_the_same_settings_and_all_exist(
    compose: dict[str, dict[str, dict[str, object]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = compose["services"]
    environments = [services[name]["environment"] for name in services if name not in STANDARD_IMAGES]
    assert all(environment == environments[0] for environment in environments)
    environment = environments[0]
    assert isinstance(environment, dict)

    settings = load_from(environment, tmp_path, monkeypatch)

    assert set(environment) <= known_settings()
    assert settings.queue.url.startswith("redis://redis:")
    [destination] = settings.destinations
    orthanc = json.loads((ROOT / "docker" / "orthanc.json").read_text(encoding="utf-8"))
    assert (destination.host, destination.port) == ("orthanc", orthanc["DicomPort"])
    assert destination.ae_title == orthanc["DicomAet"]


def test_ports_are_published_on_loopback_only(compose: dict[str, dict[str, dict[str, object]]]) -> None:
    ports = [port for service in compose["services"].values() for port in words_of(service.get("ports", []))]

    assert len(ports) >= 3
    assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_doors_can_write_to_their_volume_and_nowhere_else(
    compose: dict[str, dict[str, dict[str, object]]],
) -> None:
    for name, service in compose["services"].items():
        if name in STANDARD_IMAGES:
            continue
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["volumes"] == ["data:/data"]


def test_the_redis_of_the_compose_file_keeps_its_queue(
    compose: dict[str, dict[str, dict[str, object]]],
) -> None:
    command = compose["services"]["redis"]["command"]

    assert isinstance(command, list)
    assert command[command.index("--appendonly") + 1] == "yes"


def test_the_settings_of_a_plain_server_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / "deploy" / "wetread.toml"
    assert tomllib.loads(path.read_text(encoding="utf-8"))

    settings = load_from({"WETREAD_CONFIG": str(path)}, tmp_path, monkeypatch)

    assert settings.destinations[0].name == "pacs"


def test_settings_that_are_left_out_in_the_example_are_settings_and_show_each_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "deploy" / "wetread.toml").read_text(encoding="utf-8")
    path = tmp_path / "all.toml"
    path.write_text(re.sub(r"(?m)^#(?=[a-z\[])", "", text), encoding="utf-8")

    settings = load_from({"WETREAD_CONFIG": str(path)}, tmp_path, monkeypatch)

    assert {item.profile for item in settings.destinations if not item.objects} == set(Profile)
    assert any(item.kind == "dicomweb" for item in settings.destinations)


def test_the_unit_starts_a_verb_with_settings_that_exist() -> None:
    unit = (ROOT / "deploy" / "wetread.service").read_text(encoding="utf-8")
    [command] = re.findall(r"^ExecStart=\S+/wetread (.*)$", unit, flags=re.M)
    names = set(re.findall(r"^Environment=(\w+)=", unit, flags=re.M))

    assert make_parser().parse_args(command.split())
    assert names <= known_settings()


def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    unit = (ROOT / "deploy" / "wetread.service").read_text(encoding="utf-8")
    # The program is not installed here: any program that exists stands in for it.
    (tmp_path / "wetread.service").write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit))
    command = [find_tool("systemd-analyze"), "verify", "--man=no", str(tmp_path / "wetread.service")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert [line for line in done.stderr.splitlines() if "wetread.service" in line] == []
