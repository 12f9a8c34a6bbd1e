#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the project to its folders: layers.py SOURCE-FOLDER [C-COMPILER]. Fails on an include that goes up, on a header that does
not compile alone, on a source without its licence line, and on a stray entry at the top."""
import concurrent.futures
import pathlib
import re
import subprocess
import sys

LAYERS = {"base": "tiler/base", "source": "tiler/source", "field": "tiler/field", "brick": "tiler/brick", "tile": "tiler/tile",
          "render": "render", "server": "server"}
TOP = {"CMakeLists.txt", "README.md", "LICENSE", "tiler", "render", "server", "web", "tests", "assets"}
SPDX = "SPDX-License-Identifier: Apache-2.0"
LIBRARIES = ["netcdf", "proj", "jansson", "inih", "libwebsockets", "libseccomp", "libxxhash", "pangocairo", "libpng", "libjpeg", "sqlite3"]


def upward(root):
    order = list(LAYERS)
    for name, folder in LAYERS.items():
        for path in sorted((root / folder).glob("*.[ch]")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                include = re.match(r'\s*#\s*include\s*"([^"]*)"', line)
                if not include:
                    continue
                target = include[1].split("/")[0]
                where = f"{path.relative_to(root)}:{number}"
                if target not in order or "/" not in include[1]:
                    yield f'{where}: "{include[1]}" names no layer; write "layer/file.h"'
                elif order.index(target) > order.index(name):
                    yield f'{where}: {name} must not include {target} ("{include[1]}")'


def flags_of_libraries():
    found = subprocess.run(["pkg-config", "--cflags", *LIBRARIES], capture_output=True, text=True)
    return found.stdout.split()


def alone(root, compiler):
    flags = ["-std=c17", "-D_GNU_SOURCE", '-DVIRGA_VERSION="0"', "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
             f"-I{root}", f"-I{root}/tiler", *flags_of_libraries()]

    def compile_header(header):
        text = f'#include "{header}"\ntypedef int not_empty;\n'
        return header, subprocess.run([compiler, *flags, "-x", "c", "-"], input=text, capture_output=True, text=True)

    headers = [path for folder in LAYERS.values() for path in sorted((root / folder).glob("*.h"))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for header, done in pool.map(compile_header, headers):
            if done.returncode:
                yield f"{header.relative_to(root)} does not compile alone:\n{done.stderr.strip()}"


def kept(root):
    """Files of the repository; all files where there is none (a release's archive)."""
    listed = subprocess.run(["git", "-c", f"safe.directory={root}", "-C", root, "ls-files", "-z"], capture_output=True, text=True)
    if listed.returncode == 0:
        return [root / name for name in listed.stdout.split("\0") if name and (root / name).exists()]
    return [path for path in root.rglob("*") if path.is_file() and not {"node_modules", "build", ".git"} & set(path.relative_to(root).parts)]


def unlicensed(root, files):
    for path in files:
        if path.suffix in (".c", ".h", ".py", ".js", ".mjs", ".sh", ".glsl") and SPDX not in path.read_text()[:400]:
            yield f"{path.relative_to(root)}: no SPDX licence line at its beginning"


def stray(root, files):
    for name in sorted({path.relative_to(root).parts[0] for path in files}):
        if name not in TOP and not name.startswith("."):
            yield f"{name} does not belong at the top, which holds {', '.join(sorted(TOP))}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    compiler = sys.argv[2] if len(sys.argv) > 2 else "cc"
    files = kept(root)
    faults = [*upward(root), *stray(root, files), *unlicensed(root, files), *alone(root, compiler)]
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
