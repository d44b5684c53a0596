"""The standard library's ``dataclass``, with the methods of a class made when they are first needed.

It means the same, as far as it is used here: ``frozen``, ``slots``, ``eq``, ``order``, ``kw_only``, ``weakref_slot``;
``field`` with ``default``, ``default_factory``, ``repr``, ``compare``; ``replace``. The type checker reads it as the original.
The original compiles up to eight functions for each class as soon as its module is imported, most of which are never called:
half of the time in which a command used to get ready for its first request.
"""

from functools import cache
from operator import attrgetter
from types import CodeType, FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import FrozenInstanceError, dataclass, field, replace
else:
    _NONE = object()
    """Stands for a default that is not there."""

    class FrozenInstanceError(AttributeError):
        """Something tried to change a frozen instance."""

    class _Field:
        __slots__ = ("compare", "default", "factory", "kw_only", "name", "repr")

        def __init__(self, default, factory, repr, compare):
            self.name = ""
            self.default = default
            self.factory = factory
            self.repr = repr
            self.compare = compare
            self.kw_only = False

    def field(*, default=_NONE, default_factory=_NONE, repr=True, compare=True):
        """What is particular about a field."""
        return _Field(default, default_factory, repr, compare)

    def replace(instance, /, **changes):
        """A new instance that differs in ``changes``; raises ``TypeError`` for a field that there is not."""
        for name in type(instance).__match_args__:
            if name not in changes:
                changes[name] = getattr(instance, name)
        return type(instance)(**changes)

    def dataclass(*, frozen=False, slots=False, eq=True, order=False, kw_only=False, weakref_slot=False):
        """Give a class the methods that follow from its annotated fields."""

        def decorate(cls):
            fields = _fields(cls, kw_only)
            for name in cls.__annotations__:
                default = fields[name].default
                if default is not _NONE:
                    setattr(cls, name, default)
                elif name in cls.__dict__:
                    delattr(cls, name)
            if slots:
                cls = _with_slots(cls, weakref_slot)
            own = cls.__dict__
            cls.__record_fields__ = fields
            cls.__match_args__ = tuple(fields)
            _set_constructor(cls, fields, frozen)
            if "__repr__" not in own:
                cls.__repr__ = _representation(tuple(name for name, one in fields.items() if one.repr))
            if eq:
                _set_comparisons(cls, tuple(name for name, one in fields.items() if one.compare), frozen, order)
            if frozen:
                cls.__setattr__ = _refuse_to_set
                cls.__delattr__ = _refuse_to_delete
            return cls

        return decorate

    def _fields(cls, kw_only):
        """By name, in order: those of the bases, then its own (a class's ``__annotations__`` are its own alone)."""
        found = {}
        for base in cls.__mro__[-1:0:-1]:
            found.update(base.__dict__.get("__record_fields__", {}))
        for name in cls.__annotations__:
            given = cls.__dict__.get(name, _NONE)
            one = given if isinstance(given, _Field) else _Field(given, _NONE, repr=True, compare=True)
            one.name, one.kw_only = name, kw_only
            found[name] = one
        return found

    def _with_slots(cls, weakref_slot):
        """The same class again, since a class cannot get slots later."""
        namespace = dict(cls.__dict__)
        names = tuple(cls.__annotations__)
        for name in (*names, "__dict__", "__weakref__"):
            namespace.pop(name, None)
        namespace["__slots__"] = (*names, "__weakref__") if weakref_slot else names
        namespace["__qualname__"] = cls.__qualname__
        return type(cls)(cls.__name__, cls.__bases__, namespace)

    def _set_constructor(cls, fields, frozen):
        """A constructor that makes the real one when it is called, and puts it in its own place."""

        def __init__(self, *arguments, **named):
            if "__init__" in vars(cls) and vars(cls)["__init__"] is __init__:
                cls.__init__ = _constructor(cls, fields, frozen)
            cls.__init__(self, *arguments, **named)

        cls.__init__ = __init__

    def _constructor(cls, fields, frozen):
        """``__init__``: code that classes with as many fields share, given this one's names."""
        slots = [getattr(getattr(cls, name, None), "__set__", None) for name in fields]
        positional = [one for one in fields.values() if not one.kw_only]
        is_usual = None not in slots and len(positional) == len(fields)
        if not is_usual or any(one.factory is not _NONE for one in positional):
            return _particular_constructor(cls, fields, slots, frozen)
        code = _usual_code(len(fields), hasattr(cls, "__post_init__")).replace(
            co_varnames=("self", *fields), co_name="__init__", co_qualname=f"{cls.__qualname__}.__init__"
        )
        defaults = tuple(one.default for one in positional if one.default is not _NONE)
        known = {f"_set{place}": slot for place, slot in enumerate(slots)}
        return FunctionType(code, known, "__init__", defaults)

    @cache
    def _usual_code(count, is_checked):
        lines = [f" _set{place}(self, _{place})" for place in range(count)]
        lines += [" self.__post_init__()"] if is_checked else []
        parameters = ", ".join(("self", *(f"_{place}" for place in range(count))))
        return _compiled(f"def __init__({parameters}):\n", lines)

    def _compiled(head, lines):
        module = compile(head + "\n".join(lines or [" pass"]), "<dataclass>", "exec")
        return next(constant for constant in module.co_consts if isinstance(constant, CodeType))

    def _particular_constructor(cls, fields, slots, frozen):
        """For classes with default factories, with fields that are given by name only, or without slots."""
        known = {"_NONE": _NONE, "_set": object.__setattr__}
        positional, named, lines = ["self"], [], []
        for place, (name, one) in enumerate(fields.items()):
            parameter, value = name, name
            if one.factory is not _NONE:
                known[f"_default{place}"] = one.factory
                parameter, value = f"{name}=_NONE", f"_default{place}() if {name} is _NONE else {name}"
            elif one.default is not _NONE:
                known[f"_default{place}"] = one.default
                parameter = f"{name}=_default{place}"
            (named if one.kw_only else positional).append(parameter)
            if slots[place] is not None:
                known[f"_set{place}"] = slots[place]
                lines.append(f" _set{place}(self, {value})")
            else:
                lines.append(f" _set(self, {name!r}, {value})" if frozen else f" self.{name} = {value}")
        if hasattr(cls, "__post_init__"):
            lines.append(" self.__post_init__()")
        parameters = [*positional, *(("*", *named) if named else ())]
        made = {}
        source = f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines or [" pass"])
        exec(source, known, made)  # noqa: S102 - of names that stand in this package's own classes
        made["__init__"].__qualname__ = f"{cls.__qualname__}.__init__"
        return made["__init__"]

    def _representation(names):
        def __repr__(self):
            values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
            return f"{self.__class__.__qualname__}({values})"

        return __repr__

    def _set_comparisons(cls, names, frozen, order):
        values = attrgetter(*names) if names else lambda _: ()

        def __eq__(self, other):
            return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

        def __hash__(self):
            return hash(values(self))

        own = cls.__dict__
        if "__eq__" not in own:
            cls.__eq__ = __eq__
        if frozen and own.get("__hash__") is None:
            cls.__hash__ = __hash__
        elif not frozen and "__hash__" not in own:
            cls.__hash__ = None
        if order:
            _set_order(cls, values)

    def _set_order(cls, values):
        def __lt__(self, other):
            return values(self) < values(other) if other.__class__ is self.__class__ else NotImplemented

        def __le__(self, other):
            return values(self) <= values(other) if other.__class__ is self.__class__ else NotImplemented

        def __gt__(self, other):
            return values(self) > values(other) if other.__class__ is self.__class__ else NotImplemented

        def __ge__(self, other):
            return values(self) >= values(other) if other.__class__ is self.__class__ else NotImplemented

        cls.__lt__, cls.__le__, cls.__gt__, cls.__ge__ = __lt__, __le__, __gt__, __ge__

    def _refuse_to_set(self, name, value):  # noqa: ARG001 - the shape of __setattr__
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_to_delete(self, name):  # noqa: ARG001 - the shape of __delattr__
        raise FrozenInstanceError(f"cannot delete field {name!r}")


__all__ = ["FrozenInstanceError", "dataclass", "field", "replace"]
