"""The gradient of some neighbouring taps of a kernel, a tile: a vector of sums a tap, as a tuple of rows.

The vectors may be parts of whole ones, see registers.py: then all that has to do with the first part is summed, then the next.
"""

from typing import Any

from llvmlite import ir
from numba import types

from .registers import PARTS
from .tuples import literal_operation, load_at, pack, tuple_of, unpack, vector_pointer
from .vectors import (
    VECTOR_BYTES,
    Codegen,
    VectorType,
    element_pointer,
    emit_fma,
    emit_load,
    emit_splat,
    llvm_type,
    operation,
    vector_of,
)


def part_of(array: Any) -> VectorType:
    """The type of the parts of the array's vectors."""
    whole = vector_of(array)
    return VectorType(whole.dtype, whole.lanes // PARTS)


@literal_operation
def no_tile(_: Any, windows: Any, rows: Any, columns: Any) -> tuple[Any, Codegen]:
    """no_tile(windows, rows, columns): the sums of a tile of that size, all 0."""
    sums = tuple_of(tuple_of(part_of(windows), columns.literal_value), rows.literal_value)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(context.get_value_type(sums), None)

    return sums(windows, rows, columns), emit


@operation
def starts_of(_: Any, sums: Any, starts: Any, first: Any, shift: Any) -> tuple[Any, Codegen]:
    """starts_of(sums, starts, first, shift): where the rows of pixels begin that a tile from kernel row `first` on meets, one
    more than it has rows: starts[first] + shift and those that follow."""
    rows = len(sums) + 1

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointers = [
            element_pointer(context, builder, starts, args[1], builder.add(args[2], args[2].type(row))) for row in range(rows)
        ]
        return pack(builder, [builder.add(builder.load(pointer), args[3]) for pointer in pointers])

    return tuple_of(types.intp, rows)(sums, starts, types.intp, types.intp), emit


@operation
def load_part(_: Any, array: Any, index: Any) -> tuple[Any, Codegen]:
    """load_part(array, index): a part of a vector, which begins at array[index]."""
    part = part_of(array)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return load_at(context, builder, array, args[0], args[1], part)

    return part(array, types.intp), emit


@operation
def zero_part(_: Any, array: Any) -> tuple[Any, Codegen]:
    """zero_part(array): a part of a vector of zeros."""
    part = part_of(array)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(llvm_type(part), None)

    return part(array), emit


@operation
def part_of_bits(_: Any, bits: Any, index: Any, first: Any, like: Any) -> tuple[Any, Codegen]:
    """part_of_bits(bits, index, first, like): the mask that the whole number bits[index] holds, a bit a lane, from bit `first`
    on, for parts like this one."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = builder.load(element_pointer(context, builder, bits, args[0], args[1]))
        found = builder.lshr(found, builder.trunc(args[2], found.type))
        found = found if like.lanes == bits.dtype.bitwidth else builder.trunc(found, ir.IntType(like.lanes))
        return builder.bitcast(found, llvm_type(like.mask))

    return like.mask(bits, types.intp, types.intp, like), emit


@operation
def route(_: Any, sums: Any, windows: Any, rows: Any, at: Any, weight: Any, lower: Any, right: Any) -> tuple[Any, Codegen]:
    """route(sums, windows, rows, at, weight, lower, right): add weight * pixel to each tap's sum, where the pixel is the one
    that the tap met at the window's maximum, which lies in its lower row and right column according to the masks. The pixels
    of row r begin at windows[rows[r] + at].

    Choosing between left and right once for each row of pixels, then between upper and lower, takes about half as many
    instructions as four masked sums."""
    columns, vector = len(sums.dtype), sums.dtype.dtype

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        base = element_pointer(context, builder, windows, args[1], args[3])
        weight, lower, right = args[4:]
        total, above = [], None
        # Row by row, or the registers would not do.
        for number, row in enumerate(unpack(builder, args[2])):
            indices = [builder.add(row, row.type(v * vector.lanes * PARTS)) for v in range(columns + 1)]
            pixels = [emit_load(builder, builder.gep(base, [i]), llvm_type(vector), VECTOR_BYTES // PARTS) for i in indices]
            chosen = [builder.select(right, pixels[v + 1], pixels[v]) for v in range(columns)]
            if above is not None:
                met = [builder.select(lower, chosen[v], above[v]) for v in range(columns)]
                old = unpack(builder, builder.extract_value(args[0], number - 1))
                total.append(pack(builder, [emit_fma(builder, weight, met[v], old[v]) for v in range(columns)]))
            above = chosen
        return pack(builder, total)

    return sums(sums, windows, rows, types.intp, weight, lower, right), emit


@operation
def add_tile(_: Any, array: Any, first: Any, pitch: Any, scale: Any, sums: Any) -> tuple[Any, Codegen]:
    """add_tile(array, first, pitch, scale, sums): add scale * sums to the vectors, or the parts, that lie in the array from
    `first` on, a row of the tile `pitch` numbers after the one before."""
    vector = sums.dtype.dtype

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        factor = emit_splat(builder, args[3], vector.lanes)
        for number, row in enumerate(unpack(builder, args[4])):
            start = builder.add(args[1], builder.mul(args[2], args[2].type(number)))
            for column, value in enumerate(unpack(builder, row)):
                index = builder.add(start, start.type(column * vector.lanes * PARTS))
                pointer = vector_pointer(context, builder, array, args[0], index, vector)
                old = builder.load(pointer, align=VECTOR_BYTES // PARTS)
                builder.store(emit_fma(builder, factor, value, old), pointer, align=VECTOR_BYTES // PARTS)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, scale, sums), emit
