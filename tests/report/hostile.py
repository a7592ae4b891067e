"""A result in which every text attacks: terminals, readers of XML and Markdown, browsers, runners of CI jobs."""

from __future__ import annotations

from typing import Any

from tests.report import documents

EVIL = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> \x1b[2J\x1b]0;x\x07\x00\x9b "
    "\u202etxt.exe ]]> --> </script></pre></details> | `a` ```\nok 99 - forged\nPASS 999\r\n::error title=a::b\n"
    "##[add-mask]x ::stop-commands::x %0A::warning::c \udcff\udc80 \ufffe\uffff @octocat #1 https://evil.example "
    "{{7*7}} [bold red]a[/] '\"&amp;"
)


def document() -> dict[str, Any]:
    """A check of every kind of outcome, a cause, operations, traffic: whatever can hold text holds EVIL."""
    checks = []
    for index, verdict in enumerate(("FAIL", "HANG", "WARN", "UNSUPPORTED", "SKIP", "XFAIL", "ERROR", "PASS")):
        layer = ("posix", "shell")[index % 2]
        checks.append(documents.check(
            f"{layer}.{EVIL}.{index}", verdict, EVIL if index else "READ", ops=[EVIL], title=f"`{EVIL}` works.",
            expected=EVIL, observed=EVIL, errno=EVIL, reference=EVIL, trace=[EVIL, f"READ {EVIL} → EIO 3 µs"],
            reproduce=f"fsprobe run {EVIL}", script=EVIL, reason=EVIL, notes=[EVIL], evidence=[EVIL]))  # fmt: skip
    row = documents.operation("wrong", 2, {EVIL: 2}, detail=EVIL, handler=EVIL, breaks=[EVIL], latency_us={"50": 2})
    made = documents.document(EVIL, {"READ": row, EVIL: row}, checks, 1)
    made["target"] |= dict.fromkeys(("fs_type", "mount", "library", "binary_sha256"), EVIL) | {"argv": [EVIL]}
    made["environment"] |= dict.fromkeys(("kernel", "protocol", "seed", "kept", "started", "fsprobe"), EVIL)
    made["environment"] |= {"degraded": [EVIL], "init_flags": [EVIL], "masked": [EVIL]}
    made["diagnoses"] = [
        {"cause": cause, "op": op, "ops": [op], "confidence": "likely", "summary": EVIL, "evidence": [EVIL],
         "fix": EVIL, "checks": [checks[0]["id"]]}
        for cause, op in (("wrong-data", EVIL), ("not-implemented", "READ"), ("not-implemented", EVIL))
    ]  # fmt: skip
    made["processes"] |= {"daemon_exits": [{"start": 1, "how": EVIL, "expected": False}], "restarts": 1}
    made["processes"]["leaked"] |= {"files": [EVIL, EVIL]}
    made["baseline"] = {"file": EVIL, "entries": 1, "stale": [EVIL], "expired": []}
    made["timeline"] = {
        "rule": EVIL, "seen": 2, "kept": 2, "every": 1, "columns": [], "checks": [EVIL],
        "exchanges": [[0, "mount", EVIL, EVIL, 3.0, 0], [9, EVIL, "READ", None, None, None]],
    }  # fmt: skip
    return made
