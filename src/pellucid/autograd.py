"""Reverse-mode differentiation: `Function`, the record it leaves, and the walk back through it.

Each op is a `Function`. Applying one to tensors that require grad makes a node: the op's instance,
with edges to the nodes that made its inputs. Nodes hold their inputs but never their outputs, so a
graph has no cycles and dies with its last tensor. Not here: any mathematics (ops/).
Next room: tensor.py.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np

from pellucid.backend import Array
from pellucid.dtypes import DType, as_dtype, float32, float64, is_float
from pellucid.errors import DTypeError, GraphError, ShapeError, UnsupportedError
from pellucid.grad_mode import is_grad_enabled, run_silently, set_grad_enabled
from pellucid.gradients import accumulate, owner_of, share_memory
from pellucid.hooks import watchers
from pellucid.tensor import Tensor

# Where a gradient goes: an output of a node, or a leaf (then the index is 0).
Edge: TypeAlias = "tuple[Function | Tensor, int]"
Hook: TypeAlias = Callable[[Tensor], "Tensor | None"]


# One saved tensor: its array, its version and what that was, the tensor itself if it is an input or
# a constant, and the index of an output, whose tensor would close a cycle.
_Saved: TypeAlias = "tuple[Array, list[int], int, Tensor | None, int]"


class Function:
    """An op: how it is computed, and how gradients pass back through it.

    Subclasses define two static methods. `forward(ctx, *args)` gets tensors and options, computes
    without recording, and returns an array or a tensor, or a tuple of them. `backward(ctx, *gy)`
    gets one gradient for each output and returns one gradient, or None, for each argument of
    forward; written with differentiable ops, it can itself be differentiated. `ctx` is the node:
    `save_for_backward`, `saved_tensors`, `needs_input_grad`, and any attribute of your own.

    >>> import pellucid
    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x.array**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, gy):
    ...         (x,) = ctx.saved_tensors
    ...         return gy * 3 * x**2
    >>> x = pellucid.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    # What the op computes, one element at a time; explain/ derives the gradients from it.
    equation: ClassVar[str] = ""
    # Whether `backward` may get a gradient as a pair, to be added in a pass that it makes anyway.
    takes_pairs: ClassVar[bool] = False
    # Whether `backward` has made the arrays of its gradients, which then nobody else holds.
    makes_gradients: ClassVar[bool] = False
    _counter: ClassVar[itertools.count[int]] = itertools.count()

    needs_input_grad: tuple[bool, ...] = ()
    may_overwrite: bool = False  # in `backward`: whether nobody holds the gradient of output 0
    next_functions: tuple[Edge | None, ...] = ()
    _to_save: tuple[Tensor | Array | None, ...] = ()
    _saved: tuple[_Saved | None, ...] | None = ()
    _non_differentiable: tuple[Tensor | Array, ...] = ()
    _outputs: tuple[tuple[tuple[int, ...], DType], ...] = ()
    _hooks: dict[int, dict[int, Hook]] | None = None
    _sequence: int = -1

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the outputs."""
        raise _undefined(ctx, "forward", "ctx, *args")

    @staticmethod
    def backward(ctx: Any, *gy: Any) -> Any:
        """Return the gradients of the arguments."""
        raise _undefined(ctx, "backward", "ctx, *gy")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute the outputs from `args` and record how they were made."""
        timer = watchers.timer
        return cls._apply(*args) if timer is None else timer.forward(cls, args)

    @classmethod
    def _apply(cls, *args: Any) -> Any:
        """Do what `apply` does, unmeasured."""
        node = cls()
        node.needs_input_grad = tuple([isinstance(a, Tensor) and a._requires_grad for a in args])
        recording = is_grad_enabled() and True in node.needs_input_grad
        # 1 / 0 is inf, as IEEE 754 has it, without a word
        result = run_silently(False, cls.forward, node, *args)
        if isinstance(result, tuple):
            outputs = tuple([_output(node, r, args) for r in result])
            if recording:
                node._record(args, result, outputs)
            return outputs
        y = _output(node, result, args)
        if recording:
            node._record(args, (result,), (y,))
        return y

    def save_for_backward(self, *values: Tensor | Array | None) -> None:
        """Keep tensors (inputs, outputs, or constants as arrays) for `backward`."""
        self._to_save = values

    def mark_non_differentiable(self, *outputs: Tensor | Array) -> None:
        """Say that no gradient passes through these outputs (integers never pass any)."""
        self._non_differentiable = outputs

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept.

        Raises: GraphError when it was released, or changed in place since.
        """
        if self._saved is None:
            raise GraphError(
                self.name,
                "backward passes through it a second time, and its saved tensors are released",
                fix="call the first backward with retain_graph=True",
            )
        return tuple([self._unpack(saved) for saved in self._saved])

    @property
    def name(self) -> str:
        """The op's name, as in error messages and pictures."""
        return type(self).__name__

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def _unpack(self, saved: _Saved | None) -> Tensor | None:
        if saved is None:
            return None
        array, version, version_then, tensor, output_index = saved
        if version[0] != version_then:
            raise GraphError(
                self.name,
                f"a tensor of shape {array.shape} that its backward needs was changed in place: "
                f"version {version[0]}, saved at {version_then}",
                fix="change a clone(), or change it after backward",
            )
        if tensor is not None:
            return tensor
        return Tensor._made_by(array, version, self, output_index)

    def _record(
        self, args: tuple[Any, ...], results: tuple[Any, ...], outputs: tuple[Tensor, ...]
    ) -> None:
        """Make this node part of the graph: its edges, its outputs and what it saves."""
        self._sequence = next(Function._counter)
        self.next_functions = tuple([_edge(a) if isinstance(a, Tensor) else None for a in args])
        quiet = [id(result) for result in self._non_differentiable]
        for index, y in enumerate(outputs):
            shape, dtype = y.array.shape, y.array.dtype
            self._outputs += ((shape, dtype),)
            if is_float(dtype) and id(results[index]) not in quiet:
                y._set_creator(self, index)
        if self._to_save:
            self._saved = tuple([_pack(value, results, outputs) for value in self._to_save])
        self._to_save = self._non_differentiable = ()

    def _run_backward(self, gradients: list[Tensor | None]) -> list[Tensor | None]:
        """Call `backward` and hold its answer against the arguments of forward."""
        for index, (shape, dtype) in enumerate(self._outputs):
            if gradients[index] is None:
                gradients[index] = Tensor(np.zeros(shape, dtype))
        found = type(self).backward(self, *gradients)
        found = found if isinstance(found, tuple) else (found,)
        if len(found) != len(self.next_functions):
            raise GraphError(
                self.name,
                f"backward returned {len(found)} gradients for the {len(self.next_functions)} "
                "arguments of forward",
                fix="return one gradient for each argument, None where there is none",
            )
        saved = [s[0] for s in self._saved or () if s is not None]
        return [self._checked(k, gradient, saved) for k, gradient in enumerate(found)]

    def _checked(self, k: int, gradient: Any, saved: list[Array]) -> Tensor | None:
        """Return gradient number k if it fits its argument, with memory of its own."""
        edge = self.next_functions[k]
        if gradient is None or edge is None:
            return None
        if not isinstance(gradient, Tensor):
            raise GraphError(
                self.name,
                f"backward returned a {type(gradient).__name__} for argument {k}, not a Tensor",
                fix="wrap an array with pellucid.from_numpy",
            )
        shape, dtype = _edge_shape(edge)
        array = gradient.array
        if array.shape != shape:
            raise ShapeError(
                self.name,
                f"backward returned shape {gradient.shape} for argument {k} of shape {shape}",
                fix="return a gradient of the argument's own shape (sum over broadcast axes)",
            )
        for kept in saved:
            if share_memory(array, kept):
                gradient = gradient.clone()  # else a leaf's grad would be another tensor's memory
                break
        return gradient if array.dtype == dtype else gradient.to(dtype)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a `backward` that is not itself differentiable, so that second order says so.

    Raises: GraphError when the gradient is asked for with `create_graph=True`.
    """

    @functools.wraps(backward)
    def checked(ctx: Any, *gy: Any) -> Any:
        if is_grad_enabled():
            raise GraphError(
                ctx.name,
                "its backward is marked once_differentiable, and create_graph=True was asked for",
                fix="write its backward with differentiable ops, or leave create_graph off",
            )
        return backward(ctx, *gy)

    return checked


def _undefined(node: Function, method: str, parameters: str) -> UnsupportedError:
    return UnsupportedError(
        node.name,
        f"the op has no {method}",
        fix=f"define @staticmethod {method}({parameters}) in its class",
    )


def _edge(tensor: Tensor) -> Edge | None:
    if not tensor._requires_grad:
        return None
    return (tensor, 0) if tensor.grad_fn is None else (tensor.grad_fn, tensor._output_index)


def _edge_shape(edge: Edge) -> tuple[tuple[int, ...], DType]:
    target, index = edge
    return (target.shape, target.dtype) if isinstance(target, Tensor) else target._outputs[index]


def _output(node: Function, result: Any, args: tuple[Any, ...]) -> Tensor:
    """Wrap what forward returned; a view of an input shares that input's version."""
    array = result.array if isinstance(result, Tensor) else np.asarray(result)
    if array.dtype not in (float32, float64):
        if result is None:
            raise GraphError(
                node.name, "forward returned None", fix="return an array, a tensor or a tuple"
            )
        as_dtype(array.dtype, node.name)
    y = Tensor(array)
    for arg in args:
        if isinstance(arg, Tensor) and share_memory(array, arg.array):
            y._version = arg._version
            break
    return y


def _pack(
    value: Tensor | Array | None, results: tuple[Any, ...], outputs: tuple[Tensor, ...]
) -> _Saved | None:
    if value is None:
        return None
    for index, result in enumerate(results):
        if value is result and (y := outputs[index]).grad_fn is not None:
            return y.array, y._version, y._version[0], None, index
    tensor = value if isinstance(value, Tensor) else Tensor(value)
    return tensor.array, tensor._version, tensor._version[0], tensor, 0


class _Walk:
    """One pass back through the graph, from the youngest node to the oldest.

    A node is younger than the nodes it got its inputs from. So when the youngest waiting node is
    taken from the heap, all gradients of its outputs have arrived, and no node is met twice.
    """

    def __init__(self, retain_graph: bool, create_graph: bool) -> None:
        self.retain_graph = retain_graph
        self.create_graph = create_graph
        self.leaves: dict[int, tuple[Tensor, Tensor]] = {}
        self.captured: dict[tuple[int, int], Tensor] = {}
        self.held: set[int] = set()  # owners of memory that a caller or a hook may still hold
        self._watchers = watchers.now
        self._waiting: list[tuple[int, Function]] = []
        self._gradients: dict[Function, list[Any]] = {}  # tensors, pairs of them, or None
        self._made: dict[int, Tensor] = {}  # those that wait and that nobody else holds, by id

    def deliver(self, edge: Edge, gradient: Tensor, made: bool = False) -> None:
        """Add a gradient to what has arrived at a leaf or at an output of a node."""
        target, index = edge
        if isinstance(target, Tensor):
            _, known = self.leaves.get(id(target), (target, None))
            self.leaves[id(target)] = target, gradient if known is None else known + gradient
            return
        if target not in self._gradients:
            self._gradients[target] = [None] * len(target._outputs)
            heapq.heappush(self._waiting, (-target._sequence, target))
        slots = self._gradients[target]
        if made:
            self._made[id(gradient)] = gradient
        arrived: Any = gradient
        if (known := slots[index]) is not None:
            pair = target.takes_pairs and not isinstance(known, tuple)
            arrived = (known, gradient) if pair else _sum_of(known) + gradient
            if not pair:
                self._let_go((*_parts(known), gradient))
        slots[index] = arrived

    def _let_go(self, gradient: Any) -> bool:
        """Forget who holds a gradient, or a pair, and say whether it was this walk alone."""
        known = [self._made.pop(id(part), None) for part in _parts(gradient)]
        return all(part is not None for part in known)

    def run(self, wanted: set[tuple[int, int]], useful: set[Function] | None) -> None:
        """Run every node that gradients reach, or only the `useful` ones."""
        run_silently(self.create_graph, self._run, wanted, useful)

    def _run(self, wanted: set[tuple[int, int]], useful: set[Function] | None) -> None:
        timer = watchers.timer
        while self._waiting:
            _, node = heapq.heappop(self._waiting)
            gradients = self._gradients.pop(node)
            alone = [self._let_go(gradient) for gradient in gradients]
            seen = node._hooks or wanted or self._watchers or self.create_graph
            node.may_overwrite = alone[0] and not seen
            if node.takes_pairs and seen:
                gradients = [_sum_of(gradient) for gradient in gradients]
            for index, arrived in enumerate(gradients) if node._hooks or wanted else ():
                if arrived is not None:
                    hooks = (node._hooks or {}).get(index)
                    gradients[index] = gradient = self._run_hooks(hooks, arrived)
                    if (id(node), index) in wanted:
                        self.captured[id(node), index] = gradient
            if useful is not None and node not in useful:
                continue
            if timer is None:
                self._pass_through(node, gradients, wanted, useful)
            else:
                timer.backward(node, self._pass_through, node, gradients, wanted, useful)
        for key, (leaf, gradient) in self.leaves.items():
            self.leaves[key] = leaf, self._run_hooks(leaf._hooks, gradient)

    def _run_hooks(self, hooks: dict[int, Hook] | None, gradient: Tensor) -> Tensor:
        """Pass a gradient through the hooks of its tensor; a hook may replace it, or keep it."""
        for hook in list(hooks.values()) if hooks else ():
            self.held.add(id(owner_of(gradient.array)))
            replaced = hook(gradient)
            if replaced is not None:
                if replaced.shape != gradient.shape:
                    raise ShapeError(
                        "hook",
                        f"it returned shape {replaced.shape} for a gradient of {gradient.shape}",
                        fix="return a gradient of the same shape, or None to keep it",
                    )
                gradient = replaced
                self.held.add(id(owner_of(gradient.array)))
        return gradient

    def _pass_through(
        self,
        node: Function,
        gradients: list[Tensor | None],
        wanted: set[tuple[int, int]],
        useful: set[Function] | None,
    ) -> None:
        edges = node.next_functions
        node.needs_input_grad = tuple(
            [
                e is not None and (useful is None or e[0] in useful or (id(e[0]), e[1]) in wanted)
                for e in edges
            ]
        )
        for watcher in self._watchers:
            watcher(node, gradients)
        found = node._run_backward(gradients)
        for edge, needed, gradient in zip(edges, node.needs_input_grad, found, strict=True):
            if edge is not None and needed and gradient is not None:
                self.deliver(edge, gradient, node.makes_gradients)
        if not self.retain_graph:
            node._saved = None if node._saved else node._saved


def _parts(gradient: Any) -> tuple[Any, ...]:
    return gradient if isinstance(gradient, tuple) else (gradient,)


def _sum_of(gradient: Any) -> Any:
    """Add the two gradients of a pair; another one is what it is."""
    return gradient[0] + gradient[1] if isinstance(gradient, tuple) else gradient


def _root_gradient(op: str, y: Tensor, gradient: Tensor | None) -> Tensor:
    if not y.requires_grad:
        raise GraphError(
            op,
            f"the tensor of shape {y.shape} does not require grad and no graph leads to it",
            fix="set requires_grad=True on an input, and compute outside no_grad",
        )
    if gradient is None:
        if y.array.size != 1:
            raise GraphError(
                op,
                f"the tensor has {y.array.size} elements (shape {y.shape}), and only one of a "
                "single element has a gradient of its own to start from",
                fix="reduce it, as with .sum(), or pass the gradient of each element",
            )
        return Tensor(np.ones_like(y.array))
    if not isinstance(gradient, Tensor):
        raise DTypeError(
            op,
            f"the gradient is a {type(gradient).__name__}, not a Tensor",
            fix="make a tensor of it with pellucid.tensor",
        )
    if gradient.shape != y.shape:
        raise ShapeError(
            op,
            f"the gradient has shape {gradient.shape}, its tensor {y.shape}",
            fix="pass a gradient of the tensor's own shape",
        )
    return gradient.to(y.dtype)


def _start(
    op: str,
    tensors: Sequence[Tensor],
    gradients: Sequence[Tensor | None] | None,
    retain_graph: bool | None,
    create_graph: bool,
) -> _Walk:
    """Begin a walk at `tensors`, each with its gradient (ones for a single element)."""
    gradients = gradients if gradients is not None else [None] * len(tensors)
    if len(gradients) != len(tensors):
        raise GraphError(
            op,
            f"there are {len(gradients)} gradients for {len(tensors)} tensors",
            fix="pass one gradient, or None, for each tensor",
        )
    walk = _Walk(create_graph if retain_graph is None else retain_graph, create_graph)
    with set_grad_enabled(create_graph):
        for y, gradient in zip(tensors, gradients, strict=True):
            start = _root_gradient(op, y, gradient)
            walk.held.add(id(owner_of(start.array)))
            edge = _edge(y)
            assert edge is not None
            walk.deliver(edge, start)
    return walk


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add the gradients of `tensors` to `.grad` of every leaf that they were computed from.

    Shapes: each gradient has its tensor's shape; it may be left out for a single element.
    Maths: for each leaf x, x.grad += sum over y of (dy/dx)^T gy.
    Raises: GraphError for tensors without a graph, or when saved tensors are released or changed.
    """
    roots = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    starts = [grad_tensors] if isinstance(grad_tensors, Tensor) else grad_tensors
    walk = _start("backward", roots, starts, retain_graph, create_graph)
    walk.run(set(), None)
    for leaf, gradient in walk.leaves.values():
        accumulate(leaf, gradient, walk.held, create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of `outputs` with respect to `inputs`, and change no `.grad`.

    Only the nodes between the two are run.
    Raises: GraphError for an input that does not require grad, or that the outputs do not depend
    on (None in its place with `allow_unused=True`).

    >>> import pellucid
    >>> x = pellucid.tensor(3.0, requires_grad=True)
    >>> (gx,) = grad(x**2, x, create_graph=True)
    >>> gx, grad(gx, x)
    (tensor(6., grad_fn=<Mul>), (tensor(2.),))
    """
    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    starts = [grad_outputs] if isinstance(grad_outputs, Tensor) else grad_outputs
    targets = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    edges: list[Edge] = []
    for k, x in enumerate(targets):
        edge = _edge(x)
        if edge is None:
            raise GraphError(
                "autograd.grad",
                f"input {k} of shape {x.shape} does not require grad",
                fix="set requires_grad=True on it before computing the outputs",
            )
        edges.append(edge)
    wanted = {(id(target), index) for target, index in edges}
    walk = _start("autograd.grad", roots, starts, retain_graph, create_graph)
    walk.run(wanted, _leading_to(wanted, roots))
    found: list[Tensor | None] = []
    for k, (target, index) in enumerate(edges):
        if isinstance(target, Tensor):
            gradient = walk.leaves.get(id(target), (target, None))[1]
        else:
            gradient = walk.captured.get((id(target), index))
        if gradient is None and not allow_unused:
            raise GraphError(
                "autograd.grad",
                f"the outputs do not depend on input {k} of shape {targets[k].shape}",
                fix="pass allow_unused=True to get None in its place",
            )
        found.append(gradient)
    return tuple(found)


def _leading_to(wanted: set[tuple[int, int]], roots: Iterable[Tensor]) -> set[Function]:
    """Return the nodes from which a wanted leaf or output can be reached."""
    reachable = {y.grad_fn for y in roots if y.grad_fn is not None}
    stack = list(reachable)
    while stack:
        for edge in stack.pop().next_functions:
            if edge and isinstance(edge[0], Function) and edge[0] not in reachable:
                reachable.add(edge[0])
                stack.append(edge[0])
    useful: set[Function] = set()
    for node in sorted(reachable, key=lambda n: n._sequence):  # the inputs of a node come first
        for edge in node.next_functions:
            if edge and (edge[0] in useful or (id(edge[0]), edge[1]) in wanted):
                useful.add(node)
    return useful
