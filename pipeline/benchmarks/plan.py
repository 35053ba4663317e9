"""How much is measured: in full, or quickly."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sweeps:
    """How often commands run: rounds, starts (the shortest one), compilations (of the kernel sizes `compiled`).

    shorter, longer: points of the two sweeps whose difference tells what a point costs. many: points of the long sweep,
    which is looked at after `early` of them. recorded: points that are compared. Both are even: half of them is asked for.
    """

    rounds: int = 3
    starts: int = 5
    compilations: int = 2
    compiled: tuple[int, ...] = (3, 5, 7)
    shorter: int = 30
    longer: int = 230
    many: int = 1000
    early: int = 100
    recorded: int = 10_000


FULL_SWEEPS = Sweeps()


@dataclass(frozen=True)
class Plan:
    """rounds: turns of everyone. images, test: at most so many of Fashion-MNIST. loops, numpy, torch, one_by_one: how many
    images, times heads, times filters, one turn of such a contestant sees at most; its time is scaled to the whole job.

    filters and batches: of the epochs. target_rounds: of the CPU targets. growth: what is varied, and its values.
    logistic_iterations, epochs: how long scikit-learn and the heads learn, on so many `accuracy_images`. memory: workers of
    each training, and its iterations. sweeps: of whole commands, or None.
    """

    rounds: int = 5
    images: int = 60000
    test: int = 10000
    loops: int = 100
    numpy: int = 20_000
    torch: int = 614_400
    one_by_one: int = 38_400
    compiled: bool = True
    kernel_size: int = 5
    # The kernel sizes of the Fashion-MNIST epochs: the project's default, and the one of the share of the peak.
    epoch_kernel_sizes: tuple[int, ...] = (3, 5)
    filters: tuple[int, ...] = (1, 8)
    batches: tuple[int, ...] = (32, 128)
    peak_images: int = 6400
    target_rounds: int = 3
    growth_images: int = 6400
    growth: tuple[tuple[str, tuple[int, ...]], ...] = (
        ("images", (960, 1920, 3840, 7680, 15360, 30720, 60000)),
        ("heads", (1, 2, 5, 10, 20, 40)),
        ("filters", (1, 2, 4, 8, 16, 32)),
        ("kernel size", (1, 3, 5, 7, 9, 11)),
    )
    accuracy_rounds: int = 3
    accuracy_images: int = 10000
    logistic_iterations: int = 100
    epochs: int = 30
    memory_rounds: int = 3
    memory: tuple[int, ...] = (1, 2, 4)
    memory_iterations: int = 3000
    sweeps: Sweeps | None = FULL_SWEEPS


FULL = Plan()
QUICK = Plan(
    rounds=2,
    images=6400,
    test=2000,
    loops=20,
    numpy=2_000,
    torch=64_000,
    one_by_one=1_600,
    compiled=False,
    epoch_kernel_sizes=(5,),
    peak_images=1600,
    target_rounds=1,
    growth_images=1600,
    growth=(("images", (640, 1920, 6400)), ("heads", (1, 5, 20)), ("filters", (1, 4, 16)), ("kernel size", (3, 5))),
    accuracy_rounds=1,
    accuracy_images=1000,
    logistic_iterations=20,
    epochs=10,
    memory_rounds=1,
    memory=(1, 4),
    memory_iterations=300,
    sweeps=Sweeps(rounds=1, starts=2, compilations=1, compiled=(3,), shorter=4, longer=24, many=50, early=10, recorded=200),
)
