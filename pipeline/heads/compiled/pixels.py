"""Stored images become pixels, and rows of pixels their even and odd columns."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .tuples import load_at, pack, tuple_of
from .vectors import Codegen, element_pointer, llvm_type, operation, vector_of


@operation
def load_pixels(_: Any, images: Any, last: Any, at_end: Any, first: Any, scale: Any) -> tuple[Any, Codegen]:
    """load_pixels(images, last, at_end, first, scale): a vector of stored numbers, from number `first` of `images` on, or
    `at_end` of `last`, as pixels: converted to scale's type, then multiplied by it."""
    lanes = scale.lanes

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        stored = ir.VectorType(context.get_data_type(images.dtype), lanes)
        usual, end = (element_pointer(context, builder, images, array, args[3]) for array in args[:2])
        pointer = builder.bitcast(builder.select(args[2], end, usual), stored.as_pointer())
        loaded = builder.load(pointer, align=images.dtype.bitwidth // 8)
        return builder.fmul(convert(builder, loaded, llvm_type(scale)), args[4])

    return scale(images, images, types.boolean, types.intp, scale), emit


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


@operation
def load_columns(_: Any, array: Any, first: Any) -> tuple[Any, Codegen]:
    """load_columns(array, first): numbers first, first + 2, ... and first + 1, first + 3, ... of the array: two vectors."""
    vector = vector_of(array)
    lanes = vector.lanes

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        starts = (args[1], builder.add(args[1], args[1].type(lanes)))
        both = [load_at(context, builder, array, args[0], start, vector) for start in starts]
        indices = ir.VectorType(ir.IntType(32), lanes)
        return pack(
            builder, [builder.shuffle_vector(*both, ir.Constant(indices, list(range(odd, 2 * lanes, 2)))) for odd in (0, 1)]
        )

    return tuple_of(vector, 2)(array, types.intp), emit


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
