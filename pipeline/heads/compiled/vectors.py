"""Vectors of a fixed width for compiled code: a Numba type for LLVM's vectors and the few operations the engine needs.

Numba leaves it to LLVM whether and how wide a loop is vectorised, and LLVM may not reorder sums of floats. Here the code
itself says which lanes a sum runs in: a vector has 64 bytes on every machine, LLVM splits it where registers are narrower,
and every operation is plain IEEE, so the bits do not depend on the CPU. A multiply-add is always fused (one rounding),
which needs a CPU with FMA to be fast, not to be correct.

Arrays are one-dimensional and contiguous. Nothing here checks bounds: callers choose sizes such that all accesses fit.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

VECTOR_BYTES = 64
Codegen = Callable[[Any, Any, Any, Any], Any]
# Numba's decorator, with a type that says that calls do not pass the first parameter, Numba's typing context.
operation = cast(Callable[[Callable[..., tuple[Any, Codegen]]], Callable[..., Any]], intrinsic)


def lanes_of(dtype: Any) -> int:
    """Numbers to a vector: 16 float32 or 8 float64. `dtype` is NumPy's or Numba's."""
    return VECTOR_BYTES // np.dtype(str(dtype)).itemsize


class VectorType(types.Type):
    """A vector of float32, float64, booleans (a mask) or bytes."""

    def __init__(self, dtype: types.Type, lanes: int) -> None:
        self.dtype, self.lanes = dtype, lanes
        super().__init__(name=f"Vector({dtype}, {lanes})")

    @property
    def mask(self) -> "VectorType":
        return VectorType(types.boolean, self.lanes)


def vector_of(array: Any) -> VectorType:
    """The vector type of an array's (or a scalar's) numbers."""
    dtype = getattr(array, "dtype", array)
    return VectorType(dtype, lanes_of(dtype))


def llvm_type(vector: VectorType) -> ir.VectorType:
    element = {
        types.float32: ir.FloatType(), types.float64: ir.DoubleType(), types.boolean: ir.IntType(1), types.uint8: ir.IntType(8)
    }  # fmt: skip
    return ir.VectorType(element[vector.dtype], vector.lanes)


@register_model(VectorType)
class VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: VectorType) -> None:
        super().__init__(manager, vector, llvm_type(vector))  # type: ignore[no-untyped-call]  # Numba's has no hints


# What other modules that emit code of their own share with this one.


def element_pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """The address of `array[index]`."""
    not_unrolled(builder)
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


def not_unrolled(builder: Any) -> None:
    """Tell LLVM not to unroll the loops of the function that is being written. They are laid out by hand, of as few turns as a
    kernel has columns: unrolled, the code is twice as long, takes longer to compile, and is no faster."""
    builder.function.attributes.add("optsize")


def emit_load(builder: Any, pointer: Any, vector: ir.VectorType, itemsize: int) -> Any:
    """A vector from an address that need only be aligned to its elements."""
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=itemsize)


def emit_fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    name = f"llvm.fma.v{a.type.count}f{32 if a.type.element == ir.FloatType() else 64}"
    signature = ir.FunctionType(a.type, [a.type] * 3)
    function = cgutils.get_or_insert_function(builder.module, signature, name)  # type: ignore[no-untyped-call]  # no hints
    return builder.call(function, [a, b, c])


def emit_splat(builder: Any, scalar: Any, lanes: int) -> Any:
    """The vector with `scalar` in every lane."""
    vector = ir.VectorType(scalar.type, lanes)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.IntType(32)(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))


# The operations: each returns its signature and the function that writes its instructions.


@operation
def keep_loops(_: Any) -> tuple[Any, Codegen]:
    """keep_loops(): no loop of the function is unrolled. Those that read or write arrays by vectors need not say so."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        not_unrolled(builder)
        return context.get_dummy_value()

    return types.void(), emit


@operation
def lanes_in(_: Any, array: Any) -> tuple[Any, Codegen]:
    """lanes_in(array): the number of lanes of the array's vectors, as a constant: computed, it would be a division."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.IntType(64)(vector_of(array).lanes)

    return types.intp(array), emit


@operation
def load(_: Any, array: Any, index: Any) -> tuple[Any, Codegen]:
    """load(array, index): the vector that starts at array[index]."""
    vector = vector_of(array)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element_pointer(context, builder, array, *args)
        return emit_load(builder, pointer, llvm_type(vector), VECTOR_BYTES // vector.lanes)

    return vector(array, types.intp), emit


@operation
def store(_: Any, array: Any, index: Any, vector: Any) -> tuple[Any, Codegen]:
    """store(array, index, vector): write the vector to array[index] and the places after it."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element_pointer(context, builder, array, *args[:2])
        pointer = builder.bitcast(pointer, args[2].type.as_pointer())
        builder.store(args[2], pointer, align=VECTOR_BYTES // vector.lanes)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), emit


@operation
def broadcast(_: Any, scalar: Any) -> tuple[Any, Codegen]:
    """broadcast(scalar): the vector with the scalar in every lane."""
    vector = vector_of(scalar)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return emit_splat(builder, args[0], vector.lanes)

    return vector(scalar), emit


@operation
def zeros(_: Any, array: Any) -> tuple[Any, Codegen]:
    """zeros(array): the vector of zeros of the array's type."""
    vector = vector_of(array)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(llvm_type(vector), None)

    return vector(array), emit


@operation
def fma(_: Any, a: Any, b: Any, c: Any) -> tuple[Any, Codegen]:
    """fma(a, b, c): a * b + c with one rounding, in every lane."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return emit_fma(builder, *args)

    return a(a, a, a), emit


@operation
def greater(_: Any, a: Any, b: Any) -> tuple[Any, Codegen]:
    """greater(a, b): the mask of a > b; false where one is NaN."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fcmp_ordered(">", *args)

    return a.mask(a, a), emit


@operation
def not_below(_: Any, a: Any, b: Any) -> tuple[Any, Codegen]:
    """not_below(a, b): the mask of not (a <= b), so of a > b or one of them NaN."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fcmp_unordered(">", *args)

    return a.mask(a, a), emit


@operation
def one_at(_: Any, array: Any, lane: Any) -> tuple[Any, Codegen]:
    """one_at(array, lane): the vector of the array's type with 1 in that lane, if it has it, and 0 in all others."""
    vector = vector_of(array)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wanted = emit_splat(builder, args[1], vector.lanes)
        found = builder.icmp_signed("==", ir.Constant(wanted.type, list(range(vector.lanes))), wanted)
        one = ir.Constant(llvm_type(vector), [1.0] * vector.lanes)
        return builder.select(found, one, ir.Constant(one.type, None))

    return vector(array, types.intp), emit


@operation
def select(_: Any, mask: Any, a: Any, b: Any) -> tuple[Any, Codegen]:
    """select(mask, a, b): a where the mask is true, else b; a and b may be masks themselves."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(*args)

    return a(mask, a, a), emit


@operation
def lane_sum(_: Any, vector: Any) -> tuple[Any, Codegen]:
    """lane_sum(vector): the sum of the lanes, by a tree that adds the upper half to the lower until one lane is left."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rest, lanes = args[0], vector.lanes
        while lanes > 1:
            lanes //= 2
            index = ir.VectorType(ir.IntType(32), lanes)
            low = builder.shuffle_vector(rest, rest, ir.Constant(index, list(range(lanes))))
            high = builder.shuffle_vector(rest, rest, ir.Constant(index, list(range(lanes, 2 * lanes))))
            rest = builder.fadd(low, high)
        return builder.extract_element(rest, ir.IntType(32)(0))

    return vector.dtype(vector), emit
