"""Every exception vscan raises on purpose, in one tree.

    VscanError                  what a command prints: message, cause, remedy; never a traceback
    ├── UsageError              the call, the configuration or the output is unusable (exit 2)
    │   ├── PackError           a policy pack does not hold; carries every problem found
    │   ├── ModelError          a model is unknown, or its weights are absent or not the right ones
    │   │   └── ModelLoadError  a model that was accepted did not load; ends the run
    │   ├── ExemplarIndexError  an exemplar index is absent, damaged, busy, or made by another model
    │   ├── SamplingError       a sampling specification cannot be read
    │   ├── StoreError          a frame store is absent, of another version, or cannot be read
    │   │   ├── DamagedTrack    a stored file is not what was written; it is measured anew
    │   │   └── MissingTrack    there is no such track in the store
    │   ├── DecisionError       what should be a decision does not hold together, or does not fit
    │   ├── DecisionLogError    a decision log is absent, damaged, busy, or of another version
    │   ├── ReviewError         what a reviewer's page asks for cannot be had
    │   └── OutputError         the output cannot be written, or another run is writing it
    ├── SourceError             one source cannot be read: becomes that source's `error` record
    ├── FetchCancelled          fetching was told to end: nothing is said of the source
    ├── TooManyErrors           more videos could not be read than --max-errors tolerates (exit 4)
    ├── NotBegun                one source was left for the next run: this one is about to stop
    └── InterruptedRunError     the run was told to stop; what was done is kept (exit 130 or 143)

Foreign errors (av, decord, faiss, safetensors, pydantic, OSError) are translated where the library
is called, once, and do not travel further.
"""

from __future__ import annotations

from dataclasses import dataclass


class VscanError(Exception):
    """The root: `message` says what is wrong and where, `remedy` what to do about it."""

    exit_code = 2

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class UsageError(VscanError):
    """The call, the configuration or the output is unusable; nothing was scanned."""


@dataclass(frozen=True)
class PackProblem:
    """One thing wrong in a policy pack."""

    file: str
    line: int
    """1-based line in `file`; 0 where no line can be named."""
    where: str
    """Path of the key, as `policy[2].thresholds.review`."""
    message: str
    hint: str = ""
    """The nearest known name, or how to mend it."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        hint = f" ({self.hint})" if self.hint else ""
        where = f"{self.where}: " if self.where else ""
        return f"{place}: {where}{self.message}{hint}"


class PackError(UsageError):
    """A policy pack does not hold. `problems` lists every one found, in file order."""

    def __init__(self, problems: tuple[PackProblem, ...], *, remedy: str = "") -> None:
        super().__init__("\n".join(str(problem) for problem in problems), remedy=remedy)
        self.problems = problems


class ModelError(UsageError):
    """A model is unknown, its weights are absent, or they are not the ones expected."""


class ModelLoadError(ModelError):
    """A model whose files are there did not load: no source's fault, so it ends the run."""


class ExemplarIndexError(UsageError):
    """An exemplar index is absent, damaged, busy, or was made by another model."""


class SamplingError(UsageError):
    """A sampling specification such as `fps:1` cannot be read."""


class StoreError(UsageError):
    """A frame store is absent, of another version, or cannot be read."""


class DamagedTrack(StoreError):  # noqa: N818 -- named for what it is: it ends no run
    """A file of a frame store does not hold what was written under its name."""


class MissingTrack(StoreError):  # noqa: N818 -- as above
    """A frame store holds no track of that content, signal and key."""


class DecisionError(UsageError):
    """What should be a decision does not hold together, or does not fit what the log holds."""


class DecisionLogError(UsageError):
    """A decision log is absent, damaged, busy, or of another version."""


class ReviewError(UsageError):
    """What a reviewer's page asks for cannot be had, or not any more."""


class OutputError(UsageError):
    """The output cannot be written, or another run is writing it."""


class SourceError(VscanError):
    """One source cannot be read. `code` is stable and stands in the record; see ERROR_CODES."""

    exit_code = 3

    def __init__(self, code: str, message: str, *, remedy: str = "") -> None:
        if code not in ERROR_CODES:
            raise ValueError(f"unknown error code {code!r}; known: {', '.join(ERROR_CODES)}")
        super().__init__(message, remedy=remedy)
        self.code = code


def internal_error(error: Exception) -> SourceError:
    """An exception that nobody foresaw, as the error of the source that it happened to."""
    return SourceError("internal", f"{type(error).__name__}: {error}")


class FetchCancelled(VscanError):  # noqa: N818 -- named for what it is: no fault of the source
    """Fetching was told to end; of the object that was on its way nothing is known."""

    def __init__(self) -> None:
        super().__init__("the fetch was told to end")


class InterruptedRunError(VscanError):
    """The run was told to stop by a signal; `exit_code` is 128 + the signal's number."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("interrupted; what was done is kept, the same command goes on from there")
        self.exit_code = 128 + signal_number


class TooManyErrors(VscanError):  # noqa: N818 -- named for what it is
    """More videos of a run ended as `error` than are tolerated; what was done is kept."""

    exit_code = 4


class NotBegun(VscanError):  # noqa: N818 -- it says nothing of the source, which has no record
    """A source was left for the next run, because this one is about to stop."""


ERROR_CODES: dict[str, str] = {
    "not_found": "no file or object of that name",
    "not_a_file": "a folder, FIFO, socket or device where a regular file is wanted",
    "permission_denied": "this user or these credentials may not read it, or its host is refused",
    "empty_file": "the file has no bytes",
    "unsupported_format": "no container or image that the readers know, or one that is refused",
    "no_video_stream": "a media file without pictures",
    "no_frames": "a video stream of which not one frame could be decoded",
    "too_large": "a picture, duration or file beyond the limits",
    "deadline": "reading took longer than allowed; the worker was killed",
    "memory_limit": "reading needed more memory than allowed",
    "worker_died": "the worker process died while reading this file",
    "changed_while_read": "the file changed while it was read",
    "read_failed": "the file could not be read to its end by the system",
    "fetch_failed": "the object could not be fetched, after retries, or changed while it was",
    "decode_failed": "the readers could not open the file",
    "store_damaged": "what the frame store holds of it is damaged, missing or cannot be read",
    "signal_not_stored": "the frame store holds no track of it of a signal that is asked for",
    "internal": "an unexpected error in vscan itself, with this file",
}
"""Codes of `error.code` in a record, with what each one means."""

WARNING_CODES: dict[str, str] = {
    "prompts_not_scored": "the pack's prompts were not scored: the embedding was not measured",
    "reader_fallback": "the first reader failed on the way; the other one went on",
    "several_video_streams": "more than one video stream or picture; all stand one after the other",
    "stream_not_decoded": "a video stream or picture of the file did not decode: it was not seen",
    "timestamps_jump_back": "presentation times leapt or were not in order; they were put in order",
    "times_uncertain": "a damaged video: some samples may lie a few frames before their time",
    "packets_skipped": "damaged packets could not be decoded and were passed over",
    "shorter_than_claimed": "less of the video is there than its container claims",
    "hidden_by_edit_list": "frames that an edit list leaves out, as players do, were not looked at",
    "content_not_read": "pictures that could not be looked at: of a late stream, or further pages",
    "exemplar_quarantined": "matches with an exemplar that flooded the run stand under suppressed",
    "signal_not_stored": "a signal that would be judged is not in the frame store for this video",
    "sampled_for_other_pack": "its samples were chosen by what another pack or other indexes find",
    "ended_by_errors": "so many packets in a row were damaged that reading ended there",
}
"""Codes under `warnings` in a record, with what each one means."""
