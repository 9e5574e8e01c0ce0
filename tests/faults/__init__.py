"""The fault campaign: what ssowatch survives, shown by real processes that are really hit. `scripts/faults` runs it.

Rules of this package:
1. A *fault* is one small function that breaks something and heals it again, in one row of a tuple (`catalogue.FAULTS`).
2. A *check* is one function that asks whether a promise was kept, in one row of a tuple (`oracle.CHECKS`). Every check
   is made after every fault.
3. A *round* meets one fault, or two at once, in a home of its own, at a moment and in circumstances that a seed draws.
   Name and seed give the same round again: `scripts/faults --only NAME --seed N`.
4. Root is used to break things. The programs themselves run without any capability, so that modes, owners and full
   disks mean to them what they mean to a user.
5. Two clocks are moved: the machine's, which may be wrong, and Identity Center's, which is right.
"""
