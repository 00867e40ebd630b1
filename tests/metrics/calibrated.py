"""A made-up store whose scores tell violating videos from benign ones but for some between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.metrics.stored import Archive, pack
from vscan.metrics.thresholds.calibrate import CalibrateSettings, prepare_calibration
from vscan.metrics.thresholds.report import CalibrationReport
from vscan.settings import ScanSettings

EACH = 60
"""Videos of each class: v000 … are violating and benign in turn."""


@dataclass(frozen=True)
class World:
    """A folder with a pack, a store and labels."""

    folder: Path
    rows: tuple[str, ...]

    @classmethod
    def at(cls, folder: Path) -> World:
        """A new one: violating videos score from 0.5 to 0.98, benign ones up to 0.62."""
        archive = Archive.at(folder / "store")
        high, low = np.linspace(0.5, 0.98, EACH), np.linspace(0.01, 0.62, EACH)
        rows = []
        for number in range(2 * EACH):
            score = float((low if number % 2 else high)[number // 2])
            archive.add(f"v{number:03}.mp4", "a cigarette", [score])
            rows.append(f"v{number:03}.mp4,tobacco,{'benign' if number % 2 else 'violating'}")
        archive.add_error("gone.mp4")
        made = cls(folder, tuple(rows))
        made.write_pack()
        made.write_labels("labels.csv", made.rows)
        return made

    def of_its_own(self, folder: Path) -> World:
        """The same store with a pack and labels that a test may change."""
        (folder / "store").symlink_to(self.folder / "store", target_is_directory=True)
        own = replace(self, folder=folder)
        own.write_pack()
        own.write_labels("labels.csv", own.rows)
        return own

    def write_pack(self, remove: float = 0.99, review: float = 0.55) -> None:
        """The pack, with a comment at its threshold."""
        limits = f"review = {review:g}  # a guess\nremove = {remove:g}"
        pack(
            self.folder / "p.toml",
            ("tobacco", "a cigarette", limits),
            ("beer", "a beer", "review = 0.5"),
        )

    def write_labels(
        self, name: str, rows: tuple[str, ...] | list[str], header: str = "uri,policy,label"
    ) -> str:
        """A file of labels; its name."""
        (self.folder / name).write_text("\n".join((header, *rows)) + "\n", "utf-8")
        return name

    def asked(self, *more: str, labels: str = "labels.csv") -> list[str]:
        """The command on that pack with these labels."""
        return [
            "calibrate", str(self.folder / "p.toml"), "--store", str(self.folder / "store"),
            "--labels", str(self.folder / labels), "--on", "tobacco", "--confidence", "0.8", *more,
        ]  # fmt: skip

    def report(self, labels: str = "labels.csv", **settings: Any) -> CalibrationReport:
        """What a calibration says, for a precision of 0.9 where `settings` say nothing else."""
        usual = {
            "labels": self.folder / labels, "policy": "tobacco", "target": "precision",
            "at_least": 0.9, "confidence": 0.8,
        }  # fmt: skip
        judging = ScanSettings(policy=str(self.folder / "p.toml"), store=str(self.folder / "store"))
        running = prepare_calibration(CalibrateSettings(**{**usual, **settings}), judging)
        for _ in running.steps():
            pass
        return running.report()
