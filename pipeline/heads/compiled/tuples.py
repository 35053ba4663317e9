"""What the operations on several vectors share: tuples of vectors in compiled code."""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .vectors import Codegen, VectorType, element_pointer, emit_load, llvm_type

# For arguments that must be constants where the operation is called.
literal_operation = cast(Callable[[Callable[..., tuple[Any, Codegen]]], Callable[..., Any]], intrinsic(prefer_literal=True))


def tuple_of(kind: Any, count: int) -> Any:
    """The type of `count` vectors, or of `count` tuples of them."""
    return types.UniTuple(kind, count)  # type: ignore[no-untyped-call]  # Numba's has no hints


def unpack(builder: Any, values: Any) -> list[Any]:
    return [builder.extract_value(values, index) for index in range(len(values.type))]


def pack(builder: Any, values: list[Any]) -> Any:
    array = ir.Constant(ir.ArrayType(values[0].type, len(values)), ir.Undefined)
    for index, value in enumerate(values):
        array = builder.insert_value(array, value, index)
    return array


def vector_pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, vector: VectorType) -> Any:
    """The address of the vector that begins at `array[index]`."""
    return builder.bitcast(element_pointer(context, builder, array_type, array, index), llvm_type(vector).as_pointer())


def load_at(context: Any, builder: Any, array_type: Any, array: Any, index: Any, vector: VectorType) -> Any:
    """The vector that begins at `array[index]`, which may lie anywhere."""
    pointer = element_pointer(context, builder, array_type, array, index)
    return emit_load(builder, pointer, llvm_type(vector), array_type.dtype.bitwidth // 8)
