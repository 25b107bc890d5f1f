"""
Resolve the dependencies anew: ``requirements.lock`` with hashes, ``environment.yml`` with the same pins for conda.

Run it with ``make lock``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
ENVIRONMENT = ROOT / "environment.yml"
# Extras stay in the pins: without them pip asks for the newest version of a package with an extra and refuses it as unpinned.
COMMAND = (
    "uv pip compile pyproject.toml --extra databases --extra tests --universal --python-version 3.11 --fork-strategy fewest "
    "--no-strip-extras --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header --quiet --upgrade"
)
_PIN = re.compile(
    r"^(?P<pin>[A-Za-z0-9._-]+(?:\[[^\]]*\])?==[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$", re.MULTILINE
)


def pins(lock: str) -> list[str]:
    """Return what a lock pins, a requirement a line, without hashes."""
    return [f"{m['pin']} ; {m['marker']}" if m["marker"] else m["pin"] for m in _PIN.finditer(lock)]


def environment(lock: str) -> str:
    """Return the conda environment with a lock's pins, installed by pip inside it."""
    lines = [
        "# Made by `make lock` from requirements.lock: the same versions for conda users.",
        "# conda env create -f environment.yml && conda activate crm_analysis",
        "name: crm_analysis",
        "channels: [conda-forge]",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
        "  - pip:",
        *(f"      - {_quoted(pin)}" for pin in pins(lock)),
        "      - --editable .",
    ]
    return "\n".join(lines) + "\n"


def _quoted(pin: str) -> str:
    return f'"{pin}"' if ";" in pin else pin


def main() -> None:
    """Write both files."""
    head = "# Made by `make lock`; installed with: pip install --require-hashes -r requirements.lock\n"
    executable = str(Path(sys.executable).with_name("uv"))
    answer = subprocess.run([executable, *COMMAND.split()[1:]], cwd=ROOT, check=True, capture_output=True, text=True)
    LOCK.write_text(head + answer.stdout, encoding="utf-8")
    ENVIRONMENT.write_text(environment(answer.stdout), encoding="utf-8")


if __name__ == "__main__":
    main()
