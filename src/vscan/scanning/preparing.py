"""A scan made ready from its settings: what they name is loaded, what is measured is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vscan.provenance import followed, precision_of, provenance_of
from vscan.readiness import configuration_notes, model_notes, unscored_warnings
from vscan.sampling import Plan, parse_sampling
from vscan.scanning.elsewhere import absolute
from vscan.scanning.loaded import Loaded, load_named
from vscan.scanning.models_used import model_for, prompt_scorer
from vscan.scanning.prepared import Prepared, Spread
from vscan.scanning.spreading import cluster_for, reading_actors
from vscan.settings import KEPT_SIGNALS, SIGNALS, ScanSettings

if TYPE_CHECKING:
    from vscan.embeddings.loading import LoadingEncoder
    from vscan.engines.ray_cluster import Cluster
    from vscan.keeping import Keeper
    from vscan.matching.prompt_scores import PromptScorer
    from vscan.recipe import Recipe


def prepare(settings: ScanSettings) -> Prepared:
    """Load pack, indexes and model, and settle what is measured.

    Raises UsageError (PackError, ExemplarIndexError, ModelError, SamplingError) where one of them
    cannot be used.
    """
    from vscan.exemplars.writer import utc_now

    plan = parse_sampling(settings.sampling, settings.max_gap_s)
    loaded = load_named(settings, utc_now())
    if settings.engine == "local":
        return _prepared(settings, plan, loaded, None)
    cluster = cluster_for(settings)
    try:
        return _prepared(absolute(settings), plan, loaded, cluster)
    except BaseException:
        cluster.close()
        raise


def _prepared(
    settings: ScanSettings, plan: Plan, loaded: Loaded, cluster: Cluster | None
) -> Prepared:
    from vscan.recipe import Recipe
    from vscan.rules import Rules

    pack, indexes, judged = loaded.pack, loaded.indexes, loaded.judged
    measured = judged
    if settings.store is not None and settings.signals is None:
        measured = tuple(each for each in SIGNALS if each in judged or each in KEPT_SIGNALS)
    encoder: LoadingEncoder | None = None
    scorer: PromptScorer | None = None
    if "embedding" in measured:
        compute = None if cluster is None else cluster.compute(settings.device, settings.precision)
        encoder = model_for(pack, settings, compute)
    models = [encoder.fingerprint] if encoder is not None and "embedding" in judged else []
    notes = configuration_notes(pack, indexes, judged, models)
    if encoder is not None and "embedding" in judged:
        for index in indexes:
            index.require_model(encoder.fingerprint)
        scorer = prompt_scorer(pack, encoder if cluster is None else encoder.for_texts())
        notes += model_notes(pack, encoder)
    recipe = Recipe(
        plan=plan,
        signals=measured,
        image=encoder.image_spec if encoder else None,
        model=encoder.fingerprint if encoder else None,
        precision=precision_of(encoder) if encoder else None,
        decode=settings.decode,
        rules=followed(pack, indexes, judged, loaded.now),
    )
    provenance = provenance_of(
        pack,
        recipe.sampling,
        judged,
        indexes,
        now=loaded.now,
        model=recipe.model if "embedding" in judged else None,
        precision=recipe.precision if "embedding" in judged else None,
    )
    rules = Rules(
        pack=pack,
        scorer=scorer,
        indexes=indexes,
        provenance=provenance,
        warnings=unscored_warnings(pack, judged),
        signals=judged,
    )
    keeper = _keeper(settings, recipe)
    spread = None if cluster is None else Spread(cluster, settings, loaded.now)
    return Prepared(
        recipe=recipe,
        rules=rules,
        encoder=encoder,
        workers=reading_actors(settings, cluster),
        limits=settings.read_limits,
        notes=notes,
        flood_share=settings.flood_share,
        keeper=keeper,
        loading=encoder,
        spread=spread,
        new_scratch=settings.new_scratch,
    )


def _keeper(settings: ScanSettings, recipe: Recipe) -> Keeper | None:
    from vscan.keeping import Keeper
    from vscan.store.frames import FrameStore

    if settings.store is None:
        return None
    return Keeper(FrameStore.open(settings.store, create=True), recipe)
