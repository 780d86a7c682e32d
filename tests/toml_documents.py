"""Makes TOML documents of every form that a person may write, with Hypothesis.

Every value begins with a number of its own that stands on the line of its key, so a test can tell that line from
all others, however often a key is repeated.
"""

import json
from collections.abc import Iterator
from itertools import count

from hypothesis import strategies as st

_KEYS = st.sampled_from(
    ["a", "b", "c", "name", "1", "a-b", "a b", "a.b", "[a]", "a = 1", "# a", "it's", '"', "é", "", "x\ny"]
)
_TAILS = st.text("ab 'x\"\\#[]{}=,.\n", max_size=12)
_SPACES = st.sampled_from(["", " ", "\t", "  "])
_LINE_ENDS = st.sampled_from(["\n", " \n", " # a = 1\n", '# """ [\n', "\n\n# [a]\n  \n"])

Path = tuple[str, ...]


def documents() -> st.SearchStrategy[str]:
    """Texts that tomllib reads."""
    return _document()


def mark_of(value: object) -> str:
    """What of a value stands on the line of its key for certain; nothing of a section or an array."""
    return "" if isinstance(value, dict | list | bool) else str(value)[:6]


@st.composite
def _document(draw: st.DrawFn) -> str:
    text = _Writer(draw).section((), depth=0)
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


class _Writer:
    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._marks = count(100_000)

    def section(self, path: Path, *, depth: int) -> str:
        """The assignments of a section and, under headers of their own, the sections in it."""
        keys = self._draw(st.lists(_KEYS, max_size=5, unique=True))
        inner = self._draw(st.integers(0, len(keys))) if depth < 3 else 0
        return self._assignments(keys[inner:]) + self._sections(path, keys[:inner], depth=depth + 1)

    def _sections(self, path: Path, keys: list[str], *, depth: int) -> str:
        return "".join(self._section((*path, key), depth=depth) for key in keys)

    def _section(self, path: Path, *, depth: int) -> str:
        name = self._dotted(path)
        form = self._draw(st.integers(0, 3))
        if form == 0:
            return f"{self._space()}[{name}]{self._end()}{self.section(path, depth=depth)}"
        if form == 1:
            return "".join(
                f"{self._space()}[[{name}]]{self._end()}{self.section(path, depth=depth)}"
                for _ in range(self._draw(st.integers(1, 3)))
            )
        keys = self._draw(st.lists(_KEYS, max_size=3, unique=True)) if depth < 3 else []
        late = f"[{name}]{self._end()}{self._assignments(keys[1:])}"
        return self._sections(path, keys[:1], depth=depth + 1) + (late if form == 2 else "")

    def _assignments(self, keys: list[str]) -> str:
        lines: list[str] = []
        for key in keys:
            below = self._draw(st.lists(_KEYS, max_size=2, unique=True))
            for second in [[each] for each in below] or [[]]:
                path = (key, *second, *self._draw(st.lists(_KEYS, max_size=1)))
                lines += (
                    self._space(),
                    self._dotted(path),
                    "=",
                    self._space(),
                    self._value(depth=0),
                    self._end(),
                )
        return "".join(lines)

    def _value(self, *, depth: int) -> str:
        kinds = [self._number, self._flag, self._text]
        kind = self._draw(st.integers(0, len(kinds) + (1 if depth < 2 else -1)))
        if kind == len(kinds):
            return "[" + self._gap() + "".join(self._items(depth + 1)) + "]"
        if kind == len(kinds) + 1:
            keys = self._draw(st.lists(_KEYS, max_size=3, unique=True))
            pairs = (f"{self._dotted((key,))}= {self._value(depth=depth + 1)}" for key in keys)
            return "{" + self._space() + ", ".join(pairs) + " }"
        return kinds[kind]()

    def _items(self, depth: int) -> Iterator[str]:
        last = self._draw(st.integers(0, 3))
        for index in range(1, last + 1):
            comma = "," if index < last or self._draw(st.booleans()) else ""
            yield self._value(depth=depth) + self._gap() + comma + self._gap()

    def _number(self) -> str:
        return self._draw(st.sampled_from(["{}", "{}.5", "{}e2"])).format(next(self._marks))

    def _flag(self) -> str:
        return self._draw(st.sampled_from(["true", "false"]))

    def _text(self) -> str:
        text = f"{next(self._marks)}{self._draw(_TAILS)}"
        form = self._draw(st.integers(0, 3))
        if form == 1 and not set("'\n") & set(text):
            return f"'{text}'"
        if form == 2 and "'''" not in text:
            return f"'''{text}'''"
        if form == 3:
            return '"""' + text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + '"""'
        return json.dumps(text)

    def _dotted(self, path: Path) -> str:
        return f"{self._space()}.{self._space()}".join(map(self._key, path)) + self._space()

    def _key(self, key: str) -> str:
        is_bare = key.replace("-", "").isalnum() and key.isascii()
        if is_bare and self._draw(st.booleans()):
            return key
        if not set("'\n") & set(key) and self._draw(st.booleans()):
            return f"'{key}'"
        return json.dumps(key, ensure_ascii=False)

    def _space(self) -> str:
        return self._draw(_SPACES)

    def _gap(self) -> str:
        return self._draw(st.one_of(_SPACES, _LINE_ENDS))

    def _end(self) -> str:
        return self._draw(_LINE_ENDS)
