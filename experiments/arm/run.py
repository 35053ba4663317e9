"""The same trainings by an aarch64 Python under emulation and by this machine's own: are the bytes the same?

python experiments/arm/run.py FOLDER

As root on Debian x86-64 with debootstrap and qemu-user-static. FOLDER, new or of an earlier call, gets Debian's aarch64 Python
and PyPI's aarch64 wheels in the versions of constraints.txt, a gigabyte; digests.csv beside this file is written anew.
"""

import csv
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLATFORMS = [f"--platform=manylinux{version}_aarch64" for version in ("2014", "_2_17", "_2_26", "_2_27", "_2_28")]
# What a sweep imports with tracking=off. The second list is Python alone, part of it without wheels, so pip may build it here.
WHEELS = ["filelock", "joblib", "matplotlib", "numba", "numpy", "packaging"]
WHEELS += ["pandas", "pillow", "pyyaml", "scikit-learn", "tqdm"]
PLAIN = ("antlr4-python3-runtime", "hydra-core", "omegaconf")
EXPERIMENTS = ("notebook_grid", "digits")
TABLES = ("points.csv", "summary.csv", "metrics.json")
# Workers of other processes are started by this name: the kernel itself cannot start a program of another CPU.
START = 'import os, sys\nsys.executable = sys._base_executable = os.environ["ARM_PYTHON"]\n'
PYTHON = """#!/bin/sh
cd {folder}/work || exit
exec env -i PATH=/usr/bin:/bin HOME={folder}/work ARM_PYTHON={folder}/python NUMBA_CACHE_DIR={folder}/compiled \
PYTHONPATH={folder}/start:{root}:{folder}/site qemu-aarch64-static -L {folder}/tree {folder}/tree/usr/bin/python3 "$@"
"""


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "work").exists():
        set_up(folder)
    (folder / "python").write_text(PYTHON.format(folder=folder, root=ROOT))
    (folder / "python").chmod(0o755)
    figures: dict[str, object] = versions(folder)
    pythons = {"arm": str(folder / "python"), "here": sys.executable}
    for name, python in pythons.items():
        # Records of an earlier call would be kept instead of trained.
        shutil.rmtree(folder / name, ignore_errors=True)
        began = time.monotonic()
        run(python, str(HERE / "digests.py"), str(folder / f"{name}.csv"))
        for experiment in EXPERIMENTS:
            words = [f"experiment={experiment}", "tracking=off", f"paths.experiments={folder / name}"]
            run(python, "-m", "pipeline.train", *words)
        figures[f"seconds, {name}"] = round(time.monotonic() - began)
    (HERE / "digests.csv").write_bytes((folder / "arm.csv").read_bytes())
    figures |= compared(folder)
    print("| measured | |\n|---|---|")
    for name, value in figures.items():
        print(f"| {name} | {value} |")
    return int(any(value for name, value in figures.items() if "differ" in name))


def set_up(folder: Path) -> None:
    """Nothing of Debian's is run or configured: the packages are unpacked."""
    tree, site = folder / "tree", folder / "site"
    command = ["debootstrap", "--foreign", "--arch=arm64", "--variant=minbase", "--include=python3,libstdc++6,libgomp1"]
    run(*command, "bookworm", str(tree), "http://deb.debian.org/debian")
    for package in sorted((tree / "var/cache/apt/archives").glob("*.deb")):
        run("dpkg-deb", "--extract", str(package), str(tree))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(site), "-c", str(ROOT / "constraints.txt")]
    run(*pip, "--only-binary=:all:", "--python-version=3.11", "--implementation=cp", *PLATFORMS, *WHEELS)
    run(*pip, "--no-deps", *PLAIN)
    for name in ("start", "work"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "start" / "sitecustomize.py").write_text(START)


def versions(folder: Path) -> dict[str, object]:
    asked = "import platform as p, numpy, numba; print(p.machine(), p.python_version(), numpy.__version__, numba.__version__)"
    qemu = subprocess.run(["qemu-aarch64-static", "--version"], check=True, capture_output=True, text=True).stdout
    found: dict[str, object] = {"qemu": qemu.split()[2]}
    for name, python in (("arm", str(folder / "python")), ("here", sys.executable)):
        printed = subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True).stdout.split()
        found[f"CPU, Python, NumPy, Numba, {name}"] = ", ".join(printed)
    return found


def compared(folder: Path) -> dict[str, object]:
    arm, here = (list(csv.reader((folder / f"{name}.csv").open())) for name in ("arm", "here"))
    pairs = list(zip(arm[1:], here[1:], strict=True))
    figures: dict[str, object] = {}
    for kind in dict.fromkeys(row[0] for row in arm[1:]):
        figures[f"digests, {kind}"] = sum(a[0] == kind for a, _ in pairs)
        figures[f"digests that differ, {kind}"] = sum(a != b for a, b in pairs if a[0] == kind)
    for name in EXPERIMENTS:
        ours, theirs = (contents(folder / machine / name / "points") for machine in ("arm", "here"))
        figures[f"files of records, {name}"] = len(theirs)
        figures[f"of these checkpoints, {name}"] = sum(path.endswith("checkpoint.npz") for path in theirs)
        differing = {path for path in {*ours, *theirs} if ours.get(path) != theirs.get(path)}
        figures[f"files that differ, {name}"] = len(differing)
        committed = [(folder / "arm" / name / table, ROOT / "experiments" / name / table) for table in TABLES]
        figures[f"committed tables that differ, {name}"] = sum(a.read_bytes() != b.read_bytes() for a, b in committed)
    return figures


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def run(*words: str) -> None:
    subprocess.run(words, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
