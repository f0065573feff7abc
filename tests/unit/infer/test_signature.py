"""A bundle is loaded when somebody trusted signed it, else refused in one line that says what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.bundles import KEY, PUBLIC_KEY, TRUST
from wetread.config import PROJECT_KEY
from wetread.errors import Misconfigured
from wetread.infer.bundle import load_bundle
from wetread.infer.seal import seal, sign
from wetread.infer.signature import ANYONE, PROJECT, Trust, key_id, make_key, read_key, to_public

TINY = Path(__file__).parent / "assets" / "tiny" / "1.0.0"
SHIPPED = sorted((Path(__file__).parents[3] / "models").glob("*/*/model.toml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the tiny bundle, signed with the tests' key."""
    copy = tmp_path / "tiny" / "1.0.0"
    shutil.copytree(TINY, copy)
    sign(copy, KEY)
    return copy


def refusal(folder: Path, trust: Trust = TRUST) -> str:
    with pytest.raises(Misconfigured) as caught:
        load_bundle(folder, trust)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_bundle_says_whose_key_signed_it(folder: Path) -> None:
    assert load_bundle(folder, TRUST).signed_by == key_id(PUBLIC_KEY)


@pytest.mark.parametrize("manifest", SHIPPED, ids=lambda path: f"{path.parts[-3]}-{path.parts[-2]}")
def test_shipped_bundles_are_signed_with_the_projects_key(manifest: Path) -> None:
    assert load_bundle(manifest.parent, PROJECT).signed_by == key_id(PROJECT_KEY)


def test_one_of_several_trusted_keys_is_enough(folder: Path) -> None:
    assert load_bundle(folder, Trust((PROJECT_KEY, PUBLIC_KEY))).signed_by == key_id(PUBLIC_KEY)


def test_an_unsigned_bundle_is_refused_and_let_in_when_that_is_allowed(folder: Path) -> None:
    (folder / "model.sig").unlink()

    said = refusal(folder)

    assert "not signed" in said
    assert "models.allow_unsigned" in said
    assert load_bundle(folder, Trust((PUBLIC_KEY,), allow_unsigned=True)).signed_by == ""


@pytest.mark.parametrize("trust", [PROJECT, ANYONE], ids=["strict", "unsigned allowed"])
def test_a_bundle_of_a_key_that_is_not_trusted_is_not_called_unsigned(folder: Path, trust: Trust) -> None:
    said = refusal(folder, trust)

    assert f"signed with key {key_id(PUBLIC_KEY)}, which is not trusted" in said
    assert "models.trusted_keys" in said
    assert "not signed" not in said


@pytest.mark.parametrize("allow_unsigned", [False, True])
def test_an_altered_manifest_is_refused_whatever_is_allowed(folder: Path, allow_unsigned: bool) -> None:
    manifest = folder / "model.toml"
    manifest.write_text(manifest.read_text().replace("specific = 0.6", "specific = 0.7"))

    said = refusal(folder, Trust((PUBLIC_KEY,), allow_unsigned=allow_unsigned))

    assert "model.toml is not what was signed" in said


def test_an_altered_file_is_refused_under_a_good_signature(folder: Path) -> None:
    (folder / "MODEL_CARD.md").write_text("# It finds everything\n")

    assert "MODEL_CARD.md is not the file that [files] describes" in refusal(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"ed25519", b"\xff\xfe", b"ed25519 0011223344556677 AAAA\n", b"-----BEGIN PGP SIGNATURE-----\n"],
    ids=["empty", "cut short", "binary", "too short", "of another sort"],
)
def test_a_garbled_signature_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.sig").write_bytes(content)

    assert "model.sig" in refusal(folder)


def test_a_signature_of_another_bundle_is_refused(folder: Path) -> None:
    other = folder.parent / "1.1.0"
    shutil.copytree(folder, other)
    (other / "model.toml").write_text((other / "model.toml").read_text().replace("1.0.0", "1.1.0"))

    assert "is not what was signed" in refusal(other)


def test_sealing_lists_new_files_keeps_the_authors_words_and_drops_the_signature(folder: Path) -> None:
    manifest = folder / "model.toml"
    manifest.write_text("# mine\n" + manifest.read_text(), encoding="utf-8")
    (folder / "notes").mkdir()
    (folder / "notes" / "why.txt").write_text("because")

    sealed = seal(folder)

    assert set(sealed.manifest.files) == {"MODEL_CARD.md", "model.onnx", "notes/why.txt"}
    assert manifest.read_text().startswith("# mine\n")
    assert not (folder / "model.sig").exists()


def test_sealing_twice_writes_the_same(folder: Path) -> None:
    seal(folder)
    first = (folder / "model.toml").read_bytes()

    seal(folder)

    assert (folder / "model.toml").read_bytes() == first


def test_a_files_table_is_not_needed_and_may_stand_anywhere(folder: Path) -> None:
    manifest = folder / "model.toml"
    text = manifest.read_text()
    head, table = text[: text.index("[files]")], text[text.index("[files]") :]
    manifest.write_text(head.replace("[reads]", f"{table}\n[reads]"))

    sign(folder, KEY)

    assert manifest.read_text() == text
    manifest.write_text(head)
    sign(folder, KEY)
    assert manifest.read_text() == text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title = "Brightest cell"', 'title = """\n[files]\nof a clerk\n"""'),
        ("schema = 2", "schema = 2\nfiles = {}"),
        ("schema = 2", "schema = = 2"),
    ],
    ids=["in a text", "inline", "no TOML"],
)
def test_a_manifest_in_which_files_cannot_be_written_stays_as_it_is(folder: Path, old: str, new: str) -> None:
    manifest = folder / "model.toml"
    text = manifest.read_text().replace(old, new)
    manifest.write_text(text)

    with pytest.raises(Misconfigured, match=r"model\.toml: "):
        seal(folder)

    assert manifest.read_text() == text


def test_a_manifest_that_is_wrong_is_not_signed(folder: Path) -> None:
    manifest = folder / "model.toml"
    manifest.write_text(manifest.read_text().replace("specific = 0.6", "specific = 1.6"))

    with pytest.raises(Misconfigured, match="specific"):
        sign(folder, KEY)

    assert not (folder / "model.sig").exists()


def test_a_new_key_is_for_its_owner_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "my.key"

    key = make_key(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert to_public(read_key(path)) == to_public(key)
    with pytest.raises(Misconfigured, match="File exists"):
        make_key(path)


def test_what_is_no_ed25519_private_key_is_refused(tmp_path: Path) -> None:
    pem = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "other.key").write_bytes(pem)
    (tmp_path / "text.key").write_text("secret")

    with pytest.raises(Misconfigured, match="not an Ed25519 key"):
        read_key(tmp_path / "other.key")
    with pytest.raises(Misconfigured, match="not a private key"):
        read_key(tmp_path / "text.key")
    with pytest.raises(Misconfigured, match="No such file"):
        read_key(tmp_path / "absent.key")


def test_keys_have_different_ids() -> None:
    assert key_id(to_public(Ed25519PrivateKey.generate())) != key_id(PUBLIC_KEY)
