"""What was published, looked at as others get it: by its URL, with nothing to show, and at each
place of copies. Nothing here is put right; a clone on this machine only says what to expect.
"""
