"""A strip of `WIDTH` float32 values as one value inside Numba code, so that a running maximum or sum stays in registers.

LLVM splits a strip over whatever vector registers the machine has. Without it, Numba writes the running value back to memory for every
token, because it cannot know that output and input never overlap.

`load` and `store` count values from the start of the array's memory (C order) and check no bounds.
Numba caches compiled kernels by the date of the file that holds them: after a change here, touch those files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.core.datamodel.models import PrimitiveModel
from numba.core.datamodel.registry import register_default
from numba.extending import intrinsic

WIDTH = 64
LINE = 16  # float32 values in a cache line


class Strip(types.Type):
    """The Numba type of a strip."""

    def __init__(self, name: str, element: ir.Type) -> None:
        self.vector = ir.VectorType(element, WIDTH)
        super().__init__(name=f"{name}x{WIDTH}")


@register_default(Strip)
class _StripModel(PrimitiveModel):
    def __init__(self, manager: Any, strip: Strip) -> None:
        super().__init__(manager, strip, strip.vector)  # type: ignore[no-untyped-call]


_FLOATS = Strip("float32", ir.FloatType())
_INTEGERS = Strip("int32", ir.IntType(32))
_MASK = Strip("mask", ir.IntType(1))
_STRIPS = {types.float32: _FLOATS, types.int32: _INTEGERS}


def _instruction(typed: Callable[..., Any]) -> Any:
    """A function for Numba code whose machine code is given here. `typed` takes the types and returns signature and generator."""
    return intrinsic(typed)


@numba.njit(nogil=True)
def aligned(size: int) -> Any:
    """Fresh float32 memory that starts on a cache line: a strip across two lines takes twice as long to load."""
    memory = np.empty(size + LINE, dtype=np.float32)
    return memory[-(memory.ctypes.data // memory.itemsize) % LINE :]


@_instruction
def load(typing: Any, array: Any, offset: Any) -> Any:
    """The strip of a float32 or int32 array that starts at `offset`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, arguments), align=4)

    return _STRIPS[array.dtype](array, offset), generate


@_instruction
def store(typing: Any, array: Any, offset: Any, strip: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _pointer(context, builder, signature, arguments), align=4)
        return context.get_dummy_value()

    return types.void(array, offset, strip), generate


@_instruction
def fill(typing: Any, value: Any) -> Any:
    """One float32 or int32 value in every place."""
    strip = _STRIPS[value]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        one = builder.insert_element(ir.Constant(strip.vector, ir.Undefined), arguments[0], ir.IntType(32)(0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(one, ir.Constant(strip.vector, ir.Undefined), everywhere)

    return strip(value), generate


@_instruction
def add(typing: Any, one: Any, other: Any) -> Any:
    return one(one, other), lambda context, builder, signature, arguments: builder.fadd(*arguments)


@_instruction
def greater(typing: Any, one: Any, other: Any) -> Any:
    """A mask of the places where `one` is greater; never where either is not a number."""
    return _MASK(one, other), lambda context, builder, signature, arguments: builder.fcmp_ordered(">", *arguments)


@_instruction
def choose(typing: Any, mask: Any, chosen: Any, other: Any) -> Any:
    """`chosen` where the mask holds, else `other`."""
    return chosen(mask, chosen, other), lambda context, builder, signature, arguments: builder.select(*arguments)


@_instruction
def fetch(typing: Any, array: Any, offset: Any) -> Any:
    """Ask for the cache line of one float32 value ahead of its use, into the level-2 cache. Any offset is safe."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        typed = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        read, level_2, data_cache = number(0), number(2), number(1)
        builder.call(builder.module.declare_intrinsic("llvm.prefetch", [place.type], typed), [place, read, level_2, data_cache])
        return context.get_dummy_value()

    return types.void(array, offset), generate


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.bitcast(builder.gep(data, [arguments[1]]), _STRIPS[signature.args[0].dtype].vector.as_pointer())
