"""Vectors in formulas: + - * / of two vectors, or of a vector and a number, each rounded once, like NumPy's.

A product and a sum stay two operations; `vectors.fma` is the one that is one.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable

from .vectors import Codegen, VectorType, emit_splat, llvm_type, operation

INSTRUCTIONS = {operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul", operator.truediv: "fdiv"}


def result_of(_: Any) -> Any:
    """Numba's rule for the type of such an operation; None where one of the operands is no vector, or another kind of it."""

    def typer(a: Any, b: Any) -> Any:
        vector = a if isinstance(a, VectorType) else b
        return vector if isinstance(vector, VectorType) and {a, b} <= {vector, vector.dtype} else None

    return typer


def emitter(name: str) -> Any:
    """What writes the instruction of that name."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = signature.return_type.lanes
        vectors = [x if isinstance(x.type, ir.VectorType) else emit_splat(builder, x, lanes) for x in args]
        return getattr(builder, name)(*vectors)

    return emit


for function, instruction in INSTRUCTIONS.items():
    type_callable(function)(result_of)
    for operands in ((VectorType, VectorType), (VectorType, types.Float), (types.Float, VectorType)):
        lower_builtin(function, *operands)(emitter(instruction))  # type: ignore[no-untyped-call]  # Numba's has no hints


@operation
def absolute(_: Any, x: Any) -> tuple[Any, Codegen]:
    """absolute(x): the numbers without their signs."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = args[0].type
        name, kind = f"llvm.fabs.v{x.lanes}f{x.dtype.bitwidth}", ir.FunctionType(vector, [vector])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)  # type: ignore[no-untyped-call]  # no hints

    return x(x), emit


@operation
def power_of_two(_: Any, shifted: Any) -> tuple[Any, Codegen]:
    """power_of_two(shifted): 2**n of float64 numbers n + SHIFT, -1023 < n < 1024. It is made from their last bits, which are
    n's: any number of NaN."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole = ir.VectorType(ir.IntType(64), shifted.lanes)
        bits = builder.add(builder.bitcast(args[0], whole), ir.Constant(whole, [1023] * shifted.lanes))
        return builder.bitcast(builder.shl(bits, ir.Constant(whole, [52] * shifted.lanes)), llvm_type(shifted))

    return shifted(shifted), emit
