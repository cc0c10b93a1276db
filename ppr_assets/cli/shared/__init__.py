"""What several verbs need: the console, options in common, and what is printed in one form.

Nothing here knows a verb.
"""
