"""Decide, from the header alone, which models read an image; every "no" has a reason."""

from __future__ import annotations

from dataclasses import dataclass

from wetread.domain import ImageHeader


@dataclass(frozen=True, slots=True)
class Scope:
    """What one model may read; empty collections and None mean no limit."""

    modalities: frozenset[str]
    sop_classes: frozenset[str]
    body_parts: frozenset[str]
    views: frozenset[str]
    least_age_years: float | None
    most_age_years: float | None
    least_rows: int
    least_columns: int


@dataclass(frozen=True, slots=True)
class No:
    """Why a model does not read an image: a stable code and the sentence a person reads."""

    reason: str
    text: str


def why_not(header: ImageHeader, scope: Scope) -> No | None:
    """The first thing that keeps a model from reading this image; None when it may.

    Order: what the object is, then what it shows, then how good it is.
    """
    return _wrong_object(header, scope) or _wrong_subject(header, scope) or _wrong_pixels(header, scope)


def _wrong_object(header: ImageHeader, scope: Scope) -> No | None:
    if header.Modality not in scope.modalities:
        return No("modality_out_of_scope", f"modality {header.Modality or 'not stated'} is not read")
    if not header.is_presentation:
        return No("raw_detector_data", "image for processing: raw detector data is not read")
    if header.SOPClassUID not in scope.sop_classes:
        return No("sop_class_out_of_scope", "objects of this SOP class are not read")
    if not header.has_pixel_data:
        return No("pixels_missing", "the object has no pixel data")
    return None


def _wrong_subject(header: ImageHeader, scope: Scope) -> No | None:
    if not header.is_human:
        return No("not_human", "the image is not of a human")
    if scope.body_parts and not header.body_part:
        return No("body_part_unknown", "the header does not say which body part is shown")
    if scope.body_parts and header.body_part not in scope.body_parts:
        return No("body_part_out_of_scope", f"body part {header.body_part} is not read by this model")
    if scope.views and header.view and header.view not in scope.views:
        return No("view_out_of_scope", f"view {header.view} is not read by this model")
    return _wrong_age(header.age_years, scope)


def _wrong_age(age_years: float | None, scope: Scope) -> No | None:
    if age_years is None:
        return None
    if scope.least_age_years is not None and age_years < scope.least_age_years:
        return No("age_out_of_scope", f"patients under {scope.least_age_years:g} years are not read")
    if scope.most_age_years is not None and age_years > scope.most_age_years:
        return No("age_out_of_scope", f"patients over {scope.most_age_years:g} years are not read")
    return None


def _wrong_pixels(header: ImageHeader, scope: Scope) -> No | None:
    if header.frames > 1:
        return No("multi_frame", "images of several frames are not read")
    if header.SamplesPerPixel != 1 or not header.PhotometricInterpretation.startswith("MONOCHROME"):
        return No("colour", "colour images are not read")
    if header.Rows < scope.least_rows or header.Columns < scope.least_columns:
        return No(
            "too_small",
            f"{header.Columns} x {header.Rows} pixels: at least {scope.least_columns} x {scope.least_rows}"
            " are needed",
        )
    return None
