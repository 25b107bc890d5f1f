"""
Resolve the dependencies anew: ``requirements.lock`` with hashes, ``environment.yml`` with the same pins for conda.

``tests/peers.lock`` holds what tests compare figures with and no resolver would take: lifelines 0.30.3 asks for a pandas
below 3 and runs on 3.1. It is installed without dependencies, which ``requirements.lock`` has.

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
PEERS = ROOT / "tests" / "peers.lock"
PEER_PACKAGES = ("autograd-gamma", "lifelines")
# Extras stay in the pins: without them pip asks for the newest version of a package with an extra and refuses it as unpinned.
_WITH_HASHES = "--generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header --quiet --upgrade"
COMMAND = (
    "uv pip compile pyproject.toml --extra databases --extra tests --universal --python-version 3.11 --fork-strategy fewest "
    f"--no-strip-extras {_WITH_HASHES}"
)
PEERS_COMMAND = f"uv pip compile - --no-deps --universal --python-version 3.11 {_WITH_HASHES}"
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
    """Write all three files."""
    resolved = _resolved(COMMAND)
    LOCK.write_text(_head("--require-hashes -r requirements.lock") + resolved, encoding="utf-8")
    ENVIRONMENT.write_text(environment(resolved), encoding="utf-8")
    peers = _resolved(PEERS_COMMAND, asked="\n".join(PEER_PACKAGES))
    PEERS.write_text(_head("--no-deps --require-hashes -r tests/peers.lock") + peers, encoding="utf-8")


def _resolved(command: str, asked: str | None = None) -> str:
    executable = str(Path(sys.executable).with_name("uv"))
    answer = subprocess.run(
        [executable, *command.split()[1:]], cwd=ROOT, input=asked, check=True, capture_output=True, text=True
    )
    return answer.stdout


def _head(arguments: str) -> str:
    return f"# Made by `make lock`; installed with: pip install {arguments}\n"


if __name__ == "__main__":
    main()
