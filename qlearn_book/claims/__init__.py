"""The ledger of claims: what the essay says, what was measured, which test would notice a change.

One module per chapter holds the claims that the chapter examines, each a function that runs the
chapter's experiments and returns a `Finding`; `quoted` lists what the essay only reports.  A new
chapter adds a module.
"""
