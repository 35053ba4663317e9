"""The feature maps of some filters at the windows of one or two vectors of pooled values, and the pool.

`sums` has for each of these vectors four a filter, the four places of a window in reading order, or before `meet` the products
for the points one and minus, of its upper and its lower row: see winograd.py. All filters meet the same pixels, so each load
serves all of them, and each factor all vectors. While they are summed, vectors may be parts of whole ones, see registers.py.
"""

from typing import Any

from llvmlite import ir
from numba import types

from .tuples import literal_operation, load_at, pack, tuple_of, unpack, vector_pointer
from .vectors import Codegen, VectorType, element_pointer, emit_fma, emit_splat, llvm_type, operation, vector_of


@literal_operation
def begin_sums(_: Any, first_term: Any, first: Any, filters: Any, vectors: Any, parts: Any) -> tuple[Any, Codegen]:
    """begin_sums(first_term, first, filters, vectors, parts): what the feature maps of `filters` filters, from number `first`
    on, begin with, in `vectors` vectors of which `parts` are a whole one."""
    whole = vector_of(first_term)
    part = VectorType(whole.dtype, whole.lanes // parts.literal_value)
    sums = tuple_of(tuple_of(part, 4 * filters.literal_value), vectors.literal_value)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values, zero = [], ir.Constant(llvm_type(part), None)
        for number in range(filters.literal_value):
            at = element_pointer(context, builder, first_term, args[0], builder.add(args[1], args[1].type(number)))
            term = emit_splat(builder, builder.load(at), part.lanes)
            values += [term, zero, term, zero]
        return pack(builder, [pack(builder, values)] * vectors.literal_value)

    return sums(first_term, types.intp, filters, vectors, parts), emit


@literal_operation
def load_row(_: Any, sums: Any, combined: Any, at: Any, beside: Any, further: Any, columns: Any) -> tuple[Any, Codegen]:
    """load_row(sums, combined, at, beside, further, columns): what a tap of each of one or two columns meets in a row of the
    windows, the first at combined[at], the second `beside` it; for a second vector of pooled values `further` on."""
    part = sums.dtype.dtype
    row = tuple_of(tuple_of(part, columns.literal_value), len(sums))

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        result, place = [], args[2]
        for _ in range(len(sums)):
            places = (place, builder.add(place, args[3]))[: columns.literal_value]
            result.append(pack(builder, [load_at(context, builder, combined, args[1], each, part) for each in places]))
            place = builder.add(place, args[4])
        return pack(builder, result)

    return row(sums, combined, types.intp, types.intp, types.intp, columns), emit


@operation
def add_taps(_: Any, sums: Any, upper: Any, lower: Any, factors: Any, tap: Any, taps: Any) -> tuple[Any, Codegen]:
    """add_taps(sums, upper, lower, factors, tap, taps): add the products of each filter's factors with what `load_row` gives of
    the windows' upper and lower row, for one column to the sums at the left, for two at the right as well. The first filter's
    begin at factors[tap], the next's `taps` further on."""
    part = sums.dtype.dtype

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = [unpack(builder, vector) for vector in unpack(builder, args[0])]
        rows = [[unpack(builder, vector) for vector in unpack(builder, row)] for row in args[1:3]]
        for first in range(0, len(sums.dtype), 4):
            at = builder.add(args[4], builder.mul(args[5], args[5].type(first // 4)))
            for column in range(len(upper.dtype)):
                pointer = element_pointer(context, builder, factors, args[3], builder.add(at, at.type(column)))
                factor = emit_splat(builder, builder.load(pointer), part.lanes)
                for number, values in enumerate(vectors):
                    for row, place in zip(rows, (first + column, first + 2 + column), strict=True):
                        values[place] = emit_fma(builder, factor, row[number][column], values[place])
        return pack(builder, [pack(builder, values) for values in vectors])

    return sums(sums, upper, lower, factors, types.intp, types.intp), emit


@operation
def meet(_: Any, sums: Any) -> tuple[Any, Codegen]:
    """meet(sums): from the products for the points one and minus the places at the left, their sums, and at the right, their
    differences."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = [unpack(builder, vector) for vector in unpack(builder, args[0])]
        for values in vectors:
            for place in range(0, len(values), 2):
                one, minus = values[place : place + 2]
                values[place : place + 2] = builder.fadd(one, minus), builder.fsub(one, minus)
        return pack(builder, [pack(builder, values) for values in vectors])

    return sums(sums), emit


@operation
def join(_: Any, first: Any, second: Any) -> tuple[Any, Codegen]:
    """join(first, second): sums in vectors twice as long, whose first lanes are those of `first`."""
    lanes = 2 * first.dtype.dtype.lanes
    longer = tuple_of(tuple_of(VectorType(first.dtype.dtype.dtype, lanes), len(first.dtype)), len(first))
    every = ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(lanes)))

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        result = []
        for halves in zip(*(unpack(builder, sums) for sums in args), strict=True):
            pairs = zip(*(unpack(builder, half) for half in halves), strict=True)
            result.append(pack(builder, [builder.shuffle_vector(low, high, every) for low, high in pairs]))
        return pack(builder, result)

    return longer(first, second), emit


@operation
def pool(_: Any, sums: Any, outside: Any, pooled: Any, maxima: Any, vector: Any, step: Any) -> tuple[Any, Codegen]:
    """pool(sums, outside, pooled, maxima, vector, step): the first filter's pooled values to vector number `vector` of
    `pooled`, 0 unless they are above `outside`, and where in its window each maximum lies to maxima[2 * vector] (a bit a lane:
    in the lower row) and behind it (in the right column); the next filter's `step` vectors further."""
    kind = vector_of(pooled)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values, number = unpack(builder, args[0]), args[4]
        for first in range(0, len(values), 4):
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
