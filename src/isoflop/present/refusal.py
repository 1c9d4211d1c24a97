"""What click refuses, in the words of every other message: where: what came, what is needed. What to do."""

from __future__ import annotations

import re

import click

from isoflop.errors import closest

_CAME = re.compile(r"^(?P<came>'.*?'|\S+) is not ")
_EXTRA = re.compile(r"^Got unexpected extra arguments? \((?P<words>.*)\)")


def explain(error: click.ClickException) -> str:
    """Return click's refusal as one line in the project's pattern.

    Parameters
    ----------
    error : click.ClickException
        As raised by click itself; a refusal of the project's own is no such exception.

    Examples
    --------
    >>> import click
    >>> command = click.Command("fit", params=[click.Option(["--seed"], type=click.IntRange(min=0))])
    >>> try:
    ...     command.main(["--sed", "1"], prog_name="fit", standalone_mode=False)
    ... except click.ClickException as error:
    ...     print(explain(error))
    fit: '--sed' is no option here, needs one of its own. Did you mean '--seed'?
    """
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.NoSuchOption):
        return _no_option(error, context)
    if isinstance(error, click.MissingParameter):
        return _missing(error, context)
    if isinstance(error, click.BadParameter):
        return _bad_value(error, context)
    if isinstance(error, click.BadOptionUsage):
        return _bad_usage(error, context)
    if isinstance(error, click.FileError):
        return f"{error.ui_filename}: {error.message}, needs a file that can be read. Check the path."
    if context is None:
        return error.format_message()
    extra = _EXTRA.match(error.message)
    if extra:
        return f"{context.command_path}: {extra['words']!r} is too much, {_takes(context)} Leave it out."
    # raised by the group with the word it could not find
    word = context.args[0] if context.args else str(getattr(error, "command_name", ""))
    if isinstance(context.command, click.Group) and repr(word) in error.message:
        return _no_command(word, context, context.command)
    return f"{context.command_path}: {error.format_message()} {_see(context)}"


def _no_command(word: str, context: click.Context, group: click.Group) -> str:
    names = group.list_commands(context)
    near = closest(word, names)
    hint = f"Did you mean {near!r}?" if near else _see(context)
    return f"{context.command_path}: no command {word!r}, needs one of {', '.join(names)}. {hint}"


def _no_option(error: click.NoSuchOption, context: click.Context | None) -> str:
    name = error.option_name
    if context is None:
        return f"{name}: no such option, needs one of the command's own. See --help."
    own = [
        word for p in context.command.get_params(context) if isinstance(p, click.Option) for word in p.opts
    ]
    near = closest(name, [word for word in own if word.startswith("--")])
    hint = f"Did you mean {near!r}?" if near else _see(context)
    return f"{context.command_path}: {name!r} is no option here, needs one of its own. {hint}"


def _missing(error: click.MissingParameter, context: click.Context | None) -> str:
    if context is None or error.param is None:
        return error.format_message()
    name = error.param.make_metavar(context) if error.param.param_type_name == "argument" else _name(error)
    usage = context.get_usage().removeprefix("Usage: ")
    choices = getattr(error.param.type, "choices", ())
    needs = f"needs one of {', '.join(map(str, choices))}" if choices else "needs one"
    return f"{context.command_path}: no {name} given, {needs}. Write {' '.join(usage.split())}"


def _bad_value(error: click.BadParameter, context: click.Context | None) -> str:
    where, kind = _name(error), error.param.type if error.param is not None else None
    came = _CAME.match(error.message)
    if came is None or kind is None:
        return f"{where}: {error.message.rstrip('.')}, needs another value. {_see(context)}"
    value = "'" + came["came"].strip("'") + "'"
    if isinstance(kind, click.Choice):
        choices = [str(choice) for choice in kind.choices]
        near = closest(value.strip("'"), choices)
        hint = f"Did you mean {near!r}?" if near else f"Use {choices[0]!r}, say."
        return f"{where}: {value}, must be one of {', '.join(choices)}. {hint}"
    return f"{where}: {value}, must be {_kind(kind)}. {_see(context)}"


def _bad_usage(error: click.BadOptionUsage, context: click.Context | None) -> str:
    name = error.option_name
    if "does not take" in error.message:
        return f"{name}: a value came, takes none. Write {name} alone."
    params = context.command.get_params(context) if context is not None else []
    option = next((p for p in params if name in (*p.opts, *p.secondary_opts)), None)
    form = option.make_metavar(context) if option is not None and context is not None else "VALUE"
    return f"{name}: no value came, needs one. Write {name} {form}."


def _kind(kind: click.ParamType[object]) -> str:
    """Return what a type accepts, in words."""
    whole = isinstance(kind, (click.IntRange, type(click.INT)))
    noun = "a whole number" if whole else "a number" if kind.name.startswith("float") else f"a {kind.name}"
    low, high = getattr(kind, "min", None), getattr(kind, "max", None)
    low_open, high_open = getattr(kind, "min_open", False), getattr(kind, "max_open", False)
    if low is None and high is None:
        return noun
    if high is None:
        return f"{noun} above {low:g}" if low_open else f"{noun}, {low:g} or more"
    if low is None:
        return f"{noun} below {high:g}" if high_open else f"{noun}, {high:g} or less"
    return f"{noun} in {'(' if low_open else '['}{low:g}, {high:g}{')' if high_open else ']'}"


def _name(error: click.BadParameter) -> str:
    """Return the option's long name, or the argument's name in the usage line."""
    if error.param is None:
        return str(error.param_hint or "value")
    if isinstance(error.param, click.Option):
        return max(error.param.opts, key=len)
    return error.param.human_readable_name


def _takes(context: click.Context) -> str:
    words = [p.make_metavar(context) for p in context.command.params if isinstance(p, click.Argument)]
    return f"takes {' '.join(words)} alone." if words else "takes options alone."


def _see(context: click.Context | None) -> str:
    return f"See {context.command_path} --help." if context is not None else "See --help."
