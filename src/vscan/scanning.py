"""A scan from its settings: loads what they name, runs the engine, yields verdicts."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vscan.embeddings.registry import DEFAULT_MODEL
from vscan.errors import ModelError, UsageError
from vscan.flood import FLOOD_SHARE, LEAST_SOURCES, FloodGuard, Watch
from vscan.provenance import provenance_of
from vscan.provenance import version as version
from vscan.readiness import (
    configuration_notes,
    model_notes,
    refuse_blindness,
    unscored_warnings,
)
from vscan.sampling import DEFAULT_SAMPLING, parse_sampling

if TYPE_CHECKING:
    from vscan.embeddings.encoder import Encoder
    from vscan.exemplars.index import ExemplarIndex
    from vscan.matching.prompt_scores import PromptScorer
    from vscan.measuring import Recipe
    from vscan.pipeline import Rules
    from vscan.policies import PolicyPack
    from vscan.sources import Source
    from vscan.verdicts import Verdict

SIGNALS = ("embedding", "pdq", "keypoints")
DEFAULT_PACK = "baseline"


@dataclass(frozen=True, kw_only=True)
class ScanSettings:
    """Everything a scan can be told, by name; `prepare` loads what the names stand for."""

    policy: str = DEFAULT_PACK
    """A shipped pack's name, or a path to a .toml file."""
    indexes: tuple[str, ...] = ()
    """Folders of exemplar indexes."""
    model: str | None = None
    """A model of the registry, or an open_clip architecture with `weights`; None: the default."""
    weights: str | None = None
    """A local .safetensors file for `model`."""
    device: str = "auto"
    precision: str = "auto"
    sampling: str = DEFAULT_SAMPLING
    signals: tuple[str, ...] | None = None
    """Of SIGNALS; None: what the pack and the indexes need."""
    workers: int | None = None
    """Videos read at the same time; None: one per core."""
    timeout_s: float | None = None
    """Seconds a video may keep its reader busy; None: a minute and the video's own length."""
    flood_share: float = FLOOD_SHARE
    """Share of a run's sources beyond which an exemplar that matches them is set aside; 0, or 1 and
    more: none ever is. See flood.py."""

    def __post_init__(self) -> None:
        for signal in self.signals or ():
            if signal not in SIGNALS:
                raise UsageError(
                    f"signal {signal!r} is not known", remedy=f"signals: {', '.join(SIGNALS)}"
                )
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"workers must be at least 1, not {self.workers}")
        if self.timeout_s is not None and not 0 < self.timeout_s < float("inf"):
            raise UsageError(f"timeout must be a number of seconds above 0, not {self.timeout_s}")
        if not self.flood_share >= 0.0:
            raise UsageError(
                f"flood share must be a number from 0 on, not {self.flood_share}",
                remedy="a share as 0.05, or 0 to switch the flood guard off",
            )


@dataclass(frozen=True, eq=False)
class Prepared:
    """A scan that is ready to run."""

    recipe: Recipe
    rules: Rules
    encoder: Encoder | None
    workers: int
    timeout_s: float | None
    notes: tuple[str, ...]
    """What the person who started it should know."""
    flood_share: float = FLOOD_SHARE


def prepare(settings: ScanSettings) -> Prepared:
    """Load pack, indexes and model, and settle what is measured.

    Raises UsageError (PackError, ExemplarIndexError, ModelError, SamplingError) where one of them
    cannot be used.
    """
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.writer import utc_now
    from vscan.measuring import Recipe
    from vscan.pipeline import Rules
    from vscan.policies import load_pack

    plan = parse_sampling(settings.sampling)
    pack = load_pack(settings.policy)
    now = utc_now()
    indexes = [ExemplarIndex.open(folder, now=now) for folder in settings.indexes]
    _refuse_twins(indexes)
    signals = settings.signals or _needed_signals(pack, indexes)
    refuse_blindness(pack, indexes, signals)
    notes = configuration_notes(pack, indexes, signals)
    encoder: Encoder | None = None
    scorer: PromptScorer | None = None
    if "embedding" in signals:
        encoder = _model_for(pack, settings)
        for index in indexes:
            index.require_model(encoder.fingerprint)
        scorer = _prompt_scorer(pack, encoder)
        notes += model_notes(pack, encoder)
    provenance = provenance_of(pack, encoder, plan.spec, signals, indexes, now=now)
    return Prepared(
        recipe=Recipe(
            plan=plan,
            signals=signals,
            image=encoder.image_spec if encoder else None,
            model=encoder.fingerprint if encoder else None,
        ),
        rules=Rules(
            pack=pack,
            scorer=scorer,
            indexes=indexes,
            provenance=provenance,
            warnings=unscored_warnings(pack, signals),
        ),
        encoder=encoder,
        workers=settings.workers or available_cores(),
        timeout_s=settings.timeout_s,
        notes=notes,
        flood_share=settings.flood_share,
    )


def scan(
    inputs: Iterable[str | Path],
    *,
    settings: ScanSettings | None = None,
    from_file: str | None = None,
) -> Iterator[Verdict]:
    """Scan files, folders and globs; yields each video's verdict as it ends.

    inputs: names of files or folders, or globs. from_file: a list of further names.
    The order is that in which videos end; sort by `verdict.source.uri` where order matters.
    Matches with an exemplar that floods the run (ScanSettings.flood_share) stand under `suppressed`
    from then on; verdicts that were handed out before keep them.
    Raises UsageError where a setting cannot be used; a video that cannot be read does not raise:
    its verdict's outcome is `error`.

        for verdict in vscan.scan(["clips"], settings=vscan.ScanSettings(policy="my.toml")):
            print(verdict.source.uri, verdict.outcome)
    """
    from vscan.sources import find_sources

    prepared = prepare(settings or ScanSettings())
    sources = find_sources([os.fspath(each) for each in inputs], from_file=from_file)
    with closing(run_scan(prepared, sources, watch=watch_over(prepared))) as verdicts:
        yield from (verdict for verdict in verdicts if verdict is not None)


def run_scan(
    prepared: Prepared,
    sources: Iterable[Source],
    *,
    is_done: Callable[[str], bool] = lambda _: False,
    watch: Watch | None = None,
) -> Generator[Verdict | None, None, None]:
    """Verdicts of `sources` as each ends; None for one whose verdict id `is_done` knows.

    watch: sees every verdict and sets aside what floods the run; None: nothing is.
    """
    from vscan.decode.workers import ReaderPool, ReadLimits
    from vscan.engines import local
    from vscan.measuring import Embed
    from vscan.pipeline import scan_source

    def work(source: Source, readers: ReaderPool, embed: Embed) -> Verdict | None:
        return scan_source(
            source,
            recipe=prepared.recipe,
            rules=prepared.rules,
            readers=readers,
            embed=embed,
            is_done=is_done,
        )

    verdicts = local.run(
        sources,
        work,
        encoder=prepared.encoder,
        workers=prepared.workers,
        limits=ReadLimits(timeout_s=prepared.timeout_s),
    )
    return verdicts if watch is None else watch.over(verdicts)


def watch_over(prepared: Prepared, *, least: int = LEAST_SOURCES) -> Watch | None:
    """The flood guard of one run; None where it is switched off or there is nothing to guard.

    least: sources that an exemplar must have matched before its share is looked at.
    """
    if not prepared.rules.indexes or not 0.0 < prepared.flood_share < 1.0:
        return None
    return Watch(
        FloodGuard(prepared.flood_share, least),
        pack=prepared.rules.pack,
        indexes=prepared.rules.indexes,
        provenance=prepared.rules.provenance,
    )


def load_model(settings: ScanSettings) -> Encoder:
    """The encoder that the settings name. Raises ModelError where it cannot be had."""
    from vscan.embeddings.openclip import load_encoder

    if settings.weights is not None and settings.model is None:
        raise UsageError(
            "--weights needs --model to say what they are weights of",
            remedy="for example: --model ViT-B-32 --weights FILE.safetensors",
        )
    return load_encoder(
        settings.model or DEFAULT_MODEL,
        weights=None if settings.weights is None else Path(settings.weights),
        device=settings.device,
        precision=settings.precision,
    )


def available_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _model_for(pack: PolicyPack, settings: ScanSettings) -> Encoder:
    """The model; where the default one is not there, the error names the pack's own."""
    try:
        return load_model(settings)
    except ModelError as error:
        if settings.model is not None or pack.model is None or pack.model == DEFAULT_MODEL:
            raise
        hint = f"pack {pack.name} was set on {pack.model}: add --model {pack.model}; or"
        raise ModelError(error.message, remedy=f"{hint} {error.remedy}") from error


def _needed_signals(pack: PolicyPack, indexes: Sequence[ExemplarIndex]) -> tuple[str, ...]:
    needed = {signal for index in indexes for signal in index.signals}
    if any(policy.prompts for policy in pack.policies):
        needed.add("embedding")
    return tuple(signal for signal in SIGNALS if signal in needed)


def _prompt_scorer(pack: PolicyPack, encoder: Encoder) -> PromptScorer | None:
    from vscan.embeddings.prompts import pack_prompts
    from vscan.matching.prompt_scores import PromptScorer

    if not any(policy.prompts for policy in pack.policies):
        return None
    return PromptScorer(pack_prompts(pack, encoder))


def _refuse_twins(indexes: Sequence[ExemplarIndex]) -> None:
    names = [index.name for index in indexes]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise UsageError(
            f"two exemplar indexes are both named {twins[0]!r}",
            remedy="give each index once, or create one of them again under another --name",
        )
