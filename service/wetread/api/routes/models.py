"""What runs here, and its card."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from wetread.api.access import require_access
from wetread.api.cases import to_code_out, to_points_out
from wetread.api.parts import Parts
from wetread.api.problems import responses
from wetread.api.schemas import ModelFindingOut, ModelOut, ModelsOut, ModelWithCard
from wetread.errors import NotFound
from wetread.infer.bundle import Bundle
from wetread.infer.manifest import FindingSpec

ModelName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64, examples=["fracture"])]


def make_router() -> APIRouter:
    """Routes under /api/v1/models."""
    router = APIRouter(prefix="/api/v1", tags=["models"], dependencies=[Depends(require_access)])
    router.add_api_route("/models", get_models, response_model=ModelsOut, responses=responses(401))
    router.add_api_route(
        "/models/{name}", get_model, response_model=ModelWithCard, responses=responses(401, 404, 422)
    )
    return router


def get_models(parts: Parts) -> ModelsOut:
    """Every model, with what it may read and its operating points."""
    return ModelsOut(items=[to_model_out(bundle) for bundle in parts.bundles])


def get_model(parts: Parts, name: ModelName) -> ModelWithCard:
    """One model with its card."""
    for bundle in parts.bundles:
        if bundle.id.name == name:
            return to_model_with_card(bundle)
    raise NotFound("no such model here")


def to_model_with_card(bundle: Bundle) -> ModelWithCard:
    """A bundle with its card, which is read now."""
    card = bundle.card_path.read_text(encoding="utf-8")
    return ModelWithCard(**dict(to_model_out(bundle)), card=card)


def to_model_out(bundle: Bundle) -> ModelOut:
    """A bundle as its manifest describes it."""
    manifest, reads = bundle.manifest, bundle.manifest.reads
    return ModelOut(
        name=bundle.id.name,
        version=bundle.id.version,
        digest=bundle.id.digest,
        kind=manifest.output.kind,
        signed_by=bundle.signed_by,
        title=manifest.title,
        intended_use=manifest.intended_use,
        licence=manifest.licence,
        device_uid=manifest.device_uid,
        findings=[_to_finding(spec) for spec in manifest.findings],
        modalities=list(reads.modalities),
        body_parts=list(reads.body_parts),
        views=list(reads.views),
        pictures=list(reads.pictures),
        least_age_years=reads.least_age_years,
        most_age_years=reads.most_age_years,
        least_rows=reads.least_rows,
        least_columns=reads.least_columns,
    )


def _to_finding(spec: FindingSpec) -> ModelFindingOut:
    return ModelFindingOut(
        label=spec.label,
        code=to_code_out(spec.code.to_code()),
        operating_points=to_points_out(spec.operating_points.to_operating_points()),
    )
