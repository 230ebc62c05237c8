"""What a figure and a page may weigh; the build fails above it, by name.

``qlearn_book.explorer`` holds the figures to their limits while it computes them,
``qlearn_book.site.weights`` the finished pages to theirs.
"""

# One figure
MAX_STATES = 20_000  # joint positions of its controls
MAX_BYTES = 300_000  # its data, before static hosts compress them
MAX_SECONDS = 180.0  # computing all its states
# One page, in bytes on the wire (text compressed, as static hosts do)
MAX_PAGE = 300_000  # its HTML and its figures' data
MAX_VISIT = 1_000_000  # with all scripts and styles; fonts depend on the letters shown
# Every page: no dead link or anchor, no image without alternative, no figure without sentence.
