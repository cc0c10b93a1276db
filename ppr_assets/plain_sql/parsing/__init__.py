"""What a plain-SQL dump holds, and where: lines, statements, rows, entries, in one streaming pass.

What is done with them, such as sorting rows or cutting a dump, stays outside.
"""
