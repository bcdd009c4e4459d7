"""Read the compiled kernels: what must not be in them.

    cmake -S . -B BUILD ... && cmake --build BUILD && python .ci/objects.py BUILD
    python .ci/objects.py BUILD aarch64-linux-gnu-     # with the tools of another processor

1. In the inner loop of every tile, no vector is loaded from or stored to the stack: a spilled
   accumulator costs two thirds of the speed.
2. Instructions that not every processor has are only in the objects that are for those which do.
3. Those objects share no symbol with others: of a template of the standard library, say, the linker
   keeps one copy, and a processor without AVX could meet the one with AVX.
4. The module shows the one symbol that Python looks for.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

# Of vectors of AVX and AVX-512, short ones too; and what only AVX-512 has.
VEX = re.compile(r"^v\S+ .*%[xyz]mm|^vzero|%k[0-7]")
EVEX = re.compile(r"%zmm|%[xy]mm(1[6-9]|2\d|3[01])|%k[0-7]")
# Folder of objects -> what must not occur in them, and how that is called.
FOREIGN = {"kernels_avx512.dir": None, "kernels_avx2.dir": (EVEX, "AVX-512")}
ELSEWHERE = (VEX, "AVX")

TILE = re.compile(r"::(planar_)?tile\w*<")
FMA = re.compile(r"^v?fn?m(add|la|ul)|^v?mulp")
VECTOR = re.compile(r"%[xyz]mm|\bq\d+|\bv\d+\.")
STACK = re.compile(r"\(%rsp|\[sp")
FRAME = re.compile(r"\(%rbp|\[x29")
MAKES_FRAME = re.compile(r"^(mov|lea) .*%rsp\)?,%rbp$|^(mov|add) x29, sp")
JUMP = re.compile(r"^(j|b\.|b$|cbn?z|tbn?z)")


class Line(NamedTuple):
    """One instruction."""

    address: int
    mnemonic: str
    text: str  # mnemonic and operands


class Function(NamedTuple):
    """One function of an object file."""

    name: str
    body: list[Line]


def output(*command: str) -> str:
    """Return what a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def functions(disassembly: str) -> Iterator[Function]:
    """Yield each function of what `objdump -d -C --no-show-raw-insn` printed."""
    current: Function | None = None
    for line in disassembly.splitlines():
        if re.match(r"^[0-9a-f]+ <.*>:$", line):
            if current:
                yield current
            current = Function(line.split("<", 1)[1][:-2], [])
        elif current and (match := re.match(r"^\s+([0-9a-f]+):\s+((\S+).*?)\s*$", line)):
            text = re.sub(r"\s+", " ", match[2])
            current.body.append(Line(int(match[1], 16), match[3], text))
    if current:
        yield current


def inner_loops(body: list[Line]) -> Iterator[list[Line]]:
    """Yield the loops that contain no other loop."""
    spans = set()
    for line in body:
        target = re.search(r"\b([0-9a-f]+) <", line.text)
        if JUMP.match(line.mnemonic) and target and int(target[1], 16) <= line.address:
            spans.add((int(target[1], 16), line.address))
    for begin, end in spans:
        if not any((b, e) != (begin, end) and begin <= b and e <= end for b, e in spans):
            yield [line for line in body if begin <= line.address <= end]


def foreign(folder: str, found: Iterable[Function]) -> Iterator[str]:
    """Yield the functions with instructions that their processors may lack."""
    rule = FOREIGN.get(folder, ELSEWHERE)
    for function in found if rule else ():
        used = [line.text for line in function.body if rule[0].search(line.text)]
        if used:
            yield f"{function.name} uses {rule[1]}: {used[0]}"


def tile_loops(found: Iterable[Function]) -> Iterator[tuple[Function, list[Line]]]:
    """Yield the inner loops that multiply in the register tiles."""
    for function in found:
        if TILE.search(function.name):
            for loop in inner_loops(function.body):
                if any(FMA.match(line.mnemonic) for line in loop):
                    yield function, loop


def spills(function: Function, loop: list[Line]) -> Iterator[str]:
    """Yield the vectors that a loop keeps on the stack."""
    framed = any(MAKES_FRAME.search(line.text) for line in function.body)
    for line in loop:
        on_stack = STACK.search(line.text) or (framed and FRAME.search(line.text))
        if VECTOR.search(line.text) and on_stack:
            yield f"{function.name} spills: {line.text}"


def shared(folder: str, symbols: str) -> Iterator[str]:
    """Yield what others can see outside of the namespace of an instruction set; from `nm -P`."""
    isa = folder.removeprefix("kernels_").removesuffix(".dir")
    own = re.compile(rf"^_Z(Z|T\w|G\w)?NK?8pellucid{len(isa)}{isa}")
    for line in symbols.splitlines():
        name, kind = line.split()[:2]
        if (kind.isupper() or kind in "uvw") and not own.match(name):
            yield f"{name} ({kind}) is not in pellucid::{isa}"


def check_object(path: Path, folder: str, tools: str) -> tuple[list[str], int]:
    """Return what is wrong with one object, and how many inner loops of tiles it has."""
    found = list(functions(output(f"{tools}objdump", "-dC", "--no-show-raw-insn", str(path))))
    wrong, loops = list(foreign(folder, found)), list(tile_loops(found))
    for function, loop in loops:
        wrong += spills(function, loop)
    if folder.startswith("kernels_"):
        wrong += shared(folder, output(f"{tools}nm", "-P", "--defined-only", str(path)))
    return [f"{folder}/{path.name}: {line}" for line in wrong], len(loops)


def check_module(path: Path, tools: str) -> Iterator[str]:
    """Yield what a module shows besides the one symbol that Python looks for."""
    table = output(f"{tools}nm", "-D", "-P", "--defined-only", str(path))
    names = {line.split()[0] for line in table.splitlines()}
    for name in sorted(names ^ {"PyInit__native"}):
        yield f"{path.name}: {name} is {'shown' if name in names else 'missing'}"


def check(build: Path, tools: str = "") -> list[str]:
    """Return what is wrong, and fail when there was nothing to look at."""
    wrong, tiles, objects = [], {}, 0
    for path in sorted(build.rglob("*.o")):
        folder = next((p for p in path.parts[::-1] if p.endswith(".dir")), "")
        if "tests" in path.relative_to(build).parts:
            continue
        complaints, loops = check_object(path, folder, tools)
        wrong, objects = wrong + complaints, objects + 1
        if folder.startswith("kernels_"):
            tiles[folder] = tiles.get(folder, 0) + loops
    modules = sorted(build.glob("_native*.so"))
    for path in modules:
        wrong += check_module(path, tools)
    counts = ", ".join(f"{count} in {folder}" for folder, count in tiles.items())
    print(f"{objects} objects, {len(modules)} modules; inner loops of tiles: {counts or 'none'}")
    wrong += [f"{folder}: no tile was found" for folder, count in tiles.items() if not count]
    return wrong if tiles else [*wrong, f"no kernels below {build}"]


if __name__ == "__main__":
    problems = check(Path(sys.argv[1]), *sys.argv[2:])
    print("\n".join(problems))
    sys.exit(bool(problems))
