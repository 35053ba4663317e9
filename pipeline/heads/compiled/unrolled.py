"""The three blocks of the engine that are unrolled over the kernel, as code that writes LLVM instructions.

The padded image lies in memory as its four phases: phase (y, x) holds the pixels of rows y, y + 2, ... and columns x,
x + 2, .... Pooled value (i, j) comes from the four feature map values at rows 2i + p and columns 2j + q, and those read
padded pixels (2i + p + u, 2j + q + v). With a = p + u and b = q + v that is row i + a // 2 and column j + b // 2 of phase
(a % 2, b % 2): for fixed a and b, neighbouring pooled values read neighbouring numbers. The k + 1 values of a and of b
therefore give the (k + 1)^2 vectors from which everything follows, the feature map as well as the kernel's gradient.

All phases have one row length, `stride`, and the pooled values are numbered with the same one, so that value
`start` = i * stride + j reads number start + (a // 2) * stride + b // 2 of a phase, and a vector may go across rows. What
the columns at the end of a row hold there is no pooled value; the caller masks it.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .vectors import Codegen, element_pointer, emit_fma, emit_load, emit_splat, llvm_type, operation, vector_of

# For arguments that must be constants where the operation is called.
literal_operation = cast(Callable[[Callable[..., tuple[Any, Codegen]]], Callable[..., Any]], intrinsic(prefer_literal=True))
# Sums that stay in registers in one pass over an image: CPUs with AVX-512 and Arm have 32, and the pass needs others.
REGISTERS = 25


def rows_to_a_pass(kernel_size: int) -> int:
    """Kernel rows whose gradient `route` sums in one pass."""
    return min(kernel_size, max(1, REGISTERS // kernel_size))


class Phases:
    """Writes the loads of an image's phases, `length` numbers each, for the vectors of pooled values at `start`."""

    def __init__(self, context: Any, builder: Any, array_type: Any, args: Any) -> None:
        self.builder, self.type = builder, vector_of(array_type)
        array, self.start, self.length, self.stride = args
        self.base = element_pointer(context, builder, array_type, array, self.start)

    def row(self, a: int | ir.Value) -> Any:
        """The address of row a's first vector."""
        index = self.builder
        if isinstance(a, int):
            a = ir.IntType(64)(a)
        parity, skipped = index.and_(a, a.type(1)), index.lshr(a, a.type(1))
        offset = index.add(index.mul(parity, index.shl(self.length, a.type(1))), index.mul(skipped, self.stride))
        return index.gep(self.base, [offset])

    def load(self, row: Any, b: int) -> Any:
        phase = self.builder.mul(self.length, self.length.type(b % 2))
        offset = self.builder.add(phase, phase.type(b // 2))
        return emit_load(self.builder, self.builder.gep(row, [offset]), llvm_type(self.type), 64 // self.type.lanes)


def tuple_of(vector: Any, count: int) -> Any:
    return types.UniTuple(vector, count)  # type: ignore[no-untyped-call]  # Numba's has no hints


def unpack(builder: Any, values: Any) -> list[Any]:
    return [builder.extract_value(values, index) for index in range(len(values.type))]


def pack(builder: Any, values: list[Any]) -> Any:
    array = ir.Constant(ir.ArrayType(values[0].type, len(values)), ir.Undefined)
    for index, value in enumerate(values):
        array = builder.insert_value(array, value, index)
    return array


@operation
def convolve(_: Any, phases: Any, position: Any, kernels: Any, first: Any, size: Any, bias: Any) -> tuple[Any, Codegen]:
    """convolve(phases, (start, length, stride), kernels, first, size, bias): the feature map at the four places of the
    windows of one vector of pooled values, in reading order. The kernel begins at kernels[first]; `size` is a tuple of
    length k.

    Each multiply-add waits for the one before it in its sum, and four sums do not keep a CPU busy that begins two a cycle.
    So every sum runs in two chains, one for the kernel's even columns and one for its odd ones; small kernels do without,
    where the CPU reaches the next vectors early enough.
    """
    k = len(size)
    two_chains = k > 3

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pixels = Phases(context, builder, phases, [args[0], *unpack(builder, args[1])])
        tap_at = element_pointer(context, builder, kernels, args[2], args[3])
        chains: list[list[Any]] = [[args[5], ir.Constant(args[5].type, None)] for _ in range(4)]
        taps: list[Any] = []
        for a in range(k + 1):
            row, above = pixels.row(a), taps
            numbers = [builder.load(builder.gep(tap_at, [ir.IntType(64)(a * k + v)])) for v in range(k) if a < k]
            taps = [emit_splat(builder, number, pixels.type.lanes) for number in numbers]
            for b in range(k + 1):
                pixel = pixels.load(row, b)
                for place, chain in enumerate(chains):
                    row_taps, v = (taps, above)[place // 2], b - place % 2
                    if row_taps and 0 <= v < k:
                        link = v % 2 if two_chains else 0
                        chain[link] = emit_fma(builder, row_taps[v], pixel, chain[link])
        if not two_chains:
            return pack(builder, [chain[0] for chain in chains])
        return pack(builder, [builder.fadd(even, odd) for even, odd in chains])

    return tuple_of(bias, 4)(phases, position, kernels, types.intp, size, bias), emit


@literal_operation
def no_sums(_: Any, phases: Any, size: Any, rest: Any) -> tuple[Any, Codegen]:
    """no_sums(phases, size, rest): zero vectors for the gradient of the kernel rows of one pass, or, if `rest` is True, of
    the last one, which may have fewer rows."""
    rows = rows_to_a_pass(len(size))
    rows = len(size) % rows or rows if rest.literal_value else rows
    sums = tuple_of(vector_of(phases), rows * len(size))

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(context.get_value_type(sums), None)

    return sums(phases, size, rest), emit


@operation
def route(_: Any, sums: Any, phases: Any, position: Any, size: Any, weight: Any, lower: Any, right: Any) -> tuple[Any, Codegen]:
    """route(sums, phases, (start, length, stride, first), size, weight, lower, right): add weight * pixel to the sums of the
    kernel rows from `first` on, where the pixel is the one that row u and column v of the kernel met at the maximum of
    the window, which lies in its lower row and right column according to the masks.

    Choosing between left and right once for each row of pixels, then between upper and lower, takes about half as many
    instructions as four masked sums."""
    columns = len(size)
    rows = len(sums) // columns

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        total, (weight, lower, right) = unpack(builder, args[0]), args[4:]
        *start, first_row = unpack(builder, args[2])
        pixels = Phases(context, builder, phases, [args[1], *start])
        above: list[Any] = []
        for a in range(rows + 1):
            row = pixels.row(builder.add(first_row, first_row.type(a)))
            chosen, left = [], pixels.load(row, 0)
            for v in range(columns):
                next_pixel = pixels.load(row, v + 1)
                chosen.append(builder.select(right, next_pixel, left))
                left = next_pixel
                if above:
                    pixel = builder.select(lower, chosen[v], above[v])
                    place = (a - 1) * columns + v
                    total[place] = emit_fma(builder, weight, pixel, total[place])
            above = chosen
        return pack(builder, total)

    return sums(sums, phases, position, size, weight, lower, right), emit


@operation
def add_scaled(_: Any, array: Any, first: Any, scale: Any, sums: Any) -> tuple[Any, Codegen]:
    """add_scaled(array, first, scale, sums): add scale * sums to the vectors that lie in the array from `first` on."""
    vector = vector_of(array)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element_pointer(context, builder, array, *args[:2])
        pointer = builder.bitcast(pointer, llvm_type(vector).as_pointer())
        for index, value in enumerate(unpack(builder, args[3])):
            place = builder.gep(pointer, [ir.IntType(64)(index)])
            old = builder.load(place, align=64 // vector.lanes)
            builder.store(emit_fma(builder, args[2], value, old), place, align=64 // vector.lanes)
        return context.get_dummy_value()

    return types.void(array, types.intp, scale, sums), emit


@operation
def load_pixels(_: Any, images: Any, last: Any, at_end: Any, first: Any, scale: Any) -> tuple[Any, Codegen]:
    """load_pixels(images, last, at_end, first, scale): stored numbers first, first + 2, ... and first + 1, first + 3, ... of
    `images`, or `at_end` of `last`, as pixels: two vectors of scale's type, converted, then multiplied by it."""
    lanes = scale.lanes

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        both = ir.VectorType(context.get_data_type(images.dtype), 2 * lanes)
        usual, end = (element_pointer(context, builder, images, array, args[3]) for array in args[:2])
        pointer = builder.bitcast(builder.select(args[2], end, usual), both.as_pointer())
        loaded = builder.load(pointer, align=images.dtype.bitwidth // 8)
        indices = ir.VectorType(ir.IntType(32), lanes)
        halves = [
            builder.shuffle_vector(loaded, loaded, ir.Constant(indices, list(range(odd, 2 * lanes, 2)))) for odd in (0, 1)
        ]
        return pack(builder, [builder.fmul(convert(builder, half, llvm_type(scale)), args[4]) for half in halves])

    return tuple_of(scale, 2)(images, images, types.boolean, types.intp, scale), emit


def convert(builder: Any, stored: Any, vector: ir.VectorType) -> Any:
    """Stored uint8, float32 or float64 as numbers of the vector's type, rounded to nearest."""
    if isinstance(stored.type.element, ir.IntType):
        # Through signed 32 bits, for which every CPU has an instruction.
        return builder.sitofp(builder.zext(stored, ir.VectorType(ir.IntType(32), vector.count)), vector)
    if stored.type == vector:
        return stored
    if vector.element == ir.DoubleType():
        return builder.fpext(stored, vector)
    return builder.fptrunc(stored, vector)
