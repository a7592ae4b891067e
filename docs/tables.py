"""The pages of the documentation that are made from fsprobe's own tables: operations, checks, rules, keys, commands.

Owns their Markdown; knows nothing of Sphinx, and holds no fact of its own: what stands there is what `fsprobe explain`,
`fsprobe list` and `--help` tell, of the same tables. `python docs/tables.py DIR` writes the pages.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from fsprobe.checks.check import Check
from fsprobe.checks.suite import BUILT_IN, load_suite, suites_root
from fsprobe.cli.main import cli
from fsprobe.config.settings import KINDS, RUN
from fsprobe.diagnose.handlers import FAMILIES, TITLES, missing_answers
from fsprobe.diagnose.operations import OPERATIONS, Operation, consequence
from fsprobe.pytest_plugin.settings import SETTINGS
from fsprobe.relay import kinds

MADE = "% made by docs/tables.py: change the tables, not this page\n\n"
SUITES = {
    **dict.fromkeys(BUILT_IN, ""),
    "vexfs": " It is asked of the target `vexfs` alone, or with `--suite vexfs`.",
}
LAYERS = {
    "wire": "wire layer: fsprobe plays the kernel and sends the requests itself",
    "mount": "mount layer: system calls on the mounted file system",
    "shell": "shell layer: programs on a terminal",
}


def write(place: Path) -> None:
    """Write every page below `place`, and remove what is no page any more."""
    wanted = {place / name: MADE + "\n".join(lines) + "\n" for name, lines in pages().items()}
    for path in place.rglob("*.md"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text() != text:  # what is as it was need not be read again
            path.write_text(text)


def pages() -> dict[str, list[str]]:
    """Every page: its path below the folder of generated pages, and its lines."""
    checks = {suite: load_suite(suite) for suite in SUITES}
    every = [check for suite in checks.values() for check in suite]
    made = {
        "operations.md": list(operations_index(every)),
        "checks.md": list(checks_index(checks)),
        "rules.md": list(rules()),
        "keys.md": list(keys()),
        "commands.md": list(commands()),
    }
    made |= {f"operations/{op.name}.md": list(operation(op, every)) for op in OPERATIONS.values()}
    return made | {f"checks/{suite}.md": list(checks_of(suite, found)) for suite, found in checks.items()}


def operations_index(checks: Sequence[Check]) -> Iterable[str]:
    """All operations in one table, and the list of their pages."""
    yield "# Every operation"
    yield ""
    yield "What fsprobe knows of each FUSE operation; `fsprobe explain OP` says the same at the terminal."
    yield ""
    number: dict[str, int] = defaultdict(int)
    for check in checks:
        for op in {check.op, *check.also}:
            number[op] += 1
    yield from table(
        ("operation", "what it does", "needed", "checks"),
        ((f"[{op.name}](operations/{op.name}.md)", op.about, need(op), number[op.name]) for op in OPERATIONS.values()),
    )
    yield from toctree([f"operations/{op.name}" for op in OPERATIONS.values()], hidden=True)


def need(op: Operation) -> str:
    """Whether a file system has to have it."""
    if op.core:
        return "to write" if op.mutates else "always"
    return "optional" if op.replies else "the kernel only tells"


def operation(op: Operation, checks: Sequence[Check]) -> Iterable[str]:
    """One operation: what it is, what its absence does, what to write, how it is checked."""
    yield f"# {op.name}"
    yield ""
    yield escape(op.about)
    yield ""
    rows = [("opcode", f"{op.opcode}" + (f", since protocol 7.{op.since}" if op.since else ""))]
    rows += [("sent by", escape(", ".join(op.senders)))] if op.senders else []
    rows += [("needed", need(op))]
    rows += [("on ENOSYS", escape(consequence(op.name)) if op.replies else "no reply is due, and one must not be sent")]
    rows += [("breaks", " ".join(f"`{name}`" for name in op.breaks))] if op.breaks else []
    normal = sorted(op.normal - {"EINTR", "ENOSYS"})
    rows += [("may answer", f"{', '.join(normal)}: part of its daily work")] if normal else []
    yield from table(("", ""), rows)
    yield from handlers(op)
    yield from _checks_of_operation(op.name, checks)


def handlers(op: Operation) -> Iterable[str]:
    """What to write in each library; libraries with the same handlers are one paragraph."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for family, title in TITLES.items():
        rows = FAMILIES[family].get(op.name)
        if rows:
            key = tuple(row.signature for row in rows), missing_answers(family, op.name)
            groups.setdefault(key, []).append(title)
    if groups:
        yield "## Write in the daemon"
        yield ""
    for (signatures, missing), titles in groups.items():
        words = " or ".join("success, doing nothing" if one == "ok" else one for one in missing)
        yield f"**{escape(', '.join(titles))}**" + (f"; where it is missing the library answers {words}:"
                                                    if op.replies else ":")  # fmt: skip
        yield from ("", "```", *signatures, "```", "")


def _checks_of_operation(name: str, checks: Sequence[Check]) -> Iterable[str]:
    own = [check for check in checks if check.op == name]
    others = [check for check in checks if name in check.also and check.op != name]
    if not own and not others:
        return
    yield "## What is checked"
    yield ""
    yield f"`fsprobe run TARGET --op {name}` asks this, and nothing else."
    yield ""
    for check in own:
        yield f"- {link(check, '../')} {check.level}: {escape(check.title)}"
    if others:
        yield ""
        yield "Checks of other operations that it takes part in: " + ", ".join(link(c, "../") for c in others) + "."


def link(check: Check, up: str) -> str:
    """A link to a check, from a page that lies `up` below the generated ones."""
    return f"[{check.id}]({up}checks/{suite_of(check)}.md#{anchor(check)})"


def anchor(check: Check) -> str:
    """The name of a check's place in its page."""
    return "check-" + check.id.replace(".", "-").lower()


def suite_of(check: Check) -> str:
    """The suite whose folder it lies in."""
    return Path(check.path).relative_to(suites_root()).parts[0]


def checks_index(checks: Mapping[str, Sequence[Check]]) -> Iterable[str]:
    """The suites, how large each is, and the list of their pages."""
    yield "# Every check"
    yield ""
    yield ("A check asks one question. MUST fails where the answer is wrong, SHOULD warns, INFO only tells, OPTIONAL "
           "may be declined. `fsprobe list` and `fsprobe explain CHECK` say the same at the terminal.")
    yield ""
    rows: list[tuple[str, str, list[int]]] = []
    for suite, found in checks.items():
        levels = [sum(check.level == level for check in found) for level in ("MUST", "SHOULD", "INFO", "OPTIONAL")]
        layers = ", ".join(sorted({check.layer for check in found}))
        rows.append((f"[{suite}](checks/{suite}.md)", layers, [len(found), *levels]))
    rows.append(("all", "", [sum(column) for column in zip(*(row[2] for row in rows), strict=True)]))
    head = ("suite", "layer", "checks", "MUST", "SHOULD", "INFO", "OPTIONAL")
    yield from table(head, ((name, layers, *numbers) for name, layers, numbers in rows))
    yield from toctree([f"checks/{suite}" for suite in checks], hidden=True)


def checks_of(suite: str, checks: Sequence[Check]) -> Iterable[str]:
    """One suite: its checks by the operation that each blames."""
    yield f"# The suite {suite}"
    yield ""
    layers = sorted({check.layer for check in checks})
    yield f"{len(checks)} checks of the {'; of the '.join(LAYERS[layer] for layer in layers)}.{SUITES[suite]}"
    by_op: dict[str, list[Check]] = defaultdict(list)
    for check in checks:
        by_op[check.op].append(check)
    for op in sorted(by_op):
        yield ""
        yield f"## {op}"
        for check in by_op[op]:
            yield ""
            facts = "; ".join(_facts(check))
            yield f"**[`{check.id}`]{{#{anchor(check)}}}** {check.level}: {escape(check.title)}" + "\\" * bool(facts)
            yield from [f"{facts[0].upper()}{facts[1:]}."] if facts else []


def _facts(check: Check) -> Iterable[str]:
    if check.reference:
        yield f"source {escape(check.reference)}"
    if check.needs:
        yield f"needs {escape(', '.join(check.needs))}"
    if check.killers:
        yield "turned red by " + ", ".join(f"`{killer}`" for killer in check.killers)


def rules() -> Iterable[str]:
    """The language of --inject."""
    yield "# Kinds of faults"
    yield ""
    yield f"A rule is `{kinds.FORM}`. `fsprobe list --rules` prints the same."
    yield ""
    rows = []
    for kind in kinds.KINDS.values():
        form = f"{kind.name}={kind.form}" if kind.form else kind.name
        where = "every operation" if kind.ops is None else " ".join(sorted(kind.ops))
        rows.append((f"`{form}`", escape(kind.about), where, f"`{kind.example}`"))
    yield from table(("kind", "what happens", "on", "example"), rows)
    yield ""
    yield "## Conditions"
    yield ""
    conditions = kinds.CONDITIONS.items()
    yield from table(("", ""), ((f"`,{name}={form}`", escape(about)) for name, (form, about) in conditions))


def keys() -> Iterable[str]:
    """The keys of fsprobe.toml, and the options and ini keys of the pytest plugin."""
    yield "# Every key"
    yield ""
    yield "## fsprobe.toml"
    yield ""
    yield "For every target at the top of the file, or for one in `[targets.NAME]`: each is the option of that name."
    yield ""
    help_of = {parameter.name: str(getattr(parameter, "help", "")) for parameter in cli.commands["run"].params}
    yield from table(
        ("key", "value", "what it does"),
        ((f"`{one.key}`", KINDS[one.kind], escape(help_of[one.option])) for one in RUN),
    )
    yield ""
    yield "## pytest"
    yield ""
    rows = []
    for one in SETTINGS:
        marked = f"`{one.name}=`" if one.marker else ""
        option = f"`{one.flag}{' ' + one.metavar if one.metavar else ''}`"
        rows.append((option, f"`{one.key}`", marked, escape(one.help)))
    yield from table(("option", "ini key", "marker", "what it does"), rows)


def commands() -> Iterable[str]:
    """Every verb with its options."""
    yield "# Every command"
    yield ""
    yield "What `fsprobe VERB --help` prints."
    top = click.Context(cli, info_name="fsprobe")
    for name, command in cli.commands.items():
        context = click.Context(command, info_name=name, parent=top)
        yield ""
        yield f"## {name}"
        yield ""
        yield "```"
        yield " ".join(["fsprobe", name, *command.collect_usage_pieces(context)])
        yield "```"
        yield ""
        for paragraph in (command.help or "").split("\n\n"):
            yield from paragraph_lines(paragraph)
            yield ""
        options = [one for one in command.params if isinstance(one, click.Option)]
        yield from table(("option", ""), (_option(context, one) for one in options))


def paragraph_lines(paragraph: str) -> Iterable[str]:
    """A paragraph of a help text; one that click is told not to fold is a block."""
    if "\b" in paragraph:
        yield from ("```", *(line for line in paragraph.splitlines() if line.strip("\b ")), "```")
    else:
        yield escape(" ".join(paragraph.split()))


def _option(context: click.Context, option: click.Option) -> tuple[str, str]:
    names, told = option.get_help_record(context) or ("", "")
    return f"`{names}`", escape(told)


def toctree(names: Iterable[str], *, hidden: bool = False) -> Iterable[str]:
    """The pages below this one."""
    yield from ("", "```{toctree}", *([":hidden:"] if hidden else []), *names, "```")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterable[str]:
    """A Markdown table."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |"


def escape(text: str) -> str:
    """A text whose marks mean themselves, but for code in backticks."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return "".join(f"\\{c}" if c in "\\`*_{}[]<>$#" else c for c in text)
    plain = ["".join(f"\\{c}" if c in "\\*_{}[]<>$#" else c for c in part) for part in parts[::2]]
    code = [f"`{part}`" if part else "" for part in parts[1::2]]
    return "".join(a + b for a, b in zip(plain, [*code, ""], strict=True))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
