#!/usr/bin/env python3
"""Run clang-tidy on every source file that it hasn't passed before as it stands.

    tests/lint.py BUILD-FOLDER [--deep]

The static analyzer goes through each function by the paths it can take, of which a few functions
have very many. By default it looks at NODES steps of each function, which is all of most; --deep
is its own limit, about ten times as much, and takes five times as long.

A file that passes leaves a stamp in the build folder, named after the content of the file, of
all headers it includes, of .clang-tidy and of the depth. So the first run takes a while, the next
one only what changed.
"""

import concurrent.futures
import functools
import hashlib
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("crypto", "anchor", "fhir", "gateway")
NODES = 20000
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


class Lint:
    def __init__(self, build, deep):
        self.build = build
        self.stamps = build / "tidy"
        self.stamps.mkdir(parents=True, exist_ok=True)
        limit = ["-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={NODES}"]
        self.limit = [] if deep else [f"--extra-arg={arg}" for arg in limit]
        self.rules = (ROOT / ".clang-tidy").read_bytes() + " ".join(self.limit).encode()
        self.generated = {p.name: p for p in build.rglob("*.h")}

    @functools.lru_cache(maxsize=None)
    def includes(self, path):
        """Headers of our own that a file includes by itself, generated ones too."""
        found = []
        for name in INCLUDE.findall(path.read_text()):
            header = ROOT / name
            header = header if header.exists() else self.generated.get(pathlib.Path(name).name)
            if header:
                found.append(header)
        return found

    def stamp(self, source):
        seen, todo = {source}, [source]
        while todo:
            for header in self.includes(todo.pop()):
                if header not in seen:
                    seen.add(header)
                    todo.append(header)
        digest = hashlib.sha256(self.rules)
        for path in sorted(seen):
            digest.update(str(path.name).encode() + b"\0" + path.read_bytes())
        return self.stamps / digest.hexdigest()[:32]

    def check(self, source):
        """The complaints about a file; nothing if there are none."""
        stamp = self.stamp(source)
        if stamp.exists():
            return ""
        command = ["clang-tidy", "--quiet", *self.limit, "-p", str(self.build), str(source)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            stamp.touch()
            return ""
        return done.stdout or done.stderr or f"{source}: clang-tidy gave up\n"


def main():
    lint = Lint(ROOT / sys.argv[1], "--deep" in sys.argv[2:])
    sources = sorted(p for folder in FOLDERS for p in (ROOT / folder).rglob("*.c"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        complaints = [text for text in pool.map(lint.check, sources) if text]
    print("".join(complaints), end="")
    print(f"lint: {len(sources)} files, {len(complaints)} with complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
