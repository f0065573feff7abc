"""Three families of failure, and the named members a door translates into an answer."""


class WetreadError(Exception):
    """Anything Wetread raises on purpose. `code` is stable and safe to show to a peer."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class Rejected(WetreadError):
    """This input will never work: tell the sender and keep a record."""

    code = "rejected"


class Unreadable(Rejected):
    """The bytes are not a DICOM object that can be parsed."""

    code = "unreadable"


class Undecodable(Rejected):
    """The header parses, the pixels cannot be decoded to an image that may be trusted."""

    code = "undecodable"


class Mismatch(Rejected):
    """The request and the object it carries disagree (SOP class, UID)."""

    code = "mismatch"


class Unsupported(Rejected):
    """A class or syntax that is known and not taken here."""

    code = "unsupported"


class InvalidObject(Rejected):
    """A result object failed the gate and must not leave."""

    code = "invalid_object"


class Refused(Rejected):
    """A destination answered that it will not take this object."""

    code = "refused"


class ClassNotTaken(Refused):
    """A destination takes no object of this SOP class: a plainer one may go instead.

    `untaken` are all SOP classes that it is known not to take.
    """

    code = "class_not_taken"

    def __init__(
        self, message: str, *, code: str | None = None, untaken: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(message, code=code)
        self.untaken = untaken


class NotOffered(Refused):
    """A destination does not offer the service that was asked of it."""

    code = "not_offered"


class NotFound(Rejected):
    """No such study, object or model here."""

    code = "not_found"


class Transient(WetreadError):
    """The same call may work later: not before `wait_s` seconds, where the peer says so."""

    code = "transient"

    def __init__(self, message: str, *, code: str | None = None, wait_s: float = 0.0) -> None:
        super().__init__(message, code=code)
        self.wait_s = wait_s


class OutOfSpace(Transient):
    """The disk is full or above its watermark."""

    code = "out_of_space"


class Unreachable(Transient):
    """A destination or broker did not answer."""

    code = "unreachable"


class NotTakenYet(Unreachable):
    """A destination was reached and has not taken this object; it may take another."""

    code = "not_taken_yet"


class InferenceFailed(Transient):
    """The network's run broke: out of memory, say. Tried again, but not for ever."""

    code = "inference_failed"


class Misconfigured(WetreadError):
    """A setting is wrong: do not start."""

    code = "misconfigured"
