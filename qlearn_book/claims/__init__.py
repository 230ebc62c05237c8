"""The ledger of claims: what the essay says, what was measured, which test would notice a change.

One module per chapter holds the claims that the chapter examines, each a function that runs the
chapter's experiments and returns a `Finding`; `not_yet_examined` lists the rest of the essay.  A
new chapter adds a module.
"""
