"""What was measured: its columns, the database it lies in, and the documents it travels as.

Nothing here imports torch: results are read where nothing is measured.
"""
