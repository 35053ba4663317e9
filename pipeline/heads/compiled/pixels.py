"""Stored images become pixels, and rows of pixels their even and odd columns."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .tuples import load_at, pack, tuple_of, vector_pointer
from .vectors import Codegen, VectorType, element_pointer, emit_load, llvm_type, operation

PIECE_BYTES = 32


def piece_of(array: Any) -> VectorType:
    """As many stored numbers as are copied at once: 32 bytes of them, which is a short row of images of bytes."""
    return VectorType(array.dtype, PIECE_BYTES * 8 // array.dtype.bitwidth)


@operation
def numbers_in_piece(_: Any, array: Any) -> tuple[Any, Codegen]:
    """numbers_in_piece(array): how many of its numbers are copied at once, as a constant."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.IntType(64)(piece_of(array).lanes)

    return types.intp(array), emit


@operation
def copy(_: Any, padded: Any, to: Any, images: Any, last: Any, at_end: Any, at: Any) -> tuple[Any, Codegen]:
    """copy(padded, to, images, last, at_end, at): the piece from images[at] on, or `at_end` from last[at] on, to padded[to]
    and the places after it."""
    piece = piece_of(padded)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        usual, end = (element_pointer(context, builder, images, array, args[5]) for array in args[2:4])
        kind, align = llvm_type(piece), padded.dtype.bitwidth // 8
        found = emit_load(builder, builder.select(args[4], end, usual), kind, align)
        builder.store(found, vector_pointer(context, builder, padded, args[0], args[1], piece), align=align)
        return context.get_dummy_value()

    return types.void(padded, types.intp, images, images, types.boolean, types.intp), emit


@operation
def clear(_: Any, padded: Any, to: Any) -> tuple[Any, Codegen]:
    """clear(padded, to): write a piece of zeros to padded[to] and the places after it."""
    piece = piece_of(padded)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = vector_pointer(context, builder, padded, args[0], args[1], piece)
        builder.store(ir.Constant(llvm_type(piece), None), pointer, align=padded.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(padded, types.intp), emit


@operation
def load_pixels(_: Any, padded: Any, first: Any, factor: Any) -> tuple[Any, Codegen]:
    """load_pixels(padded, first, factor): a vector of stored numbers, from number `first` on, as pixels: converted to the
    factor's type, then multiplied by it."""
    stored = VectorType(padded.dtype, factor.lanes)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = load_at(context, builder, padded, args[0], args[1], stored)
        return builder.fmul(convert(builder, found, llvm_type(factor)), args[2])

    return factor(padded, types.intp, factor), emit


@operation
def load_columns(_: Any, padded: Any, first: Any, factor: Any) -> tuple[Any, Codegen]:
    """load_columns(padded, first, factor): the pixels of stored numbers first, first + 2, ... and those of first + 1, first +
    3, ...: two vectors."""
    lanes = factor.lanes
    stored = VectorType(padded.dtype, 2 * lanes)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        both = columns_of(builder, load_at(context, builder, padded, args[0], args[1], stored), lanes)
        return pack(builder, [builder.fmul(convert(builder, found, llvm_type(factor)), args[2]) for found in both])

    return tuple_of(factor, 2)(padded, types.intp, factor), emit


def columns_of(builder: Any, row: Any, lanes: int) -> tuple[Any, Any]:
    """The numbers of a row at even places, and those at odd ones."""
    if isinstance(row.type.element, ir.IntType):
        # Two bytes are a number of 16 bits, the first its lower half on every CPU that Numba knows.
        pairs = ir.VectorType(ir.IntType(16), lanes)
        both = builder.bitcast(row, pairs)
        return builder.and_(both, ir.Constant(pairs, [255] * lanes)), builder.lshr(both, ir.Constant(pairs, [8] * lanes))
    indices = ir.VectorType(ir.IntType(32), lanes)
    even, odd = (builder.shuffle_vector(row, row, ir.Constant(indices, list(range(odd, 2 * lanes, 2)))) for odd in (0, 1))
    return even, odd


def convert(builder: Any, stored: Any, vector: ir.VectorType) -> Any:
    """Stored whole numbers of up to 16 bits, float32 or float64 as numbers of the vector's type, rounded to nearest."""
    if isinstance(stored.type.element, ir.IntType):
        # Through signed 32 bits, for which every CPU has an instruction.
        return builder.sitofp(builder.zext(stored, ir.VectorType(ir.IntType(32), vector.count)), vector)
    if stored.type == vector:
        return stored
    if vector.element == ir.DoubleType():
        return builder.fpext(stored, vector)
    return builder.fptrunc(stored, vector)


@operation
def prefetch(_: Any, array: Any, index: Any) -> tuple[Any, Codegen]:
    """prefetch(array, index): begin to bring the cache line of array[index] near, if the array has it, without waiting."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")  # type: ignore[no-untyped-call]  # no hints
        pointer = builder.bitcast(element_pointer(context, builder, array, *args), byte)
        # To read, to keep in all caches, data.
        builder.call(function, [pointer, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit


@operation
def numbers_in_line(_: Any, array: Any) -> tuple[Any, Codegen]:
    """numbers_in_line(array): how many of its numbers a cache line of 64 bytes holds, as a constant."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.IntType(64)(64 // (array.dtype.bitwidth // 8))

    return types.intp(array), emit
