"""The steps of a training that are measured, and the files they leave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pellucid.training import Run, choose
from pellucid.training.profiling import STEPS, WARM_UP


@pytest.mark.parametrize(("batch_size", "steps"), [(100, STEPS), (300, 5 - WARM_UP), (1000, 0)])
def test_so_many_steps_are_measured(tmp_path: Path, batch_size: int, steps: int) -> None:
    settings = choose("digits", epochs=1, batch_size=batch_size)
    plain = Run.start(settings, tmp_path / "plain")
    events = list(plain.events())
    run = Run.start(settings, tmp_path / "run")
    assert list(run.events(profile=True)) == events
    there = {path.name for path in run.folder.iterdir()} - {p.name for p in plain.folder.iterdir()}
    assert there == ({"profile.txt", "profile.json"} if steps else set())
    if steps:
        text = (run.folder / "profile.txt").read_text()
        assert text.startswith(f"{steps} training steps, ")
        trace = json.loads((run.folder / "profile.json").read_text())["traceEvents"]
        assert (
            len([e for e in trace if e["name"] == "CrossEntropy" and e["cat"] == "forward"])
            == steps
        )
