from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundles import PUBLIC_KEY
from wetread.config import PROJECT_KEY, find_config, load_settings
from wetread.domain import ObjectKind
from wetread.errors import Misconfigured


def test_defaults_listen_on_loopback_and_need_nothing(home: Path) -> None:
    settings = load_settings()

    assert (settings.dicom.host, settings.dicom.port, settings.dicom.ae_title) == (
        "127.0.0.1",
        11112,
        "WETREAD",
    )
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert settings.queue.url == "embedded"
    assert settings.study.quiet_s == 3.0
    assert settings.ledger_url == f"sqlite:///{home / 'ledger.db'}"
    assert settings.spool_folder == home / "spool"
    assert settings.destinations == ()


def test_the_file_in_the_home_is_read_and_the_environment_is_stronger(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "wetread.toml").write_text('[dicom]\nport = 104\nae_title = "FROMFILE"\n')
    monkeypatch.setenv("WETREAD_DICOM__AE_TITLE", "FROMENV")

    settings = load_settings()

    assert (settings.dicom.port, settings.dicom.ae_title) == (104, "FROMENV")


def test_the_file_may_be_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "other.toml").write_text("[http]\nport = 9000\n")
    monkeypatch.setenv("WETREAD_CONFIG", str(home / "other.toml"))

    assert load_settings().http.port == 9000


def test_bundles_must_be_signed_by_the_project_unless_settings_say_otherwise(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = load_settings().models
    monkeypatch.setenv("WETREAD_MODELS__TRUSTED_KEYS", f'["{PUBLIC_KEY}"]')
    (home / "wetread.toml").write_text("[models]\nallow_unsigned = true\n")

    changed = load_settings().models

    assert (default.trusted_keys, default.allow_unsigned) == ((PROJECT_KEY,), False)
    assert (changed.trusted_keys, changed.allow_unsigned) == ((PUBLIC_KEY,), True)


@pytest.mark.parametrize(("key", "says"), [("no base64!", "not base64"), ("AAAA", "32 bytes")])
def test_a_trusted_key_that_is_no_key_is_one_clear_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, key: str, says: str
) -> None:
    monkeypatch.setenv("WETREAD_MODELS__TRUSTED_KEYS", f'["{key}"]')

    with pytest.raises(Misconfigured, match=says) as caught:
        load_settings()

    assert str(caught.value).startswith("setting models.trusted_keys.0: ")


def test_destinations_come_from_the_file_or_as_json_from_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "wetread.toml").write_text(
        '[[destinations]]\nname = "pacs"\nport = 104\nae_title = "PACS"\nobjects = ["sr"]\n'
    )
    from_file = load_settings().destinations
    monkeypatch.setenv(
        "WETREAD_DESTINATIONS",
        '[{"name": "orthanc", "host": "orthanc", "port": 4242, "ae_title": "ORTHANC"}]',
    )
    from_environment = load_settings().destinations

    assert from_file[0].to_domain().objects == (ObjectKind.STRUCTURED_REPORT,)
    assert from_environment[0].to_domain().objects == (ObjectKind.CAPTURE, ObjectKind.STRUCTURED_REPORT)
    assert [(item.name, item.host, item.port) for item in from_environment] == [("orthanc", "orthanc", 4242)]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WETREAD_DICOM__PORT", "0", "dicom.port"),
        ("WETREAD_DICOM__PORT", "http", "dicom.port"),
        ("WETREAD_DICOM__AE_TITLE", "SEVENTEEN_LETTERS", "dicom.ae_title"),
        ("WETREAD_DICOM__AE_TITLE", "BACK\\SLASH", "dicom.ae_title"),
        ("WETREAD_DICOM__AE_TITLE", "  ", "dicom.ae_title"),
        ("WETREAD_DICOM__PORTT", "104", "dicom.portt"),
        ("WETREAD_DICM__PORT", "104", "WETREAD_DICM__PORT"),
        ("WETREAD_QUEUE__URL", "amqp://rabbit", "queue.url"),
        ("WETREAD_SPOOL__URL", "s3://bucket", "spool.url"),
        ("WETREAD_STUDY__QUIET_S", "-1", "study.quiet_s"),
        ("WETREAD_DESTINATIONS", "not json", "destinations"),
        (
            "WETREAD_DESTINATIONS",
            '[{"name": "a", "port": 104, "ae_title": "A", "tls": true}]',
            "destinations.0.tls",
        ),
        ("WETREAD_LOG__LEVEL", "LOUD", "log.level"),
        ("WETREAD_CONFIG", "/no/such/file.toml", "WETREAD_CONFIG"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(Misconfigured) as raised:
        load_settings()

    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[dicom\nport = 1", "wetread.toml"),
        ("[dicom]\nport = 0", "dicom.port"),
        ("[nonsense]\nkey = 1", "nonsense"),
        ("port = 104", "port"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_place(home: Path, text: str, says: str) -> None:
    (home / "wetread.toml").write_text(text)

    with pytest.raises(Misconfigured) as raised:
        load_settings()

    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_two_destinations_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = '{"name": "pacs", "port": 104, "ae_title": "PACS"}'
    monkeypatch.setenv("WETREAD_DESTINATIONS", f"[{one}, {one}]")

    with pytest.raises(Misconfigured, match="pacs"):
        load_settings()


def test_secrets_show_neither_in_a_repr_nor_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WETREAD_LEDGER__URL", "postgresql+psycopg://wetread:ledger-hunter2@db/wetread")
    monkeypatch.setenv("WETREAD_QUEUE__URL", "redis://:queue-hunter2@redis:6379/0")
    settings = load_settings()
    monkeypatch.setenv("WETREAD_QUEUE__URL", "redys://:queue-hunter2@redis:6379/0")

    with pytest.raises(Misconfigured) as raised:
        load_settings()

    assert "hunter2" not in repr(settings) + str(settings) + str(raised.value)
    assert "ledger-hunter2" in settings.ledger_url


def test_settings_cannot_be_changed_after_they_were_read() -> None:
    settings = load_settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.dicom.port = 1  # type: ignore[misc]  # that is the test


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("WETREAD_HOEM", "/x", "WETREAD_HOEM: there is no setting 'hoem'"),
        ("WETREAD_DICOM__PROT", "104", "unknown setting dicom.prot"),
        (
            "WETREAD_DICOM__AE_TITLE",
            "  ",
            "setting dicom.ae_title: an AE title has 1 to 16 printable ASCII characters and no backslash",
        ),
    ],
)
def test_the_line_is_said_in_our_own_words(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(Misconfigured) as raised:
        load_settings()

    assert str(raised.value) == line


def test_names_that_are_not_settings_of_the_service_are_left_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WETREAD_TEST_DATA", "/data")

    assert load_settings().home == home


def test_the_file_that_was_read_can_be_named(home: Path) -> None:
    before = find_config()
    (home / "wetread.toml").write_text("[http]\nport = 9000\n")

    assert (before, find_config()) == (None, home / "wetread.toml")
