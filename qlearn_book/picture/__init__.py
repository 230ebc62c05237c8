"""A drawing as a picture in the page's own text, where no script runs."""
