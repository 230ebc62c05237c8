"""The bibliography: ``python -m qlearn_book.site.bibliography`` writes it from ``references.bib``.

The page is plain Markdown and kept in git, so that a chapter's citations lead somewhere in
JupyterLab too; a test compares it with what this module would write.  A chapter cites by an
ordinary link, ``[Watkins and Dayan (1992)](bibliography.md#watkins1992)``.
"""

from __future__ import annotations

from pathlib import Path

from pybtex.database import Entry, Person, parse_file

BOOK = Path(__file__).resolve().parent.parent.parent / "book"
SOURCE = BOOK / "references.bib"
PAGE = BOOK / "bibliography.md"
HEAD = """# Bibliography

The works that the chapters cite, by author and year.
"""

# What makes an entry complete: the fields of its kind, and how they read after the title.
KINDS = {
    "article": ("author", "journal", "volume", "pages"),
    "book": ("author", "publisher"),
    "inproceedings": ("author", "booktitle", "volume", "pages"),
    "phdthesis": ("author", "school"),
    "misc": ("howpublished",),
}


def entries() -> dict[str, Entry]:
    """All works by key.  Raises ValueError for an entry that lacks a field of its kind."""
    found = dict(parse_file(str(SOURCE), "bibtex").entries)
    for key, entry in found.items():
        if entry.type not in KINDS:
            raise ValueError(
                f"references.bib: {key} must be one of {list(KINDS)}, not {entry.type}"
            )
        for name in ("title", "year", *KINDS[entry.type]):
            if name not in entry.fields and name not in entry.persons:
                raise ValueError(f"references.bib: {key} must have the field {name}, but has none")
    return found


def label(entry: Entry) -> str:
    """The authors as a citation names them: up to three surnames, else the first and others."""
    people = entry.persons.get("author", [])
    names = [_surname(person) for person in people]
    if not names:
        return entry.fields["title"]
    if names[-1] == "others" or len(names) > 3:
        return f"{names[0]} and others"
    return _listed(names)


def citations(entry: Entry) -> tuple[str, str]:
    """The two texts that a link to this work may have: as part of a sentence, in brackets."""
    name, year = label(entry), entry.fields["year"]
    return f"{name} ({year})", f"{name}, {year}"


def reference(entry: Entry) -> str:
    """The full reference in Markdown."""
    fields = entry.fields
    people = [_full_name(person) for person in entry.persons.get("author", [])]
    parts = [f"**{citations(entry)[0]}.**"]
    if people:  # otherwise the title stands in their place
        whole = entry.type in ("book", "phdthesis")
        parts.append(_sentence(_listed(people)))
        parts.append(_sentence(f"*{fields['title']}*" if whole else fields["title"]))
    parts.append(_sentence(_place(entry)))
    if "doi" in fields:
        parts.append(f"[doi:{fields['doi']}](<https://doi.org/{fields['doi']}>).")
    elif "url" in fields:
        parts.append(f"<{fields['url']}>.")
    return " ".join(parts)


def page() -> str:
    """The whole page: an anchor and a paragraph for each work, by author and year."""
    works = sorted(entries().items(), key=lambda item: citations(item[1])[0].casefold())
    return "\n".join([HEAD] + [f'<div id="{k}"></div>\n\n{reference(e)}\n' for k, e in works])


def _place(entry: Entry) -> str:
    fields = entry.fields
    if entry.type in ("article", "inproceedings"):
        series = fields.get("journal") or fields["booktitle"]
        return f"*{series}* {fields['volume']}, {fields['pages'].replace('--', '–')}"
    if entry.type == "book":
        edition = f"{fields['edition']} edition. " if "edition" in fields else ""
        return f"{edition}{fields['publisher']}"
    if entry.type == "phdthesis":
        return f"PhD thesis, {fields['school']}"
    return fields["howpublished"]


def _surname(person: Person) -> str:
    return " ".join(person.prelast_names + person.last_names)


def _full_name(person: Person) -> str:
    return " ".join(person.first_names + person.middle_names + [_surname(person)])


def _listed(names: list[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _sentence(text: str) -> str:
    return text if text.rstrip("*").endswith((".", "?")) else f"{text}."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"written: {PAGE}")
