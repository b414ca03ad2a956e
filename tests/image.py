#!/usr/bin/env python3
"""Check that docker/Dockerfile builds what there is and installs what the programs need: folders
of the build are copied, libraries come from packages of the runtime image, nobody is root.

    tests/image.py PROGRAM...
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE = ROOT / "docker/Dockerfile"
ALWAYS = {"libc6"}  # part of any Debian


def stages(text):
    """Text of each stage by its name."""
    found = re.split(r"^FROM .* AS (\w+)$", text.replace("\\\n", " "), flags=re.M)
    return dict(zip(found[1::2], found[2::2]))


def copied(stage):
    """Sources that COPY takes from the tree."""
    lines = re.findall(r"^COPY (?!--from)(.*)$", stage, re.M)
    return [source for line in lines for source in line.split()[:-1]]


def libraries(program):
    """Names of the shared libraries that @program wants."""
    read = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True)
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", read.stdout))


def packages(library):
    """The packages that @library comes from on this machine: several, if for several machines."""
    found = subprocess.run(["dpkg", "-S", f"*/{library}"], check=False, capture_output=True,
                           text=True)
    return {line.split(":")[0] for line in found.stdout.splitlines()}


def main():
    text = FILE.read_text()
    parts = stages(text)
    installed = set(re.findall(r"[\w.+-]+", " ".join(
        re.findall(r"apt-get install (.*?)&&", parts["base"], re.S))))
    folders = re.findall(r"^subdir\('(\w+)'\)", (ROOT / "meson.build").read_text(), re.M)
    wanted = {name for program in sys.argv[1:] for name in libraries(program)
              if not re.match(r"lib(asan|ubsan)\b", name)}
    errors = [f"COPY {source}: there is no such file" for stage in parts.values()
              for source in copied(stage) if not (ROOT / source).exists()]
    errors += [f"{folder}: built, but not copied" for folder in folders
               if folder not in copied(parts["build"])]
    errors += [f"stage {name} ends as root" for name in ("parts", "runtime")
               if not re.findall(r"^USER (?!0|root)", parts[name], re.M)]
    if shutil.which("dpkg"):
        errors += [f"{library}: of {', '.join(sorted(packages(library)))}, which the image doesn't install"
                   for library in sorted(wanted)
                   if not packages(library) & (installed | ALWAYS)]
    for error in errors:
        print(f"{FILE.name}: {error}")
    print(f"image: {len(wanted)} libraries, {len(errors)} errors")
    return 1 if errors or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
