"""The gradient of some neighbouring taps of a kernel, a tile: a vector of sums a tap, as a tuple of rows."""

from typing import Any

from llvmlite import ir
from numba import types

from .tuples import literal_operation, pack, tuple_of, unpack, vector_pointer
from .vectors import VECTOR_BYTES, Codegen, element_pointer, emit_fma, emit_load, llvm_type, operation, vector_of


@literal_operation
def no_tile(_: Any, windows: Any, rows: Any, columns: Any) -> tuple[Any, Codegen]:
    """no_tile(windows, rows, columns): the sums of a tile of that size, all 0."""
    sums = tuple_of(tuple_of(vector_of(windows), columns.literal_value), rows.literal_value)

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
            indices = [builder.add(row, row.type(v * vector.lanes)) for v in range(columns + 1)]
            pixels = [emit_load(builder, builder.gep(base, [i]), llvm_type(vector), VECTOR_BYTES) for i in indices]
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
    """add_tile(array, first, pitch, scale, sums): add scale * sums to the vectors that lie in the array from `first` on, a row
    of the tile `pitch` numbers after the one before."""
    vector = sums.dtype.dtype

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for number, row in enumerate(unpack(builder, args[4])):
            start = builder.add(args[1], builder.mul(args[2], args[2].type(number)))
            for column, value in enumerate(unpack(builder, row)):
                index = builder.add(start, start.type(column * vector.lanes))
                pointer = vector_pointer(context, builder, array, args[0], index, vector)
                old = builder.load(pointer, align=VECTOR_BYTES)
                builder.store(emit_fma(builder, args[3], value, old), pointer, align=VECTOR_BYTES)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, scale, sums), emit
