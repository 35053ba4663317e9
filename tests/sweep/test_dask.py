"""A Dask cluster: the bytes of threads, from workers that share no disk, die, join late, or are not fit."""

import logging
import re
import shutil
from dataclasses import replace

import pytest

from pipeline.base.errors import LostWorkerError, SettingsError
from pipeline.sweep.dask import dask_pool
from pipeline.sweep.driver import Outcome, drive
from pipeline.sweep.executors import pool
from tests.helpers.cluster import DaskCluster, Meddler, points_of_digits, without_the_package
from tests.helpers.commands import ROOT, contents, until
from tests.helpers.records import Recorder, small_settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The files of all records, computed by threads."""
    folder = tmp_path_factory.mktemp("threads")
    points = points_of_digits(folder, "threads")
    drive(points, pool(points[0].settings.compute), Recorder())
    return contents(folder / "small" / "points")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """One scheduler for all tests; it cannot import the package."""
    folder = tmp_path_factory.mktemp("cluster")
    started = DaskCluster(folder, without_the_package(folder / "without"))
    yield started
    started.close()


@pytest.fixture
def cluster(scheduler):
    """The scheduler without a worker."""
    yield scheduler
    scheduler.kill(*[scheduler.workers[number] for number in scheduler.names().values()])


def sweep(tmp_path, cluster, observer):
    points = points_of_digits(tmp_path, "dask", cluster.address)
    return drive(points, pool(points[0].settings.compute), observer)


def records(tmp_path):
    return contents(tmp_path / "small" / "points")


def test_workers_give_the_bytes_of_threads_and_get_the_images_once(tmp_path, cluster, expected):
    cluster.add(ROOT, ROOT)
    assert sweep(tmp_path, cluster, Recorder()) == Outcome(6, 0)
    assert records(tmp_path) == expected
    assert set(cluster.arrivals("pictures").values()) == {1}
    assert all(cluster.arrivals("block").values())
    assert list(cluster.folder.iterdir()) == []


def test_a_worker_that_is_killed_costs_its_block(tmp_path, cluster, expected, caplog):
    cluster.add(ROOT, ROOT)

    def kill():
        until(cluster.busy)
        cluster.kill(cluster.busy()[0])

    with caplog.at_level(logging.INFO):
        meddler = Meddler(kill)
        assert sweep(tmp_path, cluster, meddler) == Outcome(6, 0)
    meddler.thread.join()
    assert records(tmp_path) == expected


def test_all_workers_and_with_them_the_images_are_killed_and_new_ones_go_on(tmp_path, cluster, expected, caplog):
    workers = cluster.add(ROOT, ROOT)

    def kill():
        until(cluster.busy)
        cluster.kill(*workers)
        until(lambda: "waiting for one" in caplog.text)
        cluster.add(ROOT)

    with caplog.at_level(logging.INFO):
        assert sweep(tmp_path, cluster, Meddler(kill)) == Outcome(6, 0)
    assert records(tmp_path) == expected
    # Both are told of, at once or one after the other.
    died = re.findall(r"(\d+) of \d+ workers of \S+ died", caplog.text)
    assert sum(map(int, died)) == 2 and "given out again" in caplog.text


def test_the_driver_waits_for_workers_and_uses_late_ones(tmp_path, cluster, expected, caplog):
    def first():
        until(lambda: "waiting for one" in caplog.text)
        cluster.add(ROOT)

    waiting = Meddler(first)
    waiting.thread.start()

    def late(iteration):
        # The driver waits meanwhile, and then has most of the sweep to do.
        if len(cluster.names()) == 1 and iteration <= 40:
            cluster.add(ROOT)

    points = points_of_digits(tmp_path, "dask", cluster.address)
    # Short blocks: the sweep lasts until the late worker is there.
    workers = replace(pool(points[0].settings.compute), seconds=0.05)
    assert drive(points, workers, Recorder(late)) == Outcome(6, 0)
    waiting.thread.join()
    assert records(tmp_path) == expected
    assert caplog.text.count("waiting for one") == 1
    assert all(cluster.arrivals("block").values())


def test_a_worker_without_the_package_or_with_another_one_gets_no_blocks(tmp_path, cluster, expected, caplog):
    other = tmp_path / "other"
    shutil.copytree(ROOT / "pipeline", other / "pipeline")
    with (other / "pipeline" / "settings.py").open("a") as file:
        file.write("# Another version.\n")
    unfit = [without_the_package(tmp_path / "without"), other]
    cluster.add(*unfit)
    seen = Recorder()
    assert sweep(tmp_path, cluster, seen) == Outcome(0, 6)
    assert {type(error) for error in seen.errors} == {LostWorkerError}
    assert "can be used" in str(seen.errors[0]) and len(str(seen.errors[0]).splitlines()) == 1
    assert "cannot import the package" in caplog.text and "another version" in caplog.text
    cluster.add(ROOT)
    assert sweep(tmp_path, cluster, Recorder()) == Outcome(6, 0)
    assert records(tmp_path) == expected


def test_a_scheduler_that_is_killed_fails_what_is_left_and_the_same_sweep_goes_on(tmp_path, expected):
    cluster = DaskCluster(tmp_path / "cluster", ROOT)
    try:
        cluster.add(ROOT)
        seen = Meddler(cluster.scheduler.kill)
        outcome = sweep(tmp_path, cluster, seen)
    finally:
        cluster.close()
    assert outcome.failed and outcome.done + outcome.failed == 6
    (line,) = {str(error) for error in seen.errors}
    assert cluster.address in line and "is gone" in line and "\n" not in line
    assert records(tmp_path).items() <= expected.items()
    points = points_of_digits(tmp_path, "threads")
    assert drive(points, pool(points[0].settings.compute), Recorder()) == Outcome(6, 0)
    assert records(tmp_path) == expected


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "tcp://nowhere.invalid:8786"])
def test_no_scheduler_is_one_line(tmp_path, address):
    compute = replace(small_settings(tmp_path).compute, executor="dask", scheduler=address)
    with pytest.raises(SettingsError, match=r"compute.scheduler: .*" + address) as raised:
        dask_pool(compute, 1, 1)
    assert len(str(raised.value).splitlines()) == 1
