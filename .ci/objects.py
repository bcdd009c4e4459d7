"""Read the compiled kernels: what must not be in them.

    cmake -S . -B BUILD ... && cmake --build BUILD && python .ci/objects.py BUILD

1. In the inner loop of every tile, no vector is loaded from or stored to the stack: a spilled
   accumulator costs two thirds of the speed.
2. Vectors of 32 and 64 bytes are only in the objects that are for processors which have them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Folder of the objects -> registers that must not occur in them.
FOREIGN = {"_native.dir": "[yz]mm", "kernels_baseline.dir": "[yz]mm", "kernels_avx2.dir": "zmm"}
LINE = re.compile(r"^\s+([0-9a-f]+):\s+(\S+)\s*(.*)$")
TILE = re.compile(r"\d(planar_)?tileI")
FMA = re.compile(r"^vfn?madd|^mulp")


def functions(path: Path) -> Iterator[tuple[str, list[tuple[int, str, str]]]]:
    """Yield each function of an object file as (address, instruction, operands)."""
    command = ["objdump", "-d", "--no-show-raw-insn", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    name, body = "", []
    for line in text.splitlines():
        if line.endswith(">:"):
            if body:
                yield name, body
            name, body = line.split("<", 1)[1][:-2], []
        elif match := LINE.match(line):
            body.append((int(match[1], 16), match[2], match[3]))
    if body:
        yield name, body


def inner_loops(body: list[tuple[int, str, str]]) -> Iterator[list[tuple[int, str, str]]]:
    """Yield the loops that contain no other loop."""
    spans = []
    for address, instruction, operands in body:
        target = re.match(r"([0-9a-f]+) <", operands)
        if instruction.startswith("j") and target and int(target[1], 16) <= address:
            spans.append((int(target[1], 16), address))
    for begin, end in spans:
        if not any((b, e) != (begin, end) and begin <= b and e <= end for b, e in spans):
            yield [line for line in body if begin <= line[0] <= end]


def check(build: Path) -> list[str]:
    """Return what is wrong, and fail when there was nothing to look at."""
    wrong, tiles = [], 0
    objects = sorted(build.rglob("native/*.o"))
    for path in objects:
        folder = path.parent.parent.name
        for name, body in functions(path):
            foreign = FOREIGN.get(folder)
            if foreign and any(re.search(f"%{foreign}", line[2]) for line in body):
                wrong.append(f"{folder}/{path.name}: {name} uses {foreign}")
            moves = {line[1:] for line in body}
            for loop in inner_loops(body):
                if not TILE.search(name) or not any(FMA.match(line[1]) for line in loop):
                    continue
                tiles += 1
                # %rbp is one more register where it does not hold the frame.
                stack = r"\(%r[sb]p" if ("mov", "%rsp,%rbp") in moves else r"\(%rsp"
                for _, instruction, operands in loop:
                    if re.search(r"%[xyz]mm", operands) and re.search(stack, operands):
                        wrong.append(f"{folder}/{path.name}: {name}: {instruction} {operands}")
    print(f"{len(objects)} objects, {tiles} inner loops of tiles")
    if not objects or not tiles:
        wrong.append(f"no compiled tiles below {build}")
    return wrong


if __name__ == "__main__":
    problems = check(Path(sys.argv[1]))
    print("\n".join(problems))
    sys.exit(bool(problems))
