"""A sweep on three hosts whose workers are killed at random moments, and the same sweep by threads: are the bytes the same?

python experiments/cluster/run.py

As root on Linux: the hosts are network namespaces with addresses, links and counted bytes of their own, and the workers see an
empty folder where the driver's files lie. The workers' processes know the package and nothing else of the project.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SWEEP = ["-m", "model.kernel_size=3,5", f"training.alpha={','.join(str(n / 40) for n in range(1, 21))}",
         "training.iterations=200,400,800,1600,3200", "training.batch_size=64", "data=digits", "tracking=off"]  # fmt: skip
# Host 0 is the driver's and the scheduler's; hosts 1 and 2 have a worker each.
HOSTS = ("ovrcnn-0", "ovrcnn-1", "ovrcnn-2")
SCHEDULER = "tcp://10.77.0.1:8786"
SEED, BETWEEN_KILLS = 7, (1.0, 2.5)


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ovrcnn-cluster-")))
        stack.callback(lambda: [ip("netns", "del", host) for host in HOSTS])
        make_hosts()
        figures = on_hosts(folder, stack)
    return report(figures)


def on_hosts(folder: Path, stack: ExitStack) -> dict[str, object]:
    """The sweep on hosts with kills, again without, then by threads; what was measured."""
    started = [start(0, folder, "-m", "dask", "scheduler", "--host", "10.77.0.1", "--no-dashboard",
                     "--preload", str(Path(__file__).with_name("count.py")))]  # fmt: skip
    stack.callback(lambda: [process.kill() for process in started])
    workers = {host: start_worker(host, folder) for host in (1, 2)}
    started += workers.values()
    before = {host: received(host) for host in workers}
    began = time.monotonic()
    driver = train(0, folder, "hosts", "compute=dask", f"compute.scheduler={SCHEDULER}")
    started.append(driver)
    chance, kills = random.Random(SEED), 0
    # The first kill may come when the first blocks are out.
    while driver.poll() is None and not list(folder.glob("hosts/scratch/points/*/*/SHA256SUMS")):
        time.sleep(0.05)
    while driver.poll() is None:
        try:
            driver.wait(chance.uniform(*BETWEEN_KILLS))
        except subprocess.TimeoutExpired:
            host = chance.choice(list(workers))
            workers[host].kill()
            workers[host].wait()
            workers[host] = start_worker(host, folder)
            started.append(workers[host])
            kills += 1
    seconds = time.monotonic() - began
    with_kills = {host: received(host) - before[host] for host in workers}
    before = {host: received(host) for host in workers}
    calm, calm_seconds = timed(train(0, folder, "calm", "compute=dask", f"compute.scheduler={SCHEDULER}"))
    without = {host: received(host) - before[host] for host in workers}
    threads, threads_seconds = timed(train(0, folder, "threads", "compute=threads"))
    counts = json.loads((folder / "counts.json").read_text())
    ours, quiet, theirs = (contents(folder / name / "scratch" / "points") for name in ("hosts", "calm", "threads"))
    return {
        "exit codes": f"{driver.returncode}, {calm}, {threads}",
        "points": sum(name.endswith("SHA256SUMS") for name in ours),
        "kill -9 of a worker": kills,
        "blocks given out, both sweeps": counts["blocks given out"],
        "of these given out again": counts.get("blocks given out again", 0),
        "seconds on the hosts, with kills": round(seconds, 1),
        "seconds on the hosts, without kills": calm_seconds,
        "seconds by threads": threads_seconds,
        "bytes that reached the workers' hosts, with kills": each(with_kills),
        "bytes that reached the workers' hosts, without kills": each(without),
        "files of records compared": len(theirs),
        "files that differ, with kills": differing(ours, theirs),
        "files that differ, without kills": differing(quiet, theirs),
        "files in the workers' folders": sum(len(list((folder / f"host-{host}").iterdir())) for host in workers),
    }


def timed(process: "subprocess.Popen[bytes]") -> tuple[int, float]:
    """Its exit code, and the seconds until then."""
    began = time.monotonic()
    return process.wait(), round(time.monotonic() - began, 1)


def each(counts: dict[int, int]) -> str:
    return ", ".join(f"{count:,}" for count in counts.values())


def differing(some: dict[str, bytes], others: dict[str, bytes]) -> int:
    return len({name for name in {*some, *others} if some.get(name) != others.get(name)})


def make_hosts() -> None:
    """Three network namespaces, joined by a bridge that stands in the first: nothing of this machine's own network changes."""
    for host in HOSTS:
        ip("netns", "add", host)
        ip("-n", host, "link", "set", "lo", "up")
    ip("-n", HOSTS[0], "link", "add", "bridge", "type", "bridge")
    ip("-n", HOSTS[0], "addr", "add", "10.77.0.1/24", "dev", "bridge")
    ip("-n", HOSTS[0], "link", "set", "bridge", "up")
    for number, host in enumerate(HOSTS[1:], 1):
        ip("-n", HOSTS[0], "link", "add", f"to-{number}", "type", "veth", "peer", "name", "eth0", "netns", host)
        ip("-n", HOSTS[0], "link", "set", f"to-{number}", "master", "bridge", "up")
        ip("-n", host, "addr", "add", f"10.77.0.{number + 1}/24", "dev", "eth0")
        ip("-n", host, "link", "set", "eth0", "up")


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def received(host: int) -> int:
    """The bytes that came to a host."""
    [link] = json.loads(ip("-n", HOSTS[host], "-json", "-statistics", "link", "show", "eth0"))
    return int(link["stats64"]["rx"]["bytes"])


def start(host: int, folder: Path, *words: str, hidden: bool = False) -> "subprocess.Popen[bytes]":
    """Python on a host, started in an empty folder and the package in reach; hidden: it sees none of the driver's files."""
    empty = folder / f"host-{host}"
    empty.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(empty), "PYTHONPATH": str(ROOT)}
    environment["OVRCNN_COUNTS"] = str(folder / "counts.json")
    # The namespace of a host has mounts of its own; a working folder that was entered before stays.
    hide = f'mount -t tmpfs tmpfs "{folder}" && mount -t tmpfs tmpfs "{ROOT}/experiments" && ' if hidden else ""
    line = ["ip", "netns", "exec", HOSTS[host], "sh", "-c", f'{hide}exec "$@"', "sh", sys.executable, *words]
    with (folder / f"log-{host}.txt").open("ab") as log:
        return subprocess.Popen(line, cwd=empty, env=environment, stdout=log, stderr=log)


def start_worker(host: int, folder: Path) -> "subprocess.Popen[bytes]":
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", f"10.77.0.{host + 1}"]
    return start(host, folder, "-m", "dask", "worker", SCHEDULER, *options, hidden=True)


def train(host: int, folder: Path, name: str, *words: str) -> "subprocess.Popen[bytes]":
    return start(host, folder, "-m", "pipeline.train", *SWEEP, f"paths.experiments={folder / name}", *words)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def report(figures: dict[str, object]) -> int:
    print("| measured | |\n|---|---|")
    for name, value in figures.items():
        print(f"| {name} | {value} |")
    wrong = [figures["files that differ, with kills"], figures["files that differ, without kills"]]
    return 0 if not any(wrong) and figures["exit codes"] == "0, 0, 0" else 1


if __name__ == "__main__":
    sys.exit(main())
