#!/usr/bin/env python3
"""Rebuilds the PTX of every family of kernels with the pinned compiler, and compares it with what is committed.

    python3 ptx/check/check.py            compare, assemble for every target, and bound registers and spills
    python3 ptx/check/check.py --update   write the PTX, and ptx/kernels.md with the registers of every kernel

It needs no GPU and no CUDA: the compilers are Python packages, kept in `target/cuda`.
"""

import ctypes
import pathlib
import re
import subprocess
import sys
import tempfile
import venv
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNELS = ROOT / "ptx" / "kernels"
TOOLS = ROOT / "target" / "cuda"

# Newer compilers write PTX that older drivers refuse; this one's is taken by drivers of CUDA 11.8 and later.
COMPILER = ("nvidia-cuda-nvrtc-cu11==11.8.89", "nvidia/cuda_nvrtc/lib/libnvrtc.so.11.2")
OPTIONS = ["--gpu-architecture=compute_70", "--std=c++14", "--fmad=false", "-default-device"]
# Every architecture by an assembler that knows it.
ASSEMBLERS = [
    ("nvidia-cuda-nvcc-cu11==11.8.89", "nvidia/cuda_nvcc/bin/ptxas", ["sm_70"]),
    ("nvidia-cuda-nvcc-cu12==12.9.86", "nvidia/cuda_nvcc/bin/ptxas", ["sm_75", "sm_80"]),
    ("nvidia-cuda-nvcc==13.0.88", "nvidia/cu13/bin/ptxas", ["sm_90", "sm_100", "sm_120"]),
]
# Registers of a thread: with 64, a multiprocessor of 65,536 holds 1,024 threads. A family may state another bound.
REGISTERS = 64
REGISTERS_TABLE = ROOT / "ptx" / "kernels.md"
TABLE = """# Registers of every kernel

The most of a thread on any of sm_70 to sm_120; nothing spills. Written by `python3 ptx/check/check.py --update`.

| kernel | registers |
|:--|--:|
"""


def package(requirement, path):
    """A file of a Python package, downloaded once."""
    folder = TOOLS / requirement
    if not (folder / path).exists():
        with tempfile.TemporaryDirectory() as there:
            pip = TOOLS / "python" / "bin" / "pip"
            if not pip.exists():
                venv.create(TOOLS / "python", with_pip=True)
            options = ["--disable-pip-version-check", "-q", "download", "--no-deps", "--only-binary=:all:"]
            subprocess.run([pip, *options, "-d", there, requirement], check=True)
            (wheel,) = pathlib.Path(there).glob("*.whl")
            folder.mkdir(parents=True, exist_ok=True)
            zipfile.ZipFile(wheel).extractall(folder)
    (folder / path).chmod(0o755)
    return folder / path


class Compiler:
    """NVRTC, called through its C interface."""

    def __init__(self):
        path = package(*COMPILER)
        for builtins in sorted(path.parent.glob("libnvrtc-builtins.so*")):
            ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)
        self.library = ctypes.CDLL(str(path))

    def compile(self, source):
        program = ctypes.c_void_p()
        headers = sorted(KERNELS.glob("*.cuh")) + [source]
        texts = (ctypes.c_char_p * len(headers))(*(h.read_bytes() for h in headers))
        names = (ctypes.c_char_p * len(headers))(*(h.name.encode() for h in headers))
        self.library.nvrtcCreateProgram(
            ctypes.byref(program), source.read_bytes(), source.name.encode(), len(headers), texts, names
        )
        options = (ctypes.c_char_p * len(OPTIONS))(*(o.encode() for o in OPTIONS))
        failed = self.library.nvrtcCompileProgram(program, len(OPTIONS), options)
        log = self.text(program, "ProgramLog").strip()
        if log:
            print(log, file=sys.stderr)
        if failed:
            raise SystemExit(f"{source.name} does not compile")
        return self.text(program, "PTX")

    def text(self, program, what):
        size = ctypes.c_size_t()
        getattr(self.library, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        getattr(self.library, f"nvrtcGet{what}")(program, buffer)
        return buffer.value.decode()


def assemble(ptx):
    """Assembles for every target; yields (target, kernel, registers, bytes spilled)."""
    for requirement, path, targets in ASSEMBLERS:
        assembler = package(requirement, path)
        for target in targets:
            done = subprocess.run(
                [assembler, f"-arch={target}", "-v", ptx, "-o", "/dev/null"], capture_output=True, text=True
            )
            if done.returncode:
                raise SystemExit(f"{ptx.name} does not assemble for {target}:\n{done.stderr}")
            kernel = spilled = None
            for line in done.stderr.splitlines():
                if found := re.search(r"Compiling entry function '(\w+)'", line):
                    kernel = found[1]
                elif found := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
                    spilled = int(found[1]) + int(found[2])
                elif found := re.search(r"Used (\d+) registers", line):
                    yield target, kernel, int(found[1]), spilled


def main():
    update = sys.argv[1:] == ["--update"]
    if sys.argv[1:] and not update:
        raise SystemExit(__doc__)
    compiler, wrong, lines = Compiler(), [], []
    for source in sorted(KERNELS.glob("*.cu")):
        ptx = source.with_suffix(".ptx")
        text = compiler.compile(source)
        if update:
            ptx.write_text(text)
        elif not ptx.exists() or ptx.read_text() != text:
            wrong.append(f"{ptx.name} is not what the compiler makes of {source.name}: run with --update")
            continue
        stated = re.search(r"^// REGISTERS (\d+):", source.read_text(), re.M)
        bound = int(stated[1]) if stated else REGISTERS
        most = {}
        for target, kernel, registers, spilled in assemble(ptx):
            most[kernel] = max(most.get(kernel, 0), registers)
            if spilled or registers > bound:
                wrong.append(f"{kernel} on {target}: {registers} registers of {bound}, {spilled} bytes spilled")
        lines += [f"| `{kernel}` | {registers} |" for kernel, registers in sorted(most.items())]
    if wrong:
        raise SystemExit("\n".join(wrong))
    table = TABLE + "\n".join(lines) + "\n"
    if update:
        REGISTERS_TABLE.write_text(table)
    elif REGISTERS_TABLE.read_text() != table:
        raise SystemExit(f"{REGISTERS_TABLE.name} is not what the assemblers say: run with --update")
    print(f"{len(lines)} kernels: as committed, assembled for {sum(len(t) for *_, t in ASSEMBLERS)} targets, no spills")


if __name__ == "__main__":
    main()
