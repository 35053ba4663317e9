"""The feature maps of some filters at the windows of one vector of pooled values, and the pool.

`sums` are four vectors a filter, the four places of a window in reading order. All filters meet the same pixels, so each load
serves all of them. While they are summed, the vectors may be parts of whole ones, see registers.py.
"""

from typing import Any

from llvmlite import ir
from numba import types

from .tuples import literal_operation, load_at, pack, tuple_of, unpack, vector_pointer
from .vectors import Codegen, VectorType, element_pointer, emit_fma, emit_splat, llvm_type, operation, vector_of


@literal_operation
def begin_sums(_: Any, first_term: Any, first: Any, filters: Any, parts: Any) -> tuple[Any, Codegen]:
    """begin_sums(first_term, first, filters, parts): what the feature maps of `filters` filters, from number `first` on, begin
    with, in vectors of which `parts` are a whole one; behind them room for the pixels that the next tap meets at the left."""
    whole = vector_of(first_term)
    part = VectorType(whole.dtype, whole.lanes // parts.literal_value)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values: list[Any] = []
        for number in range(filters.literal_value):
            at = element_pointer(context, builder, first_term, args[0], builder.add(args[1], args[1].type(number)))
            values += [emit_splat(builder, builder.load(at), part.lanes)] * 4
        return pack(builder, values + [ir.Constant(llvm_type(part), None)] * 2)

    return tuple_of(part, 4 * filters.literal_value + 2)(first_term, types.intp, filters, parts), emit


@operation
def begin_row(_: Any, sums: Any, windows: Any, upper: Any, lower: Any) -> tuple[Any, Codegen]:
    """begin_row(sums, windows, upper, lower): load the pixels that a row's first tap meets at the left, in the windows' upper
    and lower row."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values = unpack(builder, args[0])
        values[-2:] = [load_at(context, builder, windows, args[1], at, sums.dtype) for at in args[2:]]
        return pack(builder, values)

    return sums(sums, windows, types.intp, types.intp), emit


@operation
def add_tap(_: Any, sums: Any, windows: Any, upper: Any, lower: Any, kernels: Any, tap: Any, taps: Any) -> tuple[Any, Codegen]:
    """add_tap(sums, windows, upper, lower, kernels, tap, taps): load the pixels at the right, which are those at the left of
    the next tap, and add each filter's tap times its four pixels. The first filter's is kernels[tap], the next's `taps` further
    on."""
    part = sums.dtype

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        *values, left_above, left_below = unpack(builder, args[0])
        above, below = (load_at(context, builder, windows, args[1], at, part) for at in args[2:4])
        result = []
        for number in range(len(values) // 4):
            at = builder.add(args[5], builder.mul(args[6], args[6].type(number)))
            factor = emit_splat(builder, builder.load(element_pointer(context, builder, kernels, args[4], at)), part.lanes)
            for place, pixel in enumerate((left_above, above, left_below, below)):
                result.append(emit_fma(builder, factor, pixel, values[4 * number + place]))
        return pack(builder, [*result, above, below])

    return sums(sums, windows, types.intp, types.intp, kernels, types.intp, types.intp), emit


@operation
def join(_: Any, first: Any, second: Any) -> tuple[Any, Codegen]:
    """join(first, second): sums in vectors twice as long, whose first lanes are those of `first`."""
    lanes = 2 * first.dtype.lanes
    longer = tuple_of(VectorType(first.dtype.dtype, lanes), len(first))
    every = ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(lanes)))

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pairs = zip(*(unpack(builder, sums) for sums in args), strict=True)
        return pack(builder, [builder.shuffle_vector(low, high, every) for low, high in pairs])

    return longer(first, second), emit


@operation
def pool(_: Any, sums: Any, outside: Any, pooled: Any, maxima: Any, vector: Any, step: Any) -> tuple[Any, Codegen]:
    """pool(sums, outside, pooled, maxima, vector, step): the first filter's pooled values to vector number `vector` of
    `pooled`, 0 unless they are above `outside`, and where in its window each maximum lies to maxima[2 * vector] (a bit a lane:
    in the lower row) and behind it (in the right column); the next filter's `step` vectors further."""
    kind = vector_of(pooled)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values, number = unpack(builder, args[0]), args[4]
        for first in range(0, len(values) - 2, 4):
            a, b, c, d = values[first : first + 4]
            # Strictly greater: of equal values the first in reading order wins.
            right_above, right_below = (builder.fcmp_ordered(">", *pair) for pair in ((b, a), (d, c)))
            above, below = builder.select(right_above, b, a), builder.select(right_below, d, c)
            lower = builder.fcmp_ordered(">", below, above)
            maximum = builder.select(lower, below, above)
            right = builder.fcmp_ordered(">", builder.select(lower, d, b), builder.select(lower, c, a))
            # Unordered: NaN stays, so that the loss shows it.
            active = builder.fcmp_unordered(">", maximum, args[1])
            value = builder.select(active, maximum, ir.Constant(maximum.type, None))
            index = builder.mul(number, number.type(kind.lanes))
            builder.store(
                value, vector_pointer(context, builder, pooled, args[2], index, kind), align=pooled.dtype.bitwidth // 8
            )
            for place, mask in enumerate((lower, right)):
                bits = builder.zext(builder.bitcast(mask, ir.IntType(kind.lanes)), ir.IntType(maxima.dtype.bitwidth))
                index = builder.add(builder.mul(number, number.type(2)), number.type(place))
                builder.store(bits, element_pointer(context, builder, maxima, args[3], index))
            number = builder.add(number, args[5])
        return context.get_dummy_value()

    return types.void(sums, outside, pooled, maxima, types.intp, types.intp), emit
