"""Floors under a sweep's cost: the same files and database rows written raw, the same training without any record."""

import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..sweep.point import Point, group
from ..training.block import Task, start, train_block

Insert = tuple[str, tuple[Any, ...]]
# What says in MLflow's tables to which run a row belongs.
OWNERS = ("run_uuid", "destination_id")


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative path; nothing when there is no such folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def write_files(contents: dict[str, bytes], folder: Path, sync: bool) -> float:
    """The seconds that it takes to write files into a new folder, with an fsync of each or not."""
    begin = time.perf_counter()
    for place in {str(Path(name).parent) for name in contents}:
        (folder / place).mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        with (folder / name).open("wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
    return time.perf_counter() - begin


@dataclass(frozen=True)
class Rows:
    """What a filled database holds. schema: its tables and indices. runs: for each run its rows; the rest comes first."""

    schema: list[str]
    runs: list[list[Insert]]

    @staticmethod
    def of(database: Path) -> "Rows":
        groups: dict[str, list[Insert]] = defaultdict(list)
        connection = sqlite3.connect(database)
        try:
            made = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql NOT NULL ORDER BY type = 'index'")
            entries = [entry for entry in made.fetchall() if not entry[1].startswith("sqlite_")]
            for name in (name for kind, name, _ in entries if kind == "table"):
                cursor = connection.execute(f'SELECT * FROM "{name}"')
                columns = [column[0] for column in cursor.description]
                owner = next((columns.index(column) for column in OWNERS if column in columns), None)
                insert = f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(columns))})'
                for row in cursor:
                    groups["" if owner is None else str(row[owner])].append((insert, row))
        finally:
            connection.close()
        rest = groups.pop("", [])
        return Rows([sql for _, _, sql in entries], [rest, *groups.values()])

    def write(self, database: Path) -> float:
        """The seconds that it takes to make the same database anew, a transaction a run, as safe as the tracker's."""
        begin = time.perf_counter()
        connection = sqlite3.connect(database, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            for statements in [[(sql, ()) for sql in self.schema], *self.runs]:
                connection.execute("BEGIN")
                for sql, values in statements:
                    connection.execute(sql, values)
                connection.execute("COMMIT")
        finally:
            connection.close()
        return time.perf_counter() - begin


def train_alone(points: Sequence[Point], workers: int) -> float:
    """The seconds that the points' trajectories take, each in one block, on threads; nothing is evaluated or written."""
    tasks = []
    for trajectory in group(points):
        last = trajectory.last
        tasks.append((Task(last.settings, start(last.settings, last.dataset), 0, last.iterations, False), last.dataset))
    begin = time.perf_counter()
    with ThreadPoolExecutor(workers) as threads:
        for future in [threads.submit(train_block, task, dataset) for task, dataset in tasks]:
            future.result()
    return time.perf_counter() - begin


def first_blocks(points: Sequence[Point]) -> None:
    """Train each trajectory a little: what is compiled must be loaded before anything is timed."""
    for trajectory in group(points):
        last = trajectory.last
        train_block(Task(last.settings, start(last.settings, last.dataset), 0, 1, False), last.dataset)
