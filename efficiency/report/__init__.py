"""A study as a document for people: one HTML file that can be mailed, Markdown for a pull request."""
