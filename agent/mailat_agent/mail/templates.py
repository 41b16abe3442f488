"""Texts of configuration as they lie beside this module, also inside of the packed agent."""

from importlib.resources import files
from string import Template


def text(path: str, **values: object) -> str:
    """A file below `templates/` with each `$name` replaced (`$$` is a dollar); KeyError where a value is missing."""
    template = Template(_read(path))
    if unused := values.keys() - set(template.get_identifiers()):
        raise KeyError(f"{path} does not use {', '.join(sorted(unused))}")
    return template.substitute(values)


def plain(path: str) -> str:
    """A file below `templates/` as it is, with whatever dollars it has."""
    return _read(path)


def _read(path: str) -> str:
    return files(__package__).joinpath("templates", *path.split("/")).read_text(encoding="utf-8")
