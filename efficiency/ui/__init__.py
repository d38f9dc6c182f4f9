"""Parts of the pages: widgets in, calls to the other rooms, charts out. No torch, no SQL, no arithmetic."""
