"""SIMD vectors in Numba code: `VECTOR_SIZE` float32 values as one value, which LLVM keeps in registers.

The kernels keep a running maximum or sum. Plain Numba code writes it back to memory at every token, because Numba cannot know that input
and output never overlap. A vector value stays in registers; LLVM spreads it over the vector registers that the machine has.

`load` and `store` count values from the start of the array's memory (C order) and check no bounds.
After a change here, touch the files of the kernels: Numba caches compiled kernels by the date of their own file.
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

VECTOR_SIZE = 64  # values in a vector
CACHE_LINE = 16  # float32 values in a cache line


class VectorType(types.Type):
    """The Numba type of a vector of `VECTOR_SIZE` elements."""

    def __init__(self, name: str, element: ir.Type) -> None:
        self.llvm_type = ir.VectorType(element, VECTOR_SIZE)
        super().__init__(name=f"{name}x{VECTOR_SIZE}")


@register_default(VectorType)
class _VectorModel(PrimitiveModel):
    def __init__(self, manager: Any, vector_type: VectorType) -> None:
        super().__init__(manager, vector_type, vector_type.llvm_type)  # type: ignore[no-untyped-call]


_FLOAT_VECTOR = VectorType("float32", ir.FloatType())
_INTEGER_VECTOR = VectorType("int32", ir.IntType(32))
_MASK_VECTOR = VectorType("mask", ir.IntType(1))
_VECTOR_TYPES = {types.float32: _FLOAT_VECTOR, types.int32: _INTEGER_VECTOR}


def _instruction(typed: Callable[..., Any]) -> Any:
    """A function for Numba code that generates its LLVM code itself.

    Args: typed: takes the argument types, returns the signature and the generator.
    """
    return intrinsic(typed)


@numba.njit(nogil=True)
def empty_aligned(size: int) -> Any:
    """An uninitialised float32 array that starts on a cache line: a vector across two lines takes twice as long to load."""
    memory = np.empty(size + CACHE_LINE, dtype=np.float32)
    return memory[-(memory.ctypes.data // memory.itemsize) % CACHE_LINE :]


@_instruction
def load(typing: Any, array: Any, offset: Any) -> Any:
    """The vector that starts at `offset` of a float32 or int32 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, arguments), align=4)

    return _VECTOR_TYPES[array.dtype](array, offset), generate


@_instruction
def store(typing: Any, array: Any, offset: Any, vector: Any) -> Any:
    """Write the vector to the array from `offset` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _pointer(context, builder, signature, arguments), align=4)
        return context.get_dummy_value()

    return types.void(array, offset, vector), generate


@_instruction
def broadcast(typing: Any, value: Any) -> Any:
    """The vector with one float32 or int32 value in every element."""
    vector_type = _VECTOR_TYPES[value]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first_filled = builder.insert_element(ir.Constant(vector_type.llvm_type, ir.Undefined), arguments[0], ir.IntType(32)(0))
        all_zeros = ir.Constant(ir.VectorType(ir.IntType(32), VECTOR_SIZE), [0] * VECTOR_SIZE)
        return builder.shuffle_vector(first_filled, ir.Constant(vector_type.llvm_type, ir.Undefined), all_zeros)

    return vector_type(value), generate


@_instruction
def add(typing: Any, one: Any, other: Any) -> Any:
    return one(one, other), lambda context, builder, signature, arguments: builder.fadd(*arguments)


@_instruction
def divide(typing: Any, one: Any, other: Any) -> Any:
    return one(one, other), lambda context, builder, signature, arguments: builder.fdiv(*arguments)


@_instruction
def multiply(typing: Any, one: Any, other: Any) -> Any:
    return one(one, other), lambda context, builder, signature, arguments: builder.fmul(*arguments)


@_instruction
def multiply_add(typing: Any, one: Any, other: Any, more: Any) -> Any:
    """one * other + more, element by element, rounded once where the machine can."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name, vector = f"llvm.fmuladd.v{VECTOR_SIZE}f32", _FLOAT_VECTOR.llvm_type
        function = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
        return builder.call(function, arguments)

    return one(one, other, more), generate


@_instruction
def greater(typing: Any, one: Any, other: Any) -> Any:
    """The mask of the elements in which `one` is greater; False where either is not a number."""
    return _MASK_VECTOR(one, other), lambda context, builder, signature, arguments: builder.fcmp_ordered(">", *arguments)


@_instruction
def select(typing: Any, mask: Any, chosen: Any, other: Any) -> Any:
    """Element by element `chosen` where the mask is True, else `other`."""
    return chosen(mask, chosen, other), lambda context, builder, signature, arguments: builder.select(*arguments)


@_instruction
def prefetch(typing: Any, array: Any, offset: Any) -> Any:
    """Prefetch the cache line of one float32 value into the level-2 cache. Any offset is safe."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        int32 = ir.IntType(32)
        function_type = ir.FunctionType(ir.VoidType(), [address.type, int32, int32, int32])
        read, level_2, data_cache = int32(0), int32(2), int32(1)
        builder.call(builder.module.declare_intrinsic("llvm.prefetch", [address.type], function_type), [address, read, level_2, data_cache])
        return context.get_dummy_value()

    return types.void(array, offset), generate


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.bitcast(builder.gep(data, [arguments[1]]), _VECTOR_TYPES[signature.args[0].dtype].llvm_type.as_pointer())
