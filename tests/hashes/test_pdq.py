"""PDQ: equal to Meta's reference, in all eight dihedral forms, and its written form."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vscan.hashes.borders import Box
from vscan.hashes.pdq import (
    HASH_BYTES,
    MATCH_DISTANCE,
    MIN_QUALITY,
    from_hex,
    hamming,
    pdq_dihedral,
    pdq_hash,
    pdq_of_parts,
    to_hex,
)
from vscan.media import DIHEDRAL_FORMS

Frame = NDArray[np.uint8]

REFERENCE = {
    (720, 1280, 1, 1): (
        "b2aae7fb6d5dab5a6f4f36254d7b13919380e1dab0b01e25928e38046d519627",
        100,
    ),
    (1280, 720, 2, 1): (
        "e7fb6d593804320f3ca5e1f00b91920b857a5e0fe75ab1f0c7fb92a63804e5f0",
        100,
    ),
    (479, 641, 3, 1): (
        "c57f580110a8482590fa7d2a003ff2d56fc042d56f05b7dacf5793fe1aa84ddc",
        100,
    ),
    (64, 64, 4, 1): (
        "2dffb803b2a1b4db2aaf6be7c000008bcbef089bce700b650d5647fcd2a947e5",
        100,
    ),
    (33, 47, 5, 1): (
        "1c66d0abd7a9f1eedb6523b1506c657d8f81a55d8c9afa00a8020fd4e7bd5a30",
        100,
    ),
    (240, 320, 6, 5): (
        "92aac7fb6d79135a6f4ffa25257b7f95b29019fa90b0ae05b28638044d51a227",
        43,
    ),
    (300, 400, 8, 9): (
        "efd6181392a92e7090daa18fd2c092c9453f7e306f25c18f6d56e7ec92a981cf",
        9,
    ),
    (1080, 1920, 7, 1): (
        "c7fe4f5338414b5a3e89f0a53ad16f58853e1b5ac176b0a5c7beb0ac3801e4a5",
        100,
    ),
}
"""(height, width, seed, dimmed) of `picture` -> hash and quality by pdqhash 0.2.8, made once with

    pip install pdqhash && python -c "
    import numpy, pdqhash; from tests.hashes.test_pdq import REFERENCE, picture
    for key in REFERENCE:
        bits, quality = pdqhash.compute(picture(*key))
        print(key, numpy.packbits(bits).tobytes().hex(), quality)"
"""

TRANSFORMS: dict[str, Callable[[Frame], Frame]] = {
    "identity": lambda frame: frame,
    "rotated_90": lambda frame: np.rot90(frame, -1),
    "rotated_180": lambda frame: np.rot90(frame, 2),
    "rotated_270": lambda frame: np.rot90(frame, 1),
    "mirrored": lambda frame: frame[:, ::-1],
    "flipped": lambda frame: frame[::-1],
    "transposed": lambda frame: frame.transpose(1, 0, 2),
    "transversed": lambda frame: np.rot90(frame, 2).transpose(1, 0, 2),
}


def picture(height: int, width: int, seed: int, dimmed: int = 1) -> Frame:
    """Coloured tiles with a texture, by integers alone so that it is the same anywhere."""
    y, x = np.arange(height)[:, None, None], np.arange(width)[None, :, None]
    colour = np.arange(3)[None, None, :]
    tile = (
        (y * 9 // height) * 7919 + (x * 14 // width) * 104729 + colour * 1299709 + seed * 15485863
    )
    flat = (tile * 2654435761 >> 13) & 127
    texture = (x * (3 + seed) + y * 5 + (x * y >> 6)) & 63
    return np.asarray((flat + texture + colour * 20) // dimmed, np.uint8)


@pytest.mark.parametrize("key", REFERENCE, ids=str)
def test_equals_the_reference(key: tuple[int, int, int, int]) -> None:
    """A frame's bits and quality are the reference's, within 2 bits where rounding decides."""
    expected_hex, expected_quality = REFERENCE[key]
    digest, quality = pdq_hash(picture(*key))
    assert int(hamming(from_hex(expected_hex), digest)) <= 2
    assert expected_quality == quality


@pytest.mark.parametrize("key", REFERENCE, ids=str)
def test_equals_pdqhash_where_it_is_installed(key: tuple[int, int, int, int]) -> None:
    """The same, against pdqhash as it is here."""
    pdqhash = pytest.importorskip("pdqhash")
    bits, expected_quality = pdqhash.compute(picture(*key))
    digest, quality = pdq_hash(picture(*key))
    assert int(hamming(np.packbits(bits), digest)) <= 2
    assert expected_quality == quality


@pytest.mark.parametrize("form", range(8), ids=DIHEDRAL_FORMS)
@pytest.mark.parametrize("size", [(360, 640), (127, 211), (640, 360)], ids=str)
def test_form_k_is_the_hash_of_the_transformed_frame(size: tuple[int, int], form: int) -> None:
    """Each dihedral form equals hashing the pixels after that transform, within rounding."""
    frame = picture(*size, 7)
    transformed = np.ascontiguousarray(TRANSFORMS[DIHEDRAL_FORMS[form]](frame))
    expected, _ = pdq_hash(transformed)
    forms, _ = pdq_dihedral(frame)
    assert int(hamming(expected, forms[form])) <= 2


def test_the_first_form_is_the_plain_hash_and_forms_differ() -> None:
    """Form 0 is the plain hash; the other forms of an asymmetric frame are far from it."""
    frame = picture(240, 320, 3)
    forms, quality = pdq_dihedral(frame)
    plain, plain_quality = pdq_hash(frame)
    assert forms.shape == (8, HASH_BYTES)
    assert to_hex(plain) == to_hex(forms[0])
    assert plain_quality == quality
    assert hamming(forms[0], forms[1:]).min() > MATCH_DISTANCE


def test_a_view_with_strides_hashes_like_its_copy() -> None:
    """A frame that is a strided view gives the same bits as a contiguous copy of it."""
    wide = picture(240, 640, 5)
    view = wide[:, 100:420]
    expected = pdq_hash(np.ascontiguousarray(view))
    actual = pdq_hash(view)
    assert to_hex(expected[0]) == to_hex(actual[0])
    assert expected[1] == actual[1]


def test_parts_hash_like_frames_of_their_own() -> None:
    """Each part of a frame has the hashes and quality of its copy; one too small to hash has none,
    and takes nobody else's."""
    frame = picture(480, 640, 4)
    boxes = [Box(0, 480, 0, 640), Box(10, 14, 0, 640), Box(60, 420, 0, 640), Box(60, 420, 0, 640)]
    parts = pdq_of_parts(frame, boxes)
    for box, (forms, quality) in zip(boxes, parts, strict=True):
        expected, expected_quality = pdq_dihedral(
            np.ascontiguousarray(frame[box.top : box.bottom, box.left : box.right])
        )
        assert hamming(expected, forms).max() <= 2
        assert expected_quality == quality
    assert [quality for _, quality in parts].index(0) == 1


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_frame_has_quality_zero(level: int) -> None:
    """A frame of one colour has quality 0, which no search takes."""
    _, quality = pdq_hash(np.full((90, 160, 3), level, np.uint8))
    assert 0 == quality < MIN_QUALITY


@pytest.mark.parametrize("shape", [(4, 100, 3), (100, 4, 3), (1, 1, 3), (0, 9, 3)])
def test_a_tiny_frame_gets_zero_bits_and_quality(shape: tuple[int, int, int]) -> None:
    """Below 5 pixels a side there is nothing to hash, as in the reference."""
    forms, quality = pdq_dihedral(np.full(shape, 200, np.uint8))
    assert not forms.any()
    assert quality == 0


@pytest.mark.parametrize(
    "frame",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32)],
    ids=["grey", "rgba", "float"],
)
def test_another_kind_of_array_is_refused(frame: NDArray[np.uint8]) -> None:
    """What is not uint8 (H, W, 3) is a ValueError that says what came."""
    with pytest.raises(ValueError, match=r"uint8 \(H, W, 3\)"):
        pdq_hash(frame)


def test_hexadecimal_is_most_significant_bit_first() -> None:
    """64 digits write the hash, bit 255 first, and read back to it."""
    digest = np.zeros(HASH_BYTES, np.uint8)
    digest[0] = 0b1000_0000
    text = to_hex(digest)
    assert text == "8" + "0" * 63
    assert digest.tolist() == from_hex(text.upper()).tolist()


@pytest.mark.parametrize("text", ["", "ab", "g" * 64, "0" * 63, "0" * 65, " " + "0" * 63])
def test_what_is_not_a_hash_is_refused(text: str) -> None:
    """Anything but 64 hexadecimal digits is a ValueError."""
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        from_hex(text)


def test_hamming_counts_bits_and_broadcasts() -> None:
    """Distances are counts of differing bits, one against many."""
    one = np.zeros(HASH_BYTES, np.uint8)
    many = np.zeros((3, HASH_BYTES), np.uint8)
    many[1, 0], many[2, :] = 0b111, 255
    assert hamming(one, many).tolist() == [0, 3, 256]


PUBLISHED = {
    "vpdq-chair-19-sd-bar.txt": "tmk-chair-19-sd-bar.mp4",
    "vpdq-chair-20-sd-bar.txt": "tmk-chair-20-sd-bar.mp4",
    "vpdq-chair-22-sd-grey-bar.txt": "tmk-chair-22-sd-grey-bar.mp4",
    "vpdq-chair-22-with-large-logo-bar.txt": "tmk-chair-22-with-large-logo-bar.mp4",
}
"""Lists of hashes that Meta's program wrote, and the clip that each is of."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_hashes_of_real_frames_lie_near_metas_own(name: str) -> None:
    """Frames of real clips lie within 10 bits of the hashes that Meta's program wrote for them,
    and within 4 in the median.

    The difference is the decoder's share: the same pixels give the same bits (above).
    """
    corpus = Path(os.environ.get("VSCAN_CORPUS", "/nonexistent"))
    published = corpus.parent / "interop" / name
    clip = corpus / "near-duplicates" / PUBLISHED[name]
    if not (published.exists() and clip.exists()):
        pytest.skip("VSCAN_CORPUS does not point to the corpus with its published hashes")
    rows = [line.split(",") for line in published.read_text().split()]
    distances = []
    with importlib.import_module("av").open(str(clip)) as container:
        for row, frame in zip(rows, container.decode(video=0), strict=False):
            digest, _ = pdq_hash(frame.to_ndarray(format="rgb24"))
            if int(row[1]) >= 80:
                distances.append(int(hamming(digest, from_hex(row[2]))))
    assert len(distances) > 200
    assert max(distances) <= 10
    assert np.median(distances) <= 4
