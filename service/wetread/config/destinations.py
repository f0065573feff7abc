"""The settings of the receivers of results."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from wetread.config.values import AeTitle, Port, Section
from wetread.domain import Destination, Hours, ObjectKind, Profile, Tls

_HOURS: Final = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
# The kinds of which every study has one: without them silence could mean anything.
_ANSWERS: Final = frozenset(
    {ObjectKind.CAPTURE, ObjectKind.STRUCTURED_REPORT, ObjectKind.COMPREHENSIVE_REPORT}
)
# RFC 1035 2.3.4.
_LONGEST_HOST: Final = 253
# Longer ago than a week nothing is asked for any more.
_LONGEST_WAIT_S: Final = 7 * 24 * 3600.0
# Objects a minute: a thousand a second limit nothing.
_FASTEST: Final = 60_000
_OF_OTHER_KIND: Final = MappingProxyType(
    {"dicom": ("url", "authorization"), "dicomweb": ("host", "port", "ae_title", "calling_aet")}
)


def _check_host(value: str) -> str:
    if not value.strip() or not value.isprintable() or " " in value or len(value) > _LONGEST_HOST:
        raise ValueError("a host is a name or an address, without blanks")
    try:
        value.encode("idna")
    except UnicodeError as error:
        raise ValueError("no host can have this name") from error
    return value


def _check_url(value: str) -> str:
    parts = urlsplit(value)
    # Reading the port checks it.
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0):
        raise ValueError("a url begins with http:// or https:// and a host")
    if parts.hostname:
        _check_host(parts.hostname)
    if parts.path.rstrip("/").endswith("/studies"):
        raise ValueError("a base url ends before /studies: that is added")
    if "@" in parts.netloc:
        raise ValueError("no user and password in a url: they go into authorization")
    if parts.query or parts.fragment or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("a base url has no query, fragment, blank or special character")
    if parts.path.rstrip("/").endswith("/studies"):
        raise ValueError("a base url ends before /studies")
    return value


def _check_header(value: SecretStr) -> SecretStr:
    # RFC 9110 5.5: anything else would end the header and begin another.
    if not value.get_secret_value().isascii() or not value.get_secret_value().isprintable():
        raise ValueError("a header value is one line of printable ASCII characters")
    return value


Host = Annotated[str, AfterValidator(_check_host)]
Url = Annotated[str, AfterValidator(_check_url)]


class TlsSettings(Section):
    """TLS to a destination, PEM files. `ca` empty: the system's authorities. The others: our own identity."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    check_host: bool = True


class DestinationSettings(Section):
    """A receiver of results: `dicom` (C-STORE to `host`, `port`, `ae_title`) or `dicomweb` (STOW-RS, `url`).

    `profile` says what it gets, or `objects` kind by kind; `report` in which SOP class the report goes.
    `commitment` waits for storage commitment (DICOM), or asks whether the object is there (DICOMweb).
    `authorization` is a whole header value, such as `Bearer ...`. At most `per_minute` objects go out, in
    `hours`, local times such as `22:00-06:00`; 0 and empty for no limit.
    """

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")
    kind: Literal["dicom", "dicomweb"] = "dicom"
    host: Host = "127.0.0.1"
    port: Port | None = None
    ae_title: AeTitle | None = None
    calling_aet: AeTitle | None = None
    url: Url = ""
    authorization: Annotated[SecretStr, AfterValidator(_check_header)] = SecretStr("")
    tls: TlsSettings | None = None
    profile: Profile = Profile.REPORTS
    objects: tuple[ObjectKind, ...] = ()
    report: Literal["comprehensive-3d", "comprehensive"] = "comprehensive-3d"
    commitment: bool = False
    commitment_wait_s: float = Field(600.0, gt=0, le=_LONGEST_WAIT_S, allow_inf_nan=False)
    per_minute: int = Field(0, ge=0, le=_FASTEST)
    hours: tuple[Annotated[str, Field(pattern=_HOURS)], ...] = ()

    @model_validator(mode="after")
    def _check(self) -> DestinationSettings:
        for problem in (self._misses(), self._has_foreign(), self._tls_problem(), self._kinds_problem()):
            if problem:
                raise ValueError(f"destination {self.name!r}: {problem}")
        return self

    def _misses(self) -> str:
        if self.kind == "dicom" and (self.port is None or self.ae_title is None):
            return "a DICOM destination needs port and ae_title"
        if self.kind == "dicomweb" and not self.url:
            return "a DICOMweb destination needs url"
        return ""

    def _has_foreign(self) -> str:
        foreign = [name for name in _OF_OTHER_KIND[self.kind] if name in self.model_fields_set]
        return f"{foreign[0]} is not for the kind {self.kind}" if foreign else ""

    def _tls_problem(self) -> str:
        if self.tls is None:
            return ""
        if self.url.startswith("http:"):
            return "tls needs a url that begins with https"
        if (self.tls.certificate is None) != (self.tls.key is None):
            return "tls.certificate and tls.key go together"
        return ""

    def _kinds_problem(self) -> str:
        if "objects" not in self.model_fields_set:
            return ""
        if "profile" in self.model_fields_set:
            return "give profile or objects, not both"
        # The others are made only where something was found, or say nothing by themselves.
        return "" if _ANSWERS & set(self.objects) else f"objects needs one of {', '.join(sorted(_ANSWERS))}"

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.url or f"{self.ae_title} at {self.host}:{self.port}"

    def to_domain(self) -> Destination:
        """The same as the noun the rooms share."""
        return Destination(
            name=self.name,
            kind=self.kind,
            host=self.host,
            port=self.port or 0,
            ae_title=self.ae_title or "",
            objects=self._kinds(),
            calling_aet=self.calling_aet or "",
            url=self.url.rstrip("/"),
            authorization=self.authorization.get_secret_value(),
            tls=Tls(self.tls.ca, self.tls.certificate, self.tls.key, self.tls.check_host)
            if self.tls
            else None,
            commits=self.commitment,
            commit_wait_s=self.commitment_wait_s,
            per_minute=self.per_minute,
            hours=tuple(_to_hours(text) for text in self.hours),
        )

    def _kinds(self) -> tuple[ObjectKind, ...]:
        kinds = self.objects or self.profile.kinds
        if self.report == "comprehensive-3d":
            return kinds
        form = {ObjectKind.STRUCTURED_REPORT: ObjectKind.COMPREHENSIVE_REPORT}
        return tuple(form.get(kind, kind) for kind in kinds)


def _to_hours(text: str) -> Hours:
    start, end = (60 * int(part[:2]) + int(part[3:]) for part in text.split("-"))
    return Hours(start, end)
