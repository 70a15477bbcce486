"""How the compiler is told to treat the kernel as one program of many parts.

By itself the compiler makes every function ready to be called alone: three wrappers, optimised and turned into machine
code, once for each combination of argument types that occurs. For a kernel of several hundred small functions that
takes minutes, and nobody calls them alone. So here a *part* is only translated, its integers always 64 bits wide, and
waits; a *whole*, a function that is called from outside, takes in all the parts that it reaches, and only then is
everything optimised and turned into machine code, once.
"""

from __future__ import annotations

from typing import Any, Final, cast

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering


class PartLibrary(JITCodeLibrary):
    """The code of one part, not optimised and not linked to what it calls."""

    def add_llvm_module(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        self._final_module.link_in(ll_module)

    def finalize(self) -> None:
        self._finalized = True


class WholeLibrary(JITCodeLibrary):
    """The code of an entry and of every part that it reaches."""

    def finalize(self) -> None:
        reached: dict[Any, None] = {}
        waiting = list(self._linking_libraries)
        while waiting:
            library = waiting.pop()
            if library not in reached:
                reached[library] = None
                if isinstance(library, PartLibrary):
                    waiting.extend(library._linking_libraries)
        self._linking_libraries = list(reached)
        super().finalize()

    def _optimize_final_module(self) -> None:
        """Function by function, then all together. The compiler's own pass in between serves counted references, of
        which the kernel has none."""
        self._optimize_functions(self._final_module)
        passes, builder = self._codegen._module_pass_manager()
        with self._recorded_timings.record("Module passes", builder):
            passes.run(self._final_module, builder)


@register_pass(mutates_CFG=True, analysis_only=False)
class PartLowering(NativeLowering):
    """Translates a part and leaves it at that."""

    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state["flags"].no_compile = True
        super().run_pass(state)
        key = object()  # what the calls of this part are looked up by
        state.targetctx.insert_user_function(key, state.cr.fndesc, [state.library])
        state.cr = state.cr._replace(cfunc=key)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class WholeLowering(NativeLowering):
    """Translates an entry and takes its parts in."""

    _name = "whole_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = WholeLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


def _pipeline(state: Any, lowering: type[NativeLowering]) -> PassManager:
    """The compiler's own passes, with another lowering."""
    passes = PassManager("kernel")
    for one, description in DefaultPassBuilder.define_nopython_pipeline(state).passes:
        passes.add_pass(lowering if one is NativeLowering else one, description)
    passes.finalize()
    return passes


class PartCompiler(Compiler):
    def define_pipelines(self) -> list[PassManager]:
        return [_pipeline(self.state, PartLowering)]


class WholeCompiler(Compiler):
    def define_pipelines(self) -> list[PassManager]:
        return [_pipeline(self.state, WholeLowering)]


def stay_apart(part: Any) -> None:
    """Never take a part's code into its callers, and lay theirs out for the case that it is not called."""
    code = part.library._final_module.get_function(part.fndesc.llvm_func_name)
    for attribute in ("noinline", "cold"):
        code.add_function_attribute(attribute)


def _wide(given: types.Type) -> types.Type:
    """The type that a part takes an argument as: int64 for every signed or narrow integer, literal and enum member."""
    bare = types.unliteral(given)
    if isinstance(bare, types.IntEnumMember):
        return types.int64
    return types.int64 if isinstance(bare, types.Integer) and bare != types.uint64 else bare


_ALONE: Final = {"nopython": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}
"""Not called from outside, and no counted references: nothing is allocated, and every array is the caller's."""


class Part(CPUDispatcher):
    """A function that only parts and entries call, compiled once whatever kinds of integers it is given."""

    _compiler: Any

    def __init__(self, py_func: Any, apart: bool = False, **options: Any) -> None:
        self._apart = apart
        super().__init__(
            py_func,
            targetoptions=_ALONE | options,
            pipeline_class=PartCompiler,
        )

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self.py_func.__name__} is a part: call it from a function marked `entry`")

    def get_call_template(self, args: Any, kws: Any) -> Any:
        _, folded = self._compiler.fold_argument_types(args, kws)
        return super().get_call_template(tuple(_wide(one) for one in folded), {})

    def compile(self, sig: Any) -> Any:
        args, made = tuple(sig), cast("dict[Any, Any]", self.overloads)
        if args not in made:
            with self._compiling_counter:
                made[args] = self._compiler.compile(args, None)
                if self._apart:
                    stay_apart(made[args])
        return made[args].entry_point


__all__ = ["Part", "WholeCompiler"]
