"""A docstring as the parts of a help card."""

from __future__ import annotations

from functools import lru_cache

from docutils import nodes

from layerloom.catalogue.content import operations, resolve
from layerloom.catalogue.help.elements import Content, content, elements, joined
from layerloom.catalogue.help.parsing import LENGTH_LIMIT, Entry, Section, parsed
from layerloom.catalogue.help.sections import directives
from layerloom.catalogue.introspection.docstrings import text_of
from layerloom.catalogue.introspection.operations import explained
from layerloom.schema.help import Element, Help, HelpParameter


@lru_cache(maxsize=256)
def help_of(name: str) -> Help:
    """Help for an entry of the catalogue.

    Raises:
        KeyError: the catalogue has no such name.
    """
    target = resolve(name)
    told = rendered(text_of(explained(name, target) if name in operations() else target))
    # Where the class leaves it to its call to say what goes in and comes out.
    called = getattr(target, "forward", None) if not told.shape else None
    return told.model_copy(update={"shape": rendered(text_of(called)).shape}) if called else told


def rendered(text: str) -> Help:
    """A docstring, taken apart and made into elements; its text as it is, where it is nested too deeply for that."""
    try:
        return _taken_apart(text)
    except RecursionError:
        return Help(description=[Element(tag="pre", content=[text[:LENGTH_LIMIT]])])


def _taken_apart(text: str) -> Help:
    tree = parsed(directives(text[:LENGTH_LIMIT]))
    parts: dict[str, Content] = {"shape": [], "returns": [], "examples": []}
    told: dict[str, list[HelpParameter]] = {"parameters": [], "attributes": []}
    for section in list(tree.findall(Section)):
        kind = section["kind"]
        if kind in told:
            known = {it.name for it in told[kind]}
            # A function of several signatures tells of each of them; what is said first counts.
            told[kind] += [one for entry in section.findall(Entry) if (one := _parameter(entry)).name not in known]
        elif kind in parts:
            parts[kind] += content(section)
        section.parent.remove(section)
    notes = [one for one in tree.findall(nodes.Admonition) if one.parent is tree or _only_indented(one.parent)]
    for note in notes:
        note.parent.remove(note)
    return Help(
        description=_blocks(content(tree)),
        **{kind: _blocks(part) for kind, part in parts.items()},
        **told,
        notes=[one for note in notes for one in elements(note)],
    )


def _parameter(entry: Entry) -> HelpParameter:
    return HelpParameter(name=entry["name"], type=entry["type"], content=_blocks(content(entry)))


def _only_indented(parent: nodes.Element) -> bool:
    return isinstance(parent, nodes.block_quote) and isinstance(parent.parent, nodes.document)


def _blocks(parts: Content) -> Content:
    """Without the quotes that hold nothing any more, or that only an indentation has made."""
    opened = joined(one for part in parts for one in _opened(part))
    return [part for part in opened if not isinstance(part, str) or part.strip()]


def _opened(part: str | Element) -> Content:
    return part.content if isinstance(part, Element) and part.tag == "blockquote" else [part]
