"""What `.ci/objects.py` must find, in small objects that have it."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or not shutil.which("g++") or not shutil.which("objdump"),
    reason="compiles for x86-64 with g++ and reads with objdump",
)

# A tile as the library has it; `%s` is what a test adds to its inner loop.
TILE = """
typedef float Vec __attribute__((vector_size(32)));
namespace pellucid::avx2 {
template <class T>
__attribute__((noinline)) void tile(const T* a, const Vec* b, long L, Vec* out) {
  Vec sum = {};
  for (long l = 0; l < L; ++l) {
    sum += a[l] * b[l];
    %s
  }
  *out = sum;
}
template void tile<float>(const float*, const Vec*, long, Vec*);
}
"""
WHOLE = "volatile Vec kept = sum; sum = kept;"  # a variable that must be in memory


@pytest.fixture
def objects() -> ModuleType:
    spec = importlib.util.spec_from_file_location("objects", ROOT / ".ci" / "objects.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compiled(build: Path, folder: str, source: str, *flags: str) -> Path:
    """Compile to where CMake would; return the folder of the build."""
    to = build / "CMakeFiles" / folder / "native" / "made.cpp.o"
    to.parent.mkdir(parents=True)
    command = ["g++", "-std=c++17", "-O3", "-c", "-x", "c++", "-", "-o", str(to), *flags]
    subprocess.run(command, input=source, text=True, check=True)
    return build


AVX2 = ("-mavx2", "-mfma")


def test_what_is_right(objects, tmp_path, capsys):
    assert objects.check(compiled(tmp_path, "kernels_avx2.dir", TILE % "", *AVX2)) == []
    assert "1 objects" in capsys.readouterr().out


@pytest.mark.parametrize("frame", ["-fomit-frame-pointer", "-fno-omit-frame-pointer"])
def test_a_vector_on_the_stack(objects, tmp_path, frame):
    wrong = objects.check(compiled(tmp_path, "kernels_avx2.dir", TILE % WHOLE, *AVX2, frame))
    assert wrong
    assert all("made.cpp.o: " in line and "spills: v" in line for line in wrong)


def test_a_vector_on_the_stack_outside_of_the_loop_is_no_spill(objects, tmp_path):
    source = (TILE % "").replace("*out = sum;", f"{WHOLE} *out = sum;")
    assert objects.check(compiled(tmp_path, "kernels_avx2.dir", source, *AVX2)) == []


@pytest.mark.parametrize(
    ("folder", "flags", "used"),
    [
        ("kernels_baseline.dir", ("-mavx",), "AVX"),
        ("kernels_avx2.dir", ("-mavx512f",), "AVX-512"),
        ("_native.dir", ("-mavx2",), "AVX"),
        ("engine.dir", ("-mavx",), "AVX"),
    ],
)
def test_instructions_for_other_processors(objects, tmp_path, folder, flags, used):
    # One number at a time: the short registers, with the codes of AVX.
    source = "float twice(float x) { return x * 2; }\n"
    if used == "AVX-512":
        source = "typedef float V __attribute__((vector_size(64))); void f(V* x) { *x *= 2; }"
    wrong = objects.check(compiled(tmp_path, folder, source, *flags))
    assert any(f"uses {used}: v" in line for line in wrong)


def test_baseline_code_is_not_taken_for_avx(objects, tmp_path):
    wrong = objects.check(
        compiled(tmp_path, "_native.dir", "float twice(float x) { return x * 2; }")
    )
    assert wrong == [f"no kernels below {tmp_path}"]


def test_a_template_of_the_standard_library(objects, tmp_path):
    source = (TILE % "") + "#include <vector>\nvoid more(std::vector<float>& v) { v.push_back(1); }"
    wrong = objects.check(compiled(tmp_path, "kernels_avx2.dir", source, *AVX2))
    assert any(
        "_ZNSt6vectorIfSaIfEE" in line and "(W) is not in pellucid::avx2" in line for line in wrong
    )


def test_a_function_inside_of_the_library_that_others_have_too(objects, tmp_path):
    source = (
        TILE % ""
    ) + "namespace pellucid { __attribute__((used)) inline int f() { return 1; } }"
    wrong = objects.check(compiled(tmp_path, "kernels_avx2.dir", source, *AVX2))
    assert [line for line in wrong if "_ZN8pellucid1fEv (W) is not in pellucid::avx2" in line]


def test_kernels_without_a_tile(objects, tmp_path):
    build = compiled(
        tmp_path, "kernels_avx2.dir", "namespace pellucid::avx2 { int f() { return 0; } }"
    )
    assert objects.check(build) == ["kernels_avx2.dir: no tile was found"]


def test_a_module_that_shows_more_than_it_should(objects, tmp_path):
    module = tmp_path / "_native.so"
    source = 'extern "C" int PyInit__native() { return 0; }\nint more() { return 1; }\n'
    command = ["g++", "-shared", "-fPIC", "-x", "c++", "-", "-o", str(module)]
    subprocess.run(command, input=source, text=True, check=True)
    assert list(objects.check_module(module, "")) == ["_native.so: _Z4morev is shown"]
    subprocess.run(command, input="", text=True, check=True)
    assert list(objects.check_module(module, "")) == ["_native.so: PyInit__native is missing"]
