"""Who trains a trajectory: one process at a time, also when many commands want it at once."""

from pathlib import Path

from filelock import FileLock, Timeout

from ..base.files import is_held

# Lock files stay when they are released, so there are at most so many: trajectories share them.
SHARDS = 64


class Locks:
    """The trajectories of one process. Trajectories that share a file are both its own; no one ever waits holding a lock."""

    def __init__(self) -> None:
        self._held: dict[Path, tuple[FileLock, int]] = {}

    def take(self, experiment: Path, trajectory: str) -> bool:
        """Whether this trajectory may be trained here now."""
        path = _path(experiment, trajectory)
        lock, count = self._held.get(path, (FileLock(path, thread_local=False), 0))
        if count == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return False
        self._held[path] = lock, count + 1
        return True

    def release(self, experiment: Path, trajectory: str) -> None:
        """Let others train what belongs to this trajectory's file, once nothing else here does."""
        path = _path(experiment, trajectory)
        lock, count = self._held.pop(path)
        if count > 1:
            self._held[path] = lock, count - 1
        else:
            lock.release()

    def close(self) -> None:
        """Let others train all of them."""
        for lock, _ in self._held.values():
            lock.release()
        self._held.clear()


def is_trained(experiment: Path, trajectory: str) -> bool:
    """Whether some process has this trajectory now, or one that shares its file. Nothing is written."""
    return bool(is_held(_path(experiment, trajectory)))


def _path(experiment: Path, trajectory: str) -> Path:
    return experiment / "work" / "locks" / f"{int(trajectory, 16) % SHARDS:02d}.lock"
