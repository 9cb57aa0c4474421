"""What the core asks of the world around it: may this cell transact, by which rules, and who decides.

The core knows the questions; the composition root wires the answers.
"""

from erpcore.ports.authority import BY_PERMISSION, TRIFLE, Asked, Authority, Matter
from erpcore.ports.catalogue import CATALOGUE_VERSION, POLICY_POINTS
from erpcore.ports.cells import Admission, Cell, CellState, CellStates, Process, admit
from erpcore.ports.points import Freedom, PolicyPoint, Unit
from erpcore.ports.rules import ProcessRules, Ruleset, standard_ruleset

__all__ = [
    "BY_PERMISSION",
    "CATALOGUE_VERSION",
    "POLICY_POINTS",
    "TRIFLE",
    "Admission",
    "Asked",
    "Authority",
    "Cell",
    "CellState",
    "CellStates",
    "Freedom",
    "Matter",
    "PolicyPoint",
    "Process",
    "ProcessRules",
    "Ruleset",
    "Unit",
    "admit",
    "standard_ruleset",
]
