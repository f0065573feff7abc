"""What a storage status means for a delivery, whether it came by C-STORE or in a STOW-RS answer."""

from __future__ import annotations

from wetread.errors import ClassNotTaken, NotTakenYet, Refused

# PS3.7 annex C: the peer knows the class and does not take it.
_CLASS_NOT_SUPPORTED = 0x0122
# PS3.7 annex C: duplicate SOP instance means that it is there.
_DUPLICATE = 0x0111


def judge(status: int) -> str:
    """The status as `0x0000` when the object was taken, warnings included.

    Raises ClassNotTaken, Refused, or NotTakenYet when the destination may take it later.
    Source: PS3.4 table B.2-1, PS3.7 annex C, PS3.18 table I.2-2.
    """
    text = f"0x{status:04X}"
    if status in {0x0000, _DUPLICATE} or status & 0xF000 == 0xB000:
        return text
    if status & 0xFF00 == 0xA700:
        raise NotTakenYet(f"the destination is out of resources ({text})", code=text)
    if status == _CLASS_NOT_SUPPORTED:
        raise ClassNotTaken(f"the destination does not take this SOP class ({text})", code=text)
    raise Refused(f"the destination refused the object ({text})", code=text)
